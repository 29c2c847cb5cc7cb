// What `wherry debug parse-redo` reads and prints: SQL_REDO, and what it says, as JSON.
#pragma once

#include <nlohmann/json.hpp>

namespace wherry::app {

/// What one row says: {"kind": "insert", "table": {"owner": …, "name": …}, "new": {…}, "old": {…},
/// "typed": {…}} and its like (docs/reference/parse-redo.md). `line` is an object with `sql_redo`,
/// and with `table`, `row`, `options`, `operation_code` where they are known. Throws
/// nlohmann::json::exception where one of them is not of its form.
nlohmann::ordered_json parsed_redo(const nlohmann::json& line);

}  // namespace wherry::app
