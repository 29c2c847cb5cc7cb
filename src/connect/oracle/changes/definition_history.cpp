#include "connect/oracle/changes/definition_history.h"

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/durable_file.h"

namespace wherry::oracle {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kFormat = 1;
/// More statements on one table than lie between a checkpoint and the end of what was read.
constexpr std::size_t kMostVersions = 32;

Json json_of(const schema::ColumnDef& column) {
  const schema::LogicalType& type = column.type;
  Json out = {{"name", column.name},
              {"native_type", column.native_type},
              {"kind", static_cast<int>(type.kind)},
              {"length_chars", type.length_chars},
              {"length_bytes", type.length_bytes},
              {"precision", type.precision},
              {"scale", type.scale},
              {"fraction_digits", type.fraction_digits},
              {"blank_padded", type.blank_padded},
              {"national", type.national},
              {"nullable", column.nullable},
              {"generated", column.is_generated},
              {"identity", column.is_identity},
              {"number", column.number}};
  if (column.number_scale) out["number_scale"] = *column.number_scale;
  return out;
}

schema::ColumnDef column_of(const Json& json) {
  schema::ColumnDef out;
  out.name = json.at("name");
  out.native_type = json.at("native_type");
  const int kind = json.at("kind");
  out.type.kind = kind < 0 || kind > schema::kLastTypeKind ? schema::TypeKind::kUnsupported
                                                           : static_cast<schema::TypeKind>(kind);
  out.type.length_chars = json.at("length_chars");
  out.type.length_bytes = json.at("length_bytes");
  out.type.precision = json.at("precision");
  out.type.scale = json.at("scale");
  out.type.fraction_digits = json.at("fraction_digits");
  out.type.blank_padded = json.at("blank_padded");
  out.type.national = json.at("national");
  out.nullable = json.at("nullable");
  out.is_generated = json.at("generated");
  out.is_identity = json.at("identity");
  out.number = json.at("number");
  if (json.contains("number_scale")) out.number_scale = json.at("number_scale").get<int>();
  return out;
}

Json json_of(const DefinitionVersion& version) {
  Json out = {{"schema", version.definition.table.schema},
              {"table", version.definition.table.name},
              {"scn", version.since.scn},
              {"thread", version.since.thread},
              {"sequence", version.since.address.sequence},
              {"block", version.since.address.block},
              {"offset", version.since.address.offset},
              {"read_scn", version.read_scn},
              {"columns", Json::array()},
              {"keys", Json::array()}};
  for (const schema::ColumnDef& column : version.definition.columns) {
    out["columns"].push_back(json_of(column));
  }
  for (const schema::KeyDef& key : version.definition.keys) {
    out["keys"].push_back(
        {{"name", key.name}, {"columns", key.columns}, {"primary", key.is_primary}});
  }
  return out;
}

DefinitionVersion version_of(const Json& json) {
  DefinitionVersion out;
  out.definition.table = {json.at("schema"), json.at("table")};
  out.since = {json.at("scn"),
               json.at("thread"),
               {json.at("sequence"), json.at("block"), json.at("offset")}};
  out.read_scn = json.at("read_scn");
  for (const Json& column : json.at("columns")) {
    out.definition.columns.push_back(column_of(column));
  }
  for (const Json& key : json.at("keys")) {
    out.definition.keys.push_back({key.at("name"), key.at("columns"), key.at("primary")});
  }
  return out;
}

}  // namespace

Result<void> DefinitionHistory::load(std::uint64_t database_id, std::uint64_t load_scn) {
  database_id_ = database_id;
  load_scn_ = load_scn;
  tables_.clear();
  if (file_.empty() || !std::filesystem::exists(file_)) return {};
  std::ifstream in(file_);
  if (!in) return file_error(file_, errno, "read");
  try {
    const Json json = Json::parse(in);
    const bool is_ours = json.at("format") == kFormat && json.at("database_id") == database_id &&
                         json.at("load_scn") == load_scn;
    if (!is_ours) return {};
    for (const Json& each : json.at("versions")) {
      DefinitionVersion version = version_of(each);
      tables_[version.definition.table].push_back(std::move(version));
    }
  } catch (const Json::exception&) {
    tables_.clear();  // rows that need it are given up in words
  }
  return {};
}

const DefinitionVersion* DefinitionHistory::resume(
    const schema::TableRef& table,
    const std::function<bool(const DefinitionVersion::Place&)>& is_delivered) {
  const auto found = tables_.find(table);
  if (found == tables_.end()) return nullptr;
  std::vector<DefinitionVersion>& versions = found->second;
  while (!versions.empty() && versions.back().since.scn != 0 &&
         !is_delivered(versions.back().since)) {
    versions.pop_back();
  }
  return versions.empty() ? nullptr : &versions.back();
}

void DefinitionHistory::add(const schema::TableRef& table, DefinitionVersion version) {
  std::vector<DefinitionVersion>& versions = tables_[table];
  if (version.since.scn == 0) versions.clear();
  versions.push_back(std::move(version));
  if (versions.size() > kMostVersions) versions.erase(versions.begin());
}

Result<void> DefinitionHistory::save() const {
  if (file_.empty()) return {};
  Json json = {{"format", kFormat},
               {"database_id", database_id_},
               {"load_scn", load_scn_},
               {"versions", Json::array()}};
  for (const auto& [table, versions] : tables_) {
    for (const DefinitionVersion& version : versions) json["versions"].push_back(json_of(version));
  }
  return replace_file(file_, json.dump());
}

}  // namespace wherry::oracle
