#include "transform/sqlite.h"

#include <algorithm>

namespace wherry::transform {
namespace {

Error expression_error(std::string why, std::string_view expression) {
  return make_error(ErrorKind::kConfig, "mapping.expression",
                    "the expression cannot be computed: " + std::move(why),
                    "Write it in SQLite's language; $NAME is the value of column NAME, texts stand "
                    "in single quotes")
      .with("expression", std::string(expression));
}

/// An expression computes a value; there is nothing to be read or changed.
int authorize(void* functions, int action, const char*, const char* name, const char*,
              const char*) {
  if (action == SQLITE_SELECT) return SQLITE_OK;
  if (action != SQLITE_FUNCTION || name == nullptr) return SQLITE_DENY;
  std::string function = name;
  for (char& c : function) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (function == "load_extension") return SQLITE_DENY;
  static_cast<std::vector<std::string>*>(functions)->push_back(std::move(function));
  return SQLITE_OK;
}

bool has_curly_quote(std::string_view text) {
  return text.find("\u2018") != std::string_view::npos ||
         text.find("\u2019") != std::string_view::npos ||
         text.find("\u201C") != std::string_view::npos ||
         text.find("\u201D") != std::string_view::npos;
}

/// `before` and `after` stand around the expression; the line ends what may be a comment.
Result<SqliteStatement> prepare_between(sqlite3& database, std::string_view before,
                                        std::string_view expression, std::string_view after,
                                        std::vector<std::string>& functions) {
  std::string sql(before);
  sql.append(expression).append("\n").append(after);
  sqlite3_set_authorizer(&database, authorize, &functions);
  sqlite3_stmt* made = nullptr;
  const char* rest = nullptr;
  const int status = sqlite3_prepare_v3(&database, sql.c_str(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &made, &rest);
  SqliteStatement statement(made);
  sqlite3_set_authorizer(&database, nullptr, nullptr);
  if (status != SQLITE_OK) {
    std::string why = sqlite3_errmsg(&database);
    if (status == SQLITE_AUTH) why = "only values can be computed, and no table read";
    if (has_curly_quote(expression)) why += " (it has curly quotes; SQLite's are straight: ')";
    return expression_error(std::move(why), expression);
  }
  const bool is_one = statement != nullptr && sqlite3_column_count(statement.get()) == 1 &&
                      rest != nullptr && *rest == '\0' &&
                      sqlite3_stmt_readonly(statement.get()) != 0;
  if (!is_one) return expression_error("it is not one expression", expression);
  return statement;
}

}  // namespace

Result<SqliteDatabase> open_sqlite(const Operation& operation) {
  sqlite3* opened = nullptr;
  int status =
      sqlite3_open_v2(":memory:", &opened,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteDatabase database(opened);
  if (status == SQLITE_OK) status = add_functions(*database, operation);
  if (status != SQLITE_OK) {
    return make_error(ErrorKind::kResource, "mapping.no_sqlite", "SQLite cannot be started",
                      "See whether the machine has memory left")
        .with("cause", sqlite3_errstr(status));
  }
  sqlite3_limit(database.get(), SQLITE_LIMIT_LENGTH, kMaxExpressionBytes);
  // What stands in double quotes is a name, and there are none.
  sqlite3_db_config(database.get(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  return database;
}

Result<SqliteStatement> prepare_expression(sqlite3& database, std::string_view expression,
                                           std::vector<std::string>& functions) {
  if (expression.find('\0') != std::string_view::npos) {
    return expression_error("it has a zero character", expression);
  }
  // What closes the bracket and goes on as a query is none of a function's arguments.
  std::vector<std::string> unused;
  WHERRY_TRY(prepare_between(database, "select coalesce((", expression, "), 0)", unused));
  return prepare_between(database, "select (", expression, ")", functions);
}

}  // namespace wherry::transform
