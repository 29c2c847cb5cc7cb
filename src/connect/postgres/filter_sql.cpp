#include "connect/postgres/filter_sql.h"

#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using schema::ColumnFilter;
using schema::FilterFamily;

std::string name_of(const ColumnFilter& filter) {
  return "t." + *schema::quote_identifier(filter.column);
}

/// Collation "C" orders by code point, and whatever a type's own equality is, text is compared.
std::string column_text(const ColumnFilter& filter) {
  const std::string name = name_of(filter);
  switch (*schema::filter_family(filter.type)) {
    case FilterFamily::kText:
      return name + (filter.type.blank_padded ? "::bpchar" : "::text") + " collate \"C\"";
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
      break;
  }
  return schema::quote_literal(value) + (filter.type.blank_padded ? "::bpchar" : "::text");
}

}  // namespace

std::string filter_condition(const schema::RowFilter& filter) {
  return schema::filter_sql(filter, {column_text, name_of, literal_text});
}

}  // namespace wherry::postgres
