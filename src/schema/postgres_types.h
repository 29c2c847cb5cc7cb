// Which PostgreSQL column type a logical type gets on tables that Wherry creates. The one rule:
// every value of the source type fits and comes back equal; where PostgreSQL has no such type, the
// column is text in the forms below. What differs from AWS DMS and why: docs/type-deviations.md.
//
// Text forms:
//   timestamp 7-9 digits       "2026-08-09 12:13:14.123456789", years before 1 with " BC" at the
//   end timestamp with time zone   "2026-08-09 14:43:14.123456 +02:30": local time and its offset
//   year to month              "+01-02", at least two digits of years
//   day to second              "+03 04:05:06.000000", at least two digits of days
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "schema/logical_type.h"
#include "schema/table_def.h"

namespace wherry::schema {

/// "numeric(10,2)". kUnsupported "schema.no_postgres_type" for a type without values; the caller
/// adds table, column and native type.
Result<std::string> postgres_type(const LogicalType& type);

enum class TypeStyle : std::uint8_t {
  kLossless,  ///< as above
  /// What AWS DMS creates, also where that rounds or cuts (docs/type-deviations.md): values that do
  /// not fit are then refused row by row.
  kDms,
};
/// Why postgres_column_type() is that one: a few words of static text.
std::string_view postgres_type_reason(const ColumnDef& column, TypeStyle style);
/// The type of a column on a table that Wherry creates; obeys `number_scale`.
Result<std::string> postgres_column_type(const ColumnDef& column, TypeStyle style);

}  // namespace wherry::schema
