#include "connect/oracle/changes/supplemental_logging.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/oracle/errors.h"

namespace wherry::oracle {
namespace {

/// "IMPLICIT": on because another level is.
bool is_on(const std::optional<std::string>& value) {
  return value == "YES" || value == "IMPLICIT";
}

std::string list_of(const std::set<std::string>& owners, std::vector<Bind>& binds) {
  std::string out;
  for (const std::string& owner : owners) {
    binds.push_back(Bind::text(owner));
    out += fmt::format("{}:{}", out.empty() ? "" : ", ", binds.size());
  }
  return out;
}

}  // namespace

Result<DatabaseLogging> read_database_logging(OpContext& context, Session& session) {
  auto rows = session.rows(context,
                           "select log_mode, force_logging, supplemental_log_data_min, "
                           "supplemental_log_data_pk, supplemental_log_data_all from v$database");
  if (!rows) {
    Error error = std::move(rows).error();
    if (error.native_code == ora_code(942) || error.native_code == ora_code(1031)) {
      error.kind = ErrorKind::kPermission;
      error.hint = "grant select on sys.v_$database to the user (docs/guide/oracle-changes.md)";
    }
    return error;
  }
  const TextRow& row = rows->at(0);
  DatabaseLogging out;
  out.is_archiving = row[0] == "ARCHIVELOG";
  out.is_forced = row[1] == "YES";
  out.has_primary_keys = row[3] == "YES";
  out.has_all = row[4] == "YES";
  out.has_minimal = is_on(row[2]) || out.has_primary_keys || out.has_all;
  return out;
}

std::string minimal_logging_statement() {
  return "alter database add supplemental log data";
}

Result<std::map<schema::TableRef, TableLogging>> read_table_logging(
    OpContext& context, Session& session, const std::set<std::string>& owners) {
  std::map<schema::TableRef, TableLogging> out;
  if (owners.empty()) return out;
  std::vector<Bind> binds;
  const std::string list = list_of(owners, binds);
  WHERRY_ASSIGN(const auto groups,
                session.rows(context,
                             "select owner, table_name, log_group_type from all_log_groups "
                             "where log_group_type <> 'USER LOG GROUP' and owner in (" +
                                 list + ")",
                             binds));
  for (const TextRow& row : groups) {
    TableLogging& table = out[{row[0].value_or(""), row[1].value_or("")}];
    if (row[2] == "ALL COLUMN LOGGING") table.has_all = true;
    if (row[2] == "PRIMARY KEY LOGGING") table.has_primary_key = true;
  }
  // A group without ALWAYS is logged only where one of its columns changes.
  WHERRY_ASSIGN(
      const auto columns,
      session.rows(context,
                   "select c.owner, c.table_name, c.log_group_name, c.column_name "
                   "from all_log_group_columns c, all_log_groups g where g.owner = c.owner and "
                   "g.table_name = c.table_name and g.log_group_name = c.log_group_name and "
                   "g.log_group_type = 'USER LOG GROUP' and g.always = 'ALWAYS' and "
                   "c.owner in (" +
                       list + ") order by 1, 2, 3",
                   binds));
  std::string last;
  for (const TextRow& row : columns) {
    TableLogging& table = out[{row[0].value_or(""), row[1].value_or("")}];
    std::string group =
        fmt::format("{}.{}.{}", row[0].value_or(""), row[1].value_or(""), row[2].value_or(""));
    if (group != last || table.groups.empty()) table.groups.emplace_back();
    last = std::move(group);
    table.groups.back().insert(row[3].value_or(""));
  }
  return out;
}

std::vector<std::string> logged_identity(const schema::TableDef& table) {
  const schema::KeyDef* const key = table.row_identity();
  return key != nullptr ? key->columns : std::vector<std::string>();
}

bool is_enough(const schema::TableDef& table, const TableLogging& logging,
               const DatabaseLogging& database, NeededLogging needed) {
  if (logging.has_all || database.has_all) return true;
  if (needed == NeededLogging::kWholeRow) return false;
  const bool logs_key = logging.has_primary_key || database.has_primary_keys;
  if (table.primary_key() != nullptr && logs_key) return true;
  const std::vector<std::string> identity = logged_identity(table);
  return !identity.empty() &&
         std::any_of(logging.groups.begin(), logging.groups.end(), [&](const auto& group) {
           return std::all_of(identity.begin(), identity.end(),
                              [&](const std::string& name) { return group.contains(name); });
         });
}

std::string logging_statement(const schema::TableDef& table, NeededLogging needed) {
  const bool is_key_enough = needed == NeededLogging::kIdentity && table.primary_key() != nullptr;
  const std::string what = is_key_enough ? "(primary key)" : "(all)";
  return fmt::format("alter table \"{}\".\"{}\" add supplemental log data {} columns",
                     table.table.schema, table.table.name, what);
}

}  // namespace wherry::oracle
