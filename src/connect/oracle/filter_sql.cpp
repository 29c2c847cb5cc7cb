#include "connect/oracle/filter_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace wherry::oracle {
namespace {

using schema::ColumnFilter;
using schema::FilterFamily;

/// US7ASCII, WE8ISO8859P1 and AL32UTF8: their bytes have the order of code points. Source: Oracle
/// Database Globalization Support Guide, appendix A; numbers as python-oracledb has them.
constexpr std::array<std::uint16_t, 3> kOrderedCharsets = {1, 31, 873};

bool orders(const schema::FilterCondition& condition) {
  return schema::has_value(condition.op) && condition.op != schema::FilterOperator::kEqual &&
         condition.op != schema::FilterOperator::kNotEqual;
}

bool is_text(const ColumnFilter& filter) {
  return schema::filter_family(filter.type) == FilterFamily::kText;
}

/// No name of Oracle's has a quotation mark (ORA-03001).
std::string quoted_name(const ColumnFilter& filter) {
  return fmt::format("\"{}\"", filter.column);
}

std::string column_text(const ColumnFilter& filter) {
  std::string name = quoted_name(filter);
  if (is_text(filter) && filter.type.national) return "to_char(" + name + ")";
  if (filter.type.kind == schema::TypeKind::kFloat32) return "to_binary_double(" + name + ")";
  return name;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string literal_text(const ColumnFilter& filter, const std::string& value) {
  switch (*schema::filter_family(filter.type)) {
    case FilterFamily::kNumber:
      return schema::plain_number(value);
    case FilterFamily::kFloat:
      return "to_binary_double(" + schema::plain_number(value) + ")";
    case FilterFamily::kTime:
      return "timestamp '" + schema::plain_time(value) + "'";
    case FilterFamily::kInstant:
      return "timestamp '" + schema::plain_time(value) + " +00:00'";
    case FilterFamily::kTruth:
      return schema::plain_truth(value) ? "true" : "false";
    case FilterFamily::kText:
      break;
  }
  return quoted(value);
}

}  // namespace

Result<void> check_filter(const schema::RowFilter& filter, std::uint16_t database_charset) {
  const bool is_ordered = std::find(kOrderedCharsets.begin(), kOrderedCharsets.end(),
                                    database_charset) != kOrderedCharsets.end();
  for (const ColumnFilter& each : filter) {
    const bool compares =
        std::any_of(each.conditions.begin(), each.conditions.end(),
                    [](const auto& condition) { return schema::has_value(condition.op); });
    if (compares && schema::is_lob(each.type)) {
      return make_error(ErrorKind::kSchema, "oracle.filter_type",
                        "a filter compares a large object, which Oracle cannot",
                        "Filter by another column, or by null or notnull alone")
          .with("column", each.column);
    }
    const bool orders_text =
        is_text(each) && std::any_of(each.conditions.begin(), each.conditions.end(), orders);
    if (!orders_text || is_ordered) continue;
    return make_error(ErrorKind::kSchema, "oracle.filter_order",
                      "a filter orders text, and the database's character set has another order "
                      "than Unicode",
                      "Filter text by eq or noteq, or use another column")
        .with("column", each.column);
  }
  return {};
}

std::string filter_condition(const schema::RowFilter& filter) {
  return schema::filter_sql(filter, {column_text, quoted_name, literal_text});
}

}  // namespace wherry::oracle
