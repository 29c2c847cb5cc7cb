// Rows in the text form of COPY (PostgreSQL documentation, "COPY", "Text Format"): a line each,
// fields joined by tabs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/table_plan.h"

namespace wherry::postgres {

/// With the line feeds at their ends; they point into `rows`.
std::vector<std::string_view> split_copy_lines(std::string_view rows);
/// The fields of a line, unescaped; nullopt for NULL.
std::vector<std::optional<std::string>> fields_of_line(std::string_view line);

/// As row_text.h has it of cells. REQUIRES: a field for each column of the plan.
std::string text_of_key(const schema::TablePlan& plan, std::string_view line);
std::string insert_statement(const schema::TablePlan& plan, std::string_view line);

}  // namespace wherry::postgres
