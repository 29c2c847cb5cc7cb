// What `wherry debug parse-redo` and `assemble-redo` read and print: SQL_REDO, and what it says, as
// JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "connect/oracle/logminer/redo_statement.h"

namespace wherry::app {

/// What one row says: {"kind": "insert", "table": {"owner": …, "name": …}, "new": {…}, "old": {…},
/// "typed": {…}} and its like (docs/reference/parse-redo.md). `line` is an object with `sql_redo`,
/// and with `table`, `row`, `options`, `operation_code` where they are known. Throws
/// nlohmann::json::exception where one of them is not of its form.
nlohmann::ordered_json parsed_redo(const nlohmann::json& line);

/// What assembly makes of rows: {"transactions": […], "open": […]} and what goes with them. `line`
/// is an object with `rows`, objects with the columns of V$LOGMNR_CONTENTS, or with `batches`,
/// objects with `rows` that are the steps of mining. Throws as parsed_redo() does.
nlohmann::ordered_json assembled_redo(const nlohmann::json& line);

nlohmann::ordered_json redo_value_json(const oracle::RedoValue& value);

}  // namespace wherry::app
