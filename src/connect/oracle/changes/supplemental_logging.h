// What the redo says of rows that are updated: supplemental logging of the database and of tables.
// Facts: reference oracle-cdc, 1.2 and 1.3 (Oracle Database Utilities, "Supplemental Logging").
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "connect/oracle/client.h"
#include "schema/table_def.h"

namespace wherry::oracle {

struct DatabaseLogging {
  bool is_archiving = false;  ///< LOG_MODE
  bool is_forced = false;     ///< FORCE_LOGGING: nothing is NOLOGGING
  bool has_minimal = false, has_primary_keys = false, has_all = false;
};
/// kPermission names the grant.
Result<DatabaseLogging> read_database_logging(OpContext& context, Session& session);
/// "ALTER DATABASE …"
std::string minimal_logging_statement();

struct TableLogging {
  bool has_primary_key = false, has_all = false;
  std::vector<std::set<std::string>> groups;  ///< columns of each group that is ALWAYS
};
/// Of tables of these owners that have some.
Result<std::map<schema::TableRef, TableLogging>> read_table_logging(
    OpContext& context, Session& session, const std::set<std::string>& owners);

/// Columns that say which row an update means; empty: all of the row must. That is the primary key,
/// or a unique key that has no NULLs.
std::vector<std::string> logged_identity(const schema::TableDef& table);
/// What updates of a table must tell.
enum class NeededLogging : std::uint8_t {
  kIdentity,  ///< … or, without one, the whole row
  kWholeRow,  ///< schema::needs_whole_rows()
};
bool is_enough(const schema::TableDef& table, const TableLogging& logging,
               const DatabaseLogging& database, NeededLogging needed = NeededLogging::kIdentity);
/// "ALTER TABLE …" that makes it so.
std::string logging_statement(const schema::TableDef& table,
                              NeededLogging needed = NeededLogging::kIdentity);

}  // namespace wherry::oracle
