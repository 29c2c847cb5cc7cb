// The few things of SQLite that expressions need: a database in memory that has nothing in it, and
// prepared statements. Used by one thread at a time.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "transform/functions.h"

namespace wherry::transform {

struct CloseSqlite {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using SqliteDatabase = std::unique_ptr<sqlite3, CloseSqlite>;
using SqliteStatement = std::unique_ptr<sqlite3_stmt, CloseSqlite>;

/// No value of an expression is longer.
inline constexpr int kMaxExpressionBytes = 16 * 1024 * 1024;

/// An empty database with the functions that DMS adds; `operation` outlives it.
Result<SqliteDatabase> open_sqlite(const Operation& operation);
/// `expression` as the one column of a query; adds the functions it uses, in lower case. kConfig
/// "mapping.expression" with SQLite's own words.
Result<SqliteStatement> prepare_expression(sqlite3& database, std::string_view expression,
                                           std::vector<std::string>& functions);

}  // namespace wherry::transform
