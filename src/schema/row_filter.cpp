#include "schema/row_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/truth.h"

namespace wherry::schema {
namespace {

/// More than any engine's numbers have.
constexpr std::size_t kMostDigits = 1000;
/// Year 1: before that literals of engines differ.
constexpr std::int64_t kFirstMicros = -62'135'596'800 * std::int64_t{1'000'000};

bool is_number(const std::string& value) {
  Arena arena;
  const DecimalView* const number = parse_decimal(value, arena);
  if (number == nullptr) return false;
  const bool is_finite =
      number->sign == DecimalSign::kPositive || number->sign == DecimalSign::kNegative;
  return is_finite && to_text(*number).size() <= kMostDigits;
}

std::optional<unsigned> hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  const char lower = static_cast<char>(digit | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a') + 10;
  return std::nullopt;
}

bool is_hexadecimal(const std::string& value) {
  return value.size() % 2 == 0 &&
         std::all_of(value.begin(), value.end(), [](char c) { return hex_value(c).has_value(); });
}

/// With a sign, and months of two digits, as intervals are printed.
std::optional<std::int64_t> months_in(const std::string& value) {
  std::string text = value.starts_with('-') || value.starts_with('+') ? value : "+" + value;
  const bool has_one_digit = text.size() > 2 && text[text.size() - 2] == '-';
  if (has_one_digit) text.insert(text.size() - 1, "0");
  return parse_interval_ym(text);
}

std::optional<ParsedSeconds> seconds_in(const std::string& value) {
  return parse_interval_ds(value.starts_with('-') || value.starts_with('+') ? value : "+" + value);
}

bool is_value_of(FilterFamily family, const std::string& value) {
  switch (family) {
    case FilterFamily::kNumber:
    case FilterFamily::kFloat:
      return is_number(value);
    case FilterFamily::kText:
      // No column has U+0000 after the load.
      return value.find('\0') == std::string::npos;
    case FilterFamily::kTime:
    case FilterFamily::kInstant:
      return parse_moment(value).has_value() && parse_moment(value)->micros >= kFirstMicros;
    case FilterFamily::kTruth:
      return parse_truth(value).has_value();
    case FilterFamily::kBytes:
      return is_hexadecimal(value);
    case FilterFamily::kMonths:
      return months_in(value).has_value();
    case FilterFamily::kSeconds:
      return seconds_in(value).has_value();
  }
  return false;
}

std::string condition_sql(const ColumnFilter& filter, const FilterCondition& condition,
                          const FilterDialect& dialect) {
  if (!has_value(condition.op)) {
    return dialect.null_test(filter, condition.op == FilterOperator::kNull);
  }
  const std::string column = dialect.column(filter);
  const auto literal = [&] { return dialect.literal(filter, condition.value); };
  const auto range = [&] {
    return literal() + " and " + dialect.literal(filter, condition.end_value);
  };
  switch (condition.op) {
    case FilterOperator::kAtMost:
      return column + " <= " + literal();
    case FilterOperator::kAtLeast:
      return column + " >= " + literal();
    case FilterOperator::kEqual:
      return column + " = " + literal();
    case FilterOperator::kNotEqual:
      return column + " <> " + literal();
    case FilterOperator::kBetween:
      return column + " between " + range();
    case FilterOperator::kNotBetween:
      return column + " not between " + range();
    case FilterOperator::kNull:
    case FilterOperator::kNotNull:
      break;
  }
  return {};
}

std::string column_sql(const ColumnFilter& filter, const FilterDialect& dialect) {
  std::string one_of, all;
  for (const FilterCondition& condition : filter.conditions) {
    std::string& group = is_negative(condition.op) ? all : one_of;
    if (!group.empty()) group += is_negative(condition.op) ? " and " : " or ";
    group += condition_sql(filter, condition, dialect);
  }
  if (one_of.empty() || all.empty()) return "(" + one_of + all + ")";
  return "((" + one_of + ") and " + all + ")";
}

Error bad_filter(const ColumnFilter& filter, const std::string& what, const char* hint) {
  return make_error(ErrorKind::kConfig, "plan.bad_filter", what, hint)
      .with("column", filter.column);
}

}  // namespace

void settle_sides(ColumnFilter& filter) {
  const bool is_split =
      std::any_of(filter.conditions.begin(), filter.conditions.end(), [](const auto& condition) {
        return !is_negative(condition.op) && condition.side == FilterSide::kEngine;
      });
  if (!is_split) return;
  for (FilterCondition& condition : filter.conditions) {
    if (!is_negative(condition.op)) condition.side = FilterSide::kEngine;
  }
}

RowFilter part_of(const RowFilter& filter, FilterSide side) {
  RowFilter out;
  for (const ColumnFilter& each : filter) {
    ColumnFilter part = each;
    std::erase_if(part.conditions, [&](const auto& condition) { return condition.side != side; });
    if (!part.conditions.empty()) out.push_back(std::move(part));
  }
  return out;
}

std::optional<FilterFamily> filter_family(const LogicalType& type) {
  switch (type.kind) {
    case TypeKind::kInt16:
    case TypeKind::kInt32:
    case TypeKind::kInt64:
    case TypeKind::kDecimal:
      return FilterFamily::kNumber;
    case TypeKind::kFloat32:
    case TypeKind::kFloat64:
      return FilterFamily::kFloat;
    case TypeKind::kText:
    case TypeKind::kClob:
    case TypeKind::kRowAddress:
    case TypeKind::kTimeOfDay:
    case TypeKind::kNative:
      return FilterFamily::kText;
    case TypeKind::kTimestamp:
    case TypeKind::kDate:
      return FilterFamily::kTime;
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampLtz:
      return FilterFamily::kInstant;
    case TypeKind::kBoolean:
      return FilterFamily::kTruth;
    case TypeKind::kBytes:
      return FilterFamily::kBytes;
    case TypeKind::kIntervalYm:
      return FilterFamily::kMonths;
    case TypeKind::kIntervalDs:
      return FilterFamily::kSeconds;
    case TypeKind::kBlob:
    case TypeKind::kXml:
    case TypeKind::kJson:
    case TypeKind::kUnsupported:
      break;
  }
  return std::nullopt;
}

Result<void> check_filter(const ColumnFilter& filter) {
  if (filter.type.kind == TypeKind::kUnsupported) {
    return bad_filter(filter, "a filter asks for a column whose type nobody reads",
                      "Filter by another column");
  }
  const auto family = filter_family(filter.type);
  for (const FilterCondition& condition : filter.conditions) {
    if (!has_value(condition.op)) continue;
    if (!family) {
      return bad_filter(filter,
                        "a filter compares a column of type " + describe(filter.type) +
                            ": large objects are not compared",
                        "Filter by another column, or by null or notnull alone");
    }
    for (const std::string* value : {&condition.value, &condition.end_value}) {
      if (value == &condition.end_value && !is_range(condition.op)) continue;
      if (is_value_of(*family, *value)) continue;
      return bad_filter(
          filter, "a filter's value '" + *value + "' is no value of type " + describe(filter.type),
          "Dates are written 2026-11-30 or 2026-11-30 12:13:14.123, bytes in hexadecimal digits, "
          "intervals 1-2 or 3 04:05:06.7");
    }
  }
  return {};
}

std::string filter_sql(const RowFilter& filter, const FilterDialect& dialect) {
  std::string out;
  for (const ColumnFilter& each : filter) {
    out += (out.empty() ? "" : " and ") + column_sql(each, dialect);
  }
  return out;
}

std::string plain_number(const std::string& value) {
  Arena arena;
  return to_text(*parse_decimal(value, arena));
}

std::string plain_time(const std::string& value) {
  constexpr int kMicroseconds = 6, kNanoseconds = 9;
  const ParsedTimestamp time = *parse_moment(value);
  std::string out(kTimeTextBytes, '\0');
  out.resize(format_timestamp(out.data(), time.micros, time.nanos,
                              time.nanos == 0 ? kMicroseconds : kNanoseconds));
  return out;
}

bool plain_truth(const std::string& value) {
  return *parse_truth(value);
}

std::string plain_bytes(const std::string& value) {
  std::string out;
  for (std::size_t i = 0; i + 1 < value.size(); i += 2) {
    out += static_cast<char>(*hex_value(value[i]) * 16 + *hex_value(value[i + 1]));
  }
  return out;
}

std::int64_t plain_months(const std::string& value) {
  return *months_in(value);
}

ParsedSeconds plain_seconds(const std::string& value) {
  return *seconds_in(value);
}

std::string seconds_text(const std::string& value) {
  const ParsedSeconds parsed = plain_seconds(value);
  const bool is_negative_value = parsed.seconds < 0 || parsed.nanos < 0;
  return fmt::format("{}{}.{:09}", is_negative_value ? "-" : "", std::abs(parsed.seconds),
                     std::abs(parsed.nanos));
}

}  // namespace wherry::schema
