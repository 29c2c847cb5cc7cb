#include "connect/postgres/ddl_audit.h"

#include <bit>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "connect/postgres/wire/copy_buffer.h"

namespace wherry::postgres {
namespace {

using AuditJson = nlohmann::json;

constexpr std::string_view kDefinitionBegin = "\n/* wherry: ";
constexpr std::string_view kDefinitionEnd = " */";

std::uint32_t told_oid(const wire::Field& field) {
  if (field.kind == wire::FieldKind::kBinary && field.bytes.size() == 4) {
    return wire::load_u32(field.bytes.data());
  }
  std::int32_t number = 0;
  std::from_chars(field.bytes.data(), field.bytes.data() + field.bytes.size(), number);
  return std::bit_cast<std::uint32_t>(number);
}

/// Throws AuditJson::exception.
template <class Number>
Number number_of(const AuditJson& json) {
  const bool is_whole = json.is_number_integer();
  const bool fits =
      is_whole && (json.is_number_unsigned() ? std::in_range<Number>(json.get<std::uint64_t>())
                                             : std::in_range<Number>(json.get<std::int64_t>()));
  if (!fits) throw AuditJson::other_error::create(501, "a number is none", nullptr);
  return static_cast<Number>(json.get<std::int64_t>());
}

/// As the trigger's function writes it. Throws AuditJson::exception.
CatalogColumn told_column(const AuditJson& json) {
  CatalogColumn out;
  out.number = number_of<std::uint32_t>(json.at(0));
  out.name = json.at(1).get<std::string>();
  out.type = {number_of<std::uint32_t>(json.at(2)), number_of<std::int32_t>(json.at(3))};
  const auto flags = number_of<std::uint32_t>(json.at(4));
  out.is_not_null = (flags & 1U) != 0;
  out.is_identity = (flags & 2U) != 0;
  out.is_generated = (flags & 4U) != 0;
  out.is_in_key = (flags & 8U) != 0;
  if (!json.at(5).is_null()) {
    out.fill = {connect::ColumnFill::Kind::kValue, json.at(5).get<std::string>()};
  } else if ((flags & 16U) != 0) {
    out.fill.kind = connect::ColumnFill::Kind::kByRow;
  }
  return out;
}

std::optional<CatalogTable> definition_of(std::string_view text) {
  CatalogTable out;
  try {
    const AuditJson json = AuditJson::parse(text);
    const auto identity = json.at("identity").get<std::string>();
    if (identity.size() != 1) return std::nullopt;
    out.identity = identity.front();
    for (const AuditJson& column : json.at("columns")) {
      out.columns.push_back(told_column(column));
      const auto& columns = out.columns;
      if (columns.size() > 1 && columns.back().number <= columns[columns.size() - 2].number) {
        return std::nullopt;
      }
    }
  } catch (const AuditJson::exception&) {
    return std::nullopt;  // whoever may write to the table can write anything
  }
  return out.columns.empty() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace

std::optional<DdlRecord> read_ddl_record(const connect::RowShape& audit,
                                         const std::vector<wire::Field>& fields) {
  DdlRecord out;
  const auto& columns = audit.definition.columns;
  if (columns.size() != fields.size()) return std::nullopt;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const wire::Field& field = fields[i];
    if (columns[i].name == "c_tag") out.tag = field.bytes;
    if (columns[i].name == "c_ddlqry") out.statement = field.bytes;
    if (columns[i].name == "c_schema") out.table.schema = field.bytes;
    if (columns[i].name == "c_name") out.table.name = field.bytes;
    if (columns[i].name == "c_oid") out.oid = told_oid(field);
  }
  const std::size_t at = out.statement.rfind(kDefinitionBegin);
  if (at == std::string_view::npos || !out.statement.ends_with(kDefinitionEnd)) return out;
  std::string_view text = out.statement.substr(at + kDefinitionBegin.size());
  text.remove_suffix(kDefinitionEnd.size());
  out.definition = definition_of(text);
  if (out.definition) out.definition->table = out.table;
  out.statement = out.statement.substr(0, at);
  return out;
}

}  // namespace wherry::postgres
