#include "schema/row_filter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/truth.h"

namespace wherry::schema {
namespace {

/// More digits than that are no value of Oracle's NUMBER, whose literals would be rounded.
constexpr std::size_t kMostDigits = 38;
/// Year 1: before that literals of engines differ.
constexpr std::int64_t kFirstMicros = -62'135'596'800 * std::int64_t{1'000'000};

bool is_number(const std::string& value) {
  Arena arena;
  const DecimalView* const number = parse_decimal(value, arena);
  if (number == nullptr) return false;
  const bool is_finite =
      number->sign == DecimalSign::kPositive || number->sign == DecimalSign::kNegative;
  if (!is_finite) return false;
  const std::string text = to_text(*number);
  const auto digits =
      std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return static_cast<std::size_t>(digits) <= kMostDigits;
}

bool is_value_of(FilterFamily family, const std::string& value) {
  switch (family) {
    case FilterFamily::kNumber:
    case FilterFamily::kFloat:
      return is_number(value);
    case FilterFamily::kText:
      // Oracle takes the empty text for NULL, and no column has U+0000 after the load.
      return !value.empty() && value.find('\0') == std::string::npos;
    case FilterFamily::kTime:
    case FilterFamily::kInstant:
      return parse_moment(value).has_value() && parse_moment(value)->micros >= kFirstMicros;
    case FilterFamily::kTruth:
      return parse_truth(value).has_value();
  }
  return false;
}

std::string condition_sql(const ColumnFilter& filter, const FilterCondition& condition,
                          const FilterDialect& dialect) {
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
      return dialect.plain_column(filter) + " is null";
    case FilterOperator::kNotNull:
      return dialect.plain_column(filter) + " is not null";
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

std::string_view without_blanks(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// As blank-padded types are compared: the shorter one has blanks at its end.
int compare_padded(std::string_view a, std::string_view b) {
  a = without_blanks(a);
  b = without_blanks(b);
  const std::size_t common = std::min(a.size(), b.size());
  if (const int c = a.substr(0, common).compare(b.substr(0, common)); c != 0) return c;
  const auto rest_against_blank = [common](std::string_view text) {
    return text.size() == common ? 0
                                 : static_cast<int>(static_cast<unsigned char>(text[common])) - ' ';
  };
  return rest_against_blank(a) - rest_against_blank(b);
}

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

/// NaN is the greatest, to Oracle as to PostgreSQL.
int compare_floats(double a, double b) {
  return std::isnan(a) ? 1 : three_way(a, b);
}

double to_float(const std::string& number) {
  double out = 0;
  std::from_chars(number.data(), number.data() + number.size(), out);
  return out;
}

bool is_there(const Cell* cell) {
  return cell != nullptr && (cell->state == CellState::kSet || cell->state == CellState::kNull);
}

}  // namespace

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
      return FilterFamily::kText;
    case TypeKind::kTimestamp:
      return FilterFamily::kTime;
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampLtz:
      return FilterFamily::kInstant;
    case TypeKind::kBoolean:
      return FilterFamily::kTruth;
    default:
      return std::nullopt;
  }
}

Result<void> check_filter(const ColumnFilter& filter) {
  const auto bad = [&](const std::string& what, const char* hint) {
    return make_error(ErrorKind::kConfig, "plan.bad_filter", what, hint)
        .with("column", filter.column);
  };
  const auto family = filter_family(filter.type);
  for (const FilterCondition& condition : filter.conditions) {
    if (!has_value(condition.op)) continue;
    if (!family) {
      return bad("a filter compares a column of type " + describe(filter.type) +
                     ", which has no values to compare with",
                 "Filter by another column, or by null or notnull alone");
    }
    if (*family == FilterFamily::kTruth && condition.op != FilterOperator::kEqual &&
        condition.op != FilterOperator::kNotEqual) {
      return bad("a filter orders a column of true and false", "Use eq or noteq");
    }
    for (const std::string* value : {&condition.value, &condition.end_value}) {
      if (value == &condition.end_value && !is_range(condition.op)) continue;
      if (is_value_of(*family, *value)) continue;
      return bad("a filter's value '" + *value + "' is no value of type " + describe(filter.type),
                 "Numbers have up to 38 digits, dates are written 2026-11-30 or 2026-11-30 "
                 "12:13:14.123, text is not empty");
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

RowFilterTest::RowFilterTest(const RowFilter& filter, const std::vector<ColumnDef>& columns) {
  for (const ColumnFilter& each : filter) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnDef& column) {
      return column.name == each.column;
    });
    // Of another family the values could not be compared.
    const bool is_same =
        found != columns.end() && filter_family(found->type) == filter_family(each.type);
    columns_.push_back(is_same ? std::optional(static_cast<std::size_t>(found - columns.begin()))
                               : std::nullopt);
    // Of a type without values nothing but NULL is asked.
    Part& part = parts_.emplace_back();
    part.family = filter_family(each.type).value_or(FilterFamily::kText);
    part.is_padded = each.type.blank_padded;
    for (const FilterCondition& condition : each.conditions) {
      Condition& made = part.conditions.emplace_back();
      made.op = condition.op;
      if (has_value(condition.op)) made.low = bound_of(part.family, condition.value);
      if (is_range(condition.op)) made.high = bound_of(part.family, condition.end_value);
    }
  }
}

RowFilterTest::Bound RowFilterTest::bound_of(FilterFamily family, const std::string& value) {
  Bound out;
  out.text = value;
  switch (family) {
    case FilterFamily::kNumber:
    case FilterFamily::kFloat:
      out.number = parse_decimal(value, constants_);
      out.number_float = to_float(plain_number(value));
      break;
    case FilterFamily::kTime:
    case FilterFamily::kInstant:
      out.time = *parse_moment(value);
      break;
    case FilterFamily::kTruth:
      out.truth = *parse_truth(value);
      break;
    case FilterFamily::kText:
      break;
  }
  return out;
}

RowFilterTest::Verdict RowFilterTest::of(std::span<const Cell* const> cells) const {
  for (const Cell* cell : cells) {
    if (!is_there(cell)) return Verdict::kUnknown;
  }
  scratch_.reset();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    bool has_inclusive = false, one_holds = false;
    for (const Condition& condition : parts_[i].conditions) {
      const bool is_true = holds(parts_[i], condition, *cells[i]);
      if (is_negative(condition.op)) {
        if (!is_true) return Verdict::kFails;
      } else {
        has_inclusive = true;
        one_holds = one_holds || is_true;
      }
    }
    if (has_inclusive && !one_holds) return Verdict::kFails;
  }
  return Verdict::kPasses;
}

