// Rows for people: keys in messages, statements in the exceptions table.
#pragma once

#include <string>

#include "core/cell.h"
#include "schema/table_plan.h"

namespace wherry::postgres {

/// "id=42, line=7"; empty without a key.
std::string text_of_key(const schema::TablePlan& plan, const Cell* row);
/// INSERT INTO with the row's values; a value above 8 kB is NULL there, with its size in a comment.
std::string insert_statement(const schema::TablePlan& plan, const Cell* row);
/// Valid UTF-8 without U+0000, whatever `text` is.
std::string printable(std::string_view text);

}  // namespace wherry::postgres
