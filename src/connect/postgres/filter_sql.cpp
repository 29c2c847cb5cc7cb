#include "connect/postgres/filter_sql.h"

#include <algorithm>

#include "connect/postgres/printed.h"
#include "core/time_text.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using schema::ColumnFilter;
using schema::FilterCondition;
using schema::FilterFamily;

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool has_nanoseconds(const std::string& value) {
  const auto time = parse_moment(value);
  return time && time->nanos != 0;
}

/// In every encoding of a server ASCII has its own bytes, and all else comes after it. A value that
/// the encoding does not have would be an error.
bool evaluates_text(const ColumnFilter& filter, const FilterCondition& condition,
                    std::string_view encoding) {
  const bool is_padded_anyhow = filter.type.blank_padded && filter.type.length_chars == 0;
  return !is_padded_anyhow &&
         (encoding == "UTF8" || (is_ascii(condition.value) && is_ascii(condition.end_value)));
}

std::string name_of(const ColumnFilter& filter) {
  return "t." + *schema::quote_identifier(filter.column);
}

/// A row type IS NULL when all of its fields are.
std::string null_text(const ColumnFilter& filter, bool is_null) {
  return name_of(filter) + (is_null ? " is not distinct from null" : " is distinct from null");
}

std::size_t characters_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

/// What all values of a blank-padded column and those it is compared with are padded to.
std::size_t padded_length(const ColumnFilter& filter) {
  std::size_t out = filter.type.length_chars;
  for (const FilterCondition& condition : filter.conditions) {
    out = std::max({out, characters_of(condition.value), characters_of(condition.end_value)});
  }
  return out;
}

std::string padded(const std::string& text, const ColumnFilter& filter) {
  return "pg_catalog.rpad(" + text + ", " + std::to_string(padded_length(filter)) + ")";
}

/// Whatever a type's own equality and order are, its text is compared.
std::string text_of(const ColumnFilter& filter) {
  const std::string name = name_of(filter);
  if (filter.type.kind == schema::TypeKind::kNative) return printed(name);
  return filter.type.blank_padded ? padded(name + "::text", filter) : name + "::text";
}

std::string column_text(const ColumnFilter& filter) {
  const std::string name = name_of(filter);
  switch (*schema::filter_family(filter.type)) {
    case FilterFamily::kText:
      return text_of(filter) + " collate \"C\"";
    case FilterFamily::kFloat:
      return name + "::float8";
    case FilterFamily::kTime:
      return name + "::timestamp";
    default:
      return name;
  }
}

std::string literal_text(const ColumnFilter& filter, const std::string& value) {
  switch (*schema::filter_family(filter.type)) {
    case FilterFamily::kNumber:
      return schema::quote_literal(schema::plain_number(value)) + "::numeric";
    case FilterFamily::kFloat:
      return schema::quote_literal(schema::plain_number(value)) + "::float8";
    case FilterFamily::kTime:
      return schema::quote_literal(schema::plain_time(value)) + "::timestamp";
    case FilterFamily::kInstant:
      return schema::quote_literal(schema::plain_time(value) + "+00") + "::timestamptz";
    case FilterFamily::kTruth:
      return schema::plain_truth(value) ? "true" : "false";
    case FilterFamily::kText:
    case FilterFamily::kBytes:
    case FilterFamily::kMonths:
    case FilterFamily::kSeconds:  // no type of PostgreSQL's has values of the last three
      break;
  }
  const std::string literal = schema::quote_literal(value) + "::text";
  return filter.type.blank_padded ? padded(literal, filter) : literal;
}

}  // namespace

schema::FilterSide judge_filter(const ColumnFilter& filter, const FilterCondition& condition,
                                std::string_view server_encoding) {
  using schema::FilterSide;
  if (!schema::has_value(condition.op)) return FilterSide::kSource;
  bool evaluates = true;
  switch (*schema::filter_family(filter.type)) {
    case FilterFamily::kText:
      evaluates = evaluates_text(filter, condition, server_encoding);
      break;
    case FilterFamily::kTime:
    case FilterFamily::kInstant:
      evaluates = !has_nanoseconds(condition.value) && !has_nanoseconds(condition.end_value);
      break;
    case FilterFamily::kBytes:
    case FilterFamily::kMonths:
    case FilterFamily::kSeconds:
      evaluates = false;
      break;
    default:
      break;
  }
  return evaluates ? FilterSide::kSource : FilterSide::kEngine;
}

std::string filter_condition(const schema::RowFilter& filter) {
  return schema::filter_sql(filter, {column_text, null_text, literal_text});
}

}  // namespace wherry::postgres
