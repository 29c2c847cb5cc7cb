// PostgreSQL statements that make a target table from its plan. Pure: nothing is executed here.
//
// Every name is quoted. PostgreSQL cuts names at 63 bytes without an error; here a longer name is
// an error instead, because two cut names may be one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"
#include "schema/table_plan.h"

namespace wherry::schema {

inline constexpr std::size_t kMaxIdentifierBytes = 63;

/// `"Name"` with inner quotes doubled. kSchema "schema.bad_identifier" for an empty name, one above
/// 63 bytes and one with U+0000; the name is in the message.
Result<std::string> quote_identifier(std::string_view name);
/// `"schema"."table"`; REQUIRES a schema.
Result<std::string> quote_table(const TableRef& table);
/// `'text'` with inner quotes doubled; backslashes are ordinary (standard_conforming_strings).
std::string quote_literal(std::string_view text);

Result<std::string> create_schema_sql(std::string_view schema);
/// Columns with types and NOT NULL; no key. kSchema "schema.duplicate_column" when two columns have
/// one name, "schema.no_columns" when there is none.
/// `compression`: the COMPRESSION of columns for large values, "lz4"; empty: none is named.
Result<std::string> create_table_sql(const TablePlan& plan, std::string_view compression = {});
/// ALTER TABLE … ADD PRIMARY KEY or UNIQUE. REQUIRES: plan.key is not empty.
Result<std::string> add_key_sql(const TablePlan& plan);

}  // namespace wherry::schema