/// Comparisons with NULL do not hold, as at the top of a WHERE.
bool RowFilterTest::holds(const Part& part, const Condition& condition, const Cell& cell) const {
  if (condition.op == FilterOperator::kNull) return cell.is_null();
  if (cell.is_null()) return false;
  switch (condition.op) {
    case FilterOperator::kAtMost:
      return compare(part, cell, condition.low) <= 0;
    case FilterOperator::kAtLeast:
      return compare(part, cell, condition.low) >= 0;
    case FilterOperator::kEqual:
      return compare(part, cell, condition.low) == 0;
    case FilterOperator::kNotEqual:
      return compare(part, cell, condition.low) != 0;
    case FilterOperator::kBetween:
      return compare(part, cell, condition.low) >= 0 && compare(part, cell, condition.high) <= 0;
    case FilterOperator::kNotBetween:
      return compare(part, cell, condition.low) < 0 || compare(part, cell, condition.high) > 0;
    case FilterOperator::kNull:
    case FilterOperator::kNotNull:
      break;
  }
  return true;
}

int RowFilterTest::compare(const Part& part, const Cell& cell, const Bound& bound) const {
  switch (cell.kind) {
    case CellKind::kBool:
      return three_way(cell.payload.i64 != 0, bound.truth);
    case CellKind::kInt64:
      return wherry::compare(*decimal_from_int(cell.payload.i64, scratch_), *bound.number);
    case CellKind::kDecimal:
      return wherry::compare(decimal_of(cell), *bound.number);
    case CellKind::kFloat32:
      return compare_floats(static_cast<double>(cell.payload.f32), bound.number_float);
    case CellKind::kFloat64:
      return compare_floats(cell.payload.f64, bound.number_float);
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz: {
      const int c = three_way(cell.payload.i64, bound.time.micros);
      return c != 0 ? c : three_way<unsigned>(cell.nanos, bound.time.nanos);
    }
    default:
      return part.is_padded ? compare_padded(cell.bytes(), bound.text)
                            : cell.bytes().compare(bound.text);
  }
}

}  // namespace wherry::schema
