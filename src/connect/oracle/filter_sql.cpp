#include "connect/oracle/filter_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace wherry::oracle {
namespace {

using schema::ColumnFilter;
using schema::FilterFamily;

/// AL32UTF8, whose bytes have the order of code points, and UTF8, whose have it but for characters
/// beyond U+FFFF. Numbers as NLS_CHARSET_ID gives them.
constexpr std::uint16_t kAl32Utf8 = 873, kUtf8 = 871;
/// Character sets of one byte a character whose first half is ASCII: whatever else they have comes
/// after ASCII, as it does in Unicode. Source: Oracle Database Globalization Support Guide,
/// appendix A: US7ASCII, WE8DEC, ISO 8859 and Windows.
constexpr std::array<std::uint16_t, 23> kAsciiCharsets = {1,   2,   31,  32,  33,  34,  35, 36,
                                                          37,  38,  39,  40,  41,  46,  47, 48,
                                                          170, 171, 174, 175, 177, 178, 179};
/// Of a text literal; shorter than Oracle's 4000, as its character set may need more.
constexpr std::size_t kMostLiteralBytes = 1000;
/// More would be rounded.
constexpr std::size_t kMostDigits = 38;

bool is_ordering(const schema::FilterCondition& condition) {
  return condition.op != schema::FilterOperator::kEqual &&
         condition.op != schema::FilterOperator::kNotEqual;
}

bool is_text(const ColumnFilter& filter) {
  return schema::filter_family(filter.type) == FilterFamily::kText;
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool has_room_for_digits(const std::string& value) {
  const std::string text = schema::plain_number(value);
  const auto digits =
      std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return static_cast<std::size_t>(digits) <= kMostDigits;
}

/// What the database's character set does not have would become something else in a literal.
bool has_same_text(const std::string& value, std::uint16_t charset) {
  const bool is_unicode = charset == kAl32Utf8 || charset == kUtf8;
  return value.size() <= kMostLiteralBytes && (is_unicode || is_ascii(value));
}

/// Whether texts come before and after the value as they do by code points.
bool has_same_order(const std::string& value, std::uint16_t charset) {
  if (charset == kAl32Utf8) return true;
  return is_ascii(value) &&
         (charset == kUtf8 ||
          std::find(kAsciiCharsets.begin(), kAsciiCharsets.end(), charset) != kAsciiCharsets.end());
}

bool evaluates_text(const ColumnFilter& filter, const schema::FilterCondition& condition,
                    std::uint16_t charset) {
  if (filter.type.kind == schema::TypeKind::kRowAddress) return false;
  // TO_CHAR makes VARCHAR2 of NCHAR, which is not compared as padded.
  if (filter.type.national && (charset != kAl32Utf8 || filter.type.blank_padded)) return false;
  for (const std::string* value : {&condition.value, &condition.end_value}) {
    if (!has_same_text(*value, charset)) return false;
    if (is_ordering(condition) && !has_same_order(*value, charset)) return false;
  }
  return true;
}

bool evaluates(const ColumnFilter& filter, const schema::FilterCondition& condition,
               std::uint16_t charset) {
  const bool is_range = schema::is_range(condition.op);
  switch (*schema::filter_family(filter.type)) {
    case FilterFamily::kText:
      return evaluates_text(filter, condition, charset);
    case FilterFamily::kNumber:
    case FilterFamily::kFloat:
      return has_room_for_digits(condition.value) &&
             (!is_range || has_room_for_digits(condition.end_value));
    case FilterFamily::kTruth:
      return !is_ordering(condition);
    case FilterFamily::kBytes:
      return !condition.value.empty() && condition.value.size() <= kMostLiteralBytes &&
             (!is_range ||
              (!condition.end_value.empty() && condition.end_value.size() <= kMostLiteralBytes));
    case FilterFamily::kTime:
    case FilterFamily::kInstant:
    case FilterFamily::kMonths:
    case FilterFamily::kSeconds:
      break;
  }
  return true;
}

/// No name of Oracle's has a quotation mark (ORA-03001).
std::string quoted_name(const ColumnFilter& filter) {
  return fmt::format("\"{}\"", filter.column);
}

std::string null_text(const ColumnFilter& filter, bool is_null) {
  return quoted_name(filter) + (is_null ? " is null" : " is not null");
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
    case FilterFamily::kBytes:
      return "hextoraw('" + value + "')";
    case FilterFamily::kMonths:
      return fmt::format("numtoyminterval({}, 'MONTH')", schema::plain_months(value));
    case FilterFamily::kSeconds:
      return "numtodsinterval(" + schema::seconds_text(value) + ", 'SECOND')";
    case FilterFamily::kText:
      break;
  }
  return quoted(value);
}

}  // namespace

Result<schema::FilterSide> judge_filter(const ColumnFilter& filter,
                                        const schema::FilterCondition& condition,
                                        std::uint16_t database_charset) {
  if (!schema::has_value(condition.op)) return schema::FilterSide::kSource;
  if (schema::is_lob(filter.type)) {
    return make_error(ErrorKind::kSchema, "oracle.filter_type",
                      "a filter compares a large object, which Oracle cannot",
                      "Filter by another column, or by null or notnull alone")
        .with("column", filter.column);
  }
  const bool is_empty =
      condition.value.empty() || (schema::is_range(condition.op) && condition.end_value.empty());
  if (is_text(filter) && is_empty) {
    return make_error(ErrorKind::kSchema, "oracle.filter_empty",
                      "a filter compares with the empty text '', which is NULL to Oracle",
                      "Use null or notnull")
        .with("column", filter.column);
  }
  return evaluates(filter, condition, database_charset) ? schema::FilterSide::kSource
                                                        : schema::FilterSide::kEngine;
}

Result<void> check_source_filter(const schema::RowFilter& filter, std::uint16_t database_charset) {
  for (const ColumnFilter& each : filter) {
    for (const schema::FilterCondition& condition : each.conditions) {
      WHERRY_ASSIGN(const schema::FilterSide side, judge_filter(each, condition, database_charset));
      if (side == schema::FilterSide::kSource) continue;
      return make_error(ErrorKind::kSchema, "oracle.filter_side",
                        "the table's plan has Oracle evaluate a filter that it evaluates otherwise",
                        "Load the table again")
          .with("column", each.column);
    }
  }
  return {};
}

std::string filter_condition(const schema::RowFilter& filter) {
  return schema::filter_sql(filter, {column_text, null_text, literal_text});
}

}  // namespace wherry::oracle
