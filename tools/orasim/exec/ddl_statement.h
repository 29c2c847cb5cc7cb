// DDL: one statement parsed into an edit of the catalog. Storage clauses are read over; what a
// definition means is store/ddl's business.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/session.h"
#include "exec/types.h"
#include "store/ddl.h"
#include "store/store.h"

namespace orasim {

/// What DDL needs of the session that runs it.
struct DdlEnvironment {
  Store* store = nullptr;
  std::string current_schema;
  DdlText text;  ///< for the redo
  Release release;
  std::shared_ptr<const Access> access;  ///< of the session's user
  /// Columns of a query text whose names are looked up in a schema, for CREATE TABLE … AS SELECT
  /// and views.
  std::function<std::vector<ColumnInfo>(const std::string& query, const std::string& schema)>
      describe;
  /// Type of an expression over the columns of a table, for virtual columns.
  std::function<DataType(const TableDef& table, const std::string& expression)> type_of;
  /// Value of an expression without columns, for the DEFAULT of an added column.
  std::function<Value(const std::string& expression, const DataType& type)> evaluate;
  /// Runs a DML statement and commits it.
  std::function<void(const std::string& dml)> run;
  /// Throws ORA-02293 when a row of the table fails the condition.
  std::function<void(const TableDef& table, const ConstraintDef& check)> check_rows;
};

/// Executes one DDL statement (CREATE, ALTER, DROP, COMMENT, TRUNCATE, RENAME, GRANT, REVOKE,
/// ANALYZE, AUDIT, PURGE, FLASHBACK is refused). Throws OraError with the position of a mistake.
/// The caller has committed the session's transaction.
void execute_ddl(std::string_view sql, DdlEnvironment& environment);

}  // namespace orasim
