// The filter on rows that are in memory.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/spill_file.h"
#include "schema/row_filter.h"

namespace wherry::schema {
namespace {

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

/// Whether cells of that kind have values of the family.
bool has_kind(FilterFamily family, CellKind kind) {
  switch (family) {
    case FilterFamily::kNumber:
      return kind == CellKind::kInt64 || kind == CellKind::kDecimal;
    case FilterFamily::kFloat:
      return kind == CellKind::kFloat32 || kind == CellKind::kFloat64;
    case FilterFamily::kText:
      return kind == CellKind::kText;
    case FilterFamily::kTime:
      return kind == CellKind::kTimestamp;
    case FilterFamily::kInstant:
      return kind == CellKind::kTimestampTz;
    case FilterFamily::kTruth:
      return kind == CellKind::kBool;
    case FilterFamily::kBytes:
      return kind == CellKind::kBytes;
    case FilterFamily::kMonths:
      return kind == CellKind::kIntervalYm;
    case FilterFamily::kSeconds:
      return kind == CellKind::kIntervalDs;
  }
  return false;
}

/// As much of a text on disk as a comparison with `bound` can depend on; nullopt: it is not there.
std::optional<Cell> beginning_of(const Cell& cell, std::size_t bound_bytes, Arena& arena) {
  const auto& value = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
  if (value.file == nullptr) return std::nullopt;
  const std::size_t size = std::min<std::size_t>(value.size_bytes, bound_bytes + 1);
  std::byte* const bytes = arena.allocate(size);
  const auto got = value.file->read(value.offset_bytes, {bytes, size});
  if (!got.ok() || *got != size) return std::nullopt;
  Cell out = cell;
  out.state = CellState::kSet;
  out.payload.ptr = bytes;
  out.size_bytes = static_cast<std::uint32_t>(size);
  return out;
}

RowFilterTest::Places places_in(const RowFilter& filter, const std::vector<ColumnDef>& columns) {
  RowFilterTest::Places out;
  for (const ColumnFilter& each : filter) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnDef& column) {
      return column.name == each.column;
    });
    // Of another family the values could not be compared.
    const bool is_same =
        found != columns.end() && filter_family(found->type) == filter_family(each.type);
    out.push_back(is_same ? std::optional(static_cast<std::size_t>(found - columns.begin()))
                          : std::nullopt);
  }
  return out;
}

}  // namespace

RowFilterTest::RowFilterTest(const RowFilter& filter, const std::vector<ColumnDef>& columns)
    : RowFilterTest(filter, places_in(filter, columns)) {}

RowFilterTest::RowFilterTest(const RowFilter& filter, Places places) : columns_(std::move(places)) {
  for (const ColumnFilter& each : filter) {
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
      out.truth = plain_truth(value);
      break;
    case FilterFamily::kBytes:
      out.text = plain_bytes(value);
      break;
    case FilterFamily::kMonths:
      out.months = plain_months(value);
      break;
    case FilterFamily::kSeconds:
      out.seconds = plain_seconds(value);
      break;
    case FilterFamily::kText:
      break;
  }
  return out;
}

RowFilterTest::Verdict RowFilterTest::of(std::span<const Cell* const> cells) const {
  scratch_.reset();
  Truth all = Truth::kTrue;
  for (std::size_t i = 0; i < parts_.size() && all != Truth::kFalse; ++i) {
    all = std::min(all, of_part(parts_[i], cells[i]));
  }
  return all == Truth::kTrue    ? Verdict::kPasses
         : all == Truth::kFalse ? Verdict::kFails
                                : Verdict::kUnknown;
}

/// One of the inclusive conditions must hold, and all of the negative ones.
RowFilterTest::Truth RowFilterTest::of_part(const Part& part, const Cell* cell) const {
  Truth all = Truth::kTrue, one = Truth::kFalse;
  bool has_inclusive = false;
  for (const Condition& condition : part.conditions) {
    const Truth truth = of_condition(part, condition, cell);
    if (is_negative(condition.op)) {
      all = std::min(all, truth);
    } else {
      has_inclusive = true;
      one = std::max(one, truth);
    }
  }
  return has_inclusive ? std::min(all, one) : all;
}

/// Comparisons with NULL do not hold, as at the top of a WHERE.
RowFilterTest::Truth RowFilterTest::of_condition(const Part& part, const Condition& condition,
                                                 const Cell* cell) const {
  const auto truth_of = [](bool is_true) { return is_true ? Truth::kTrue : Truth::kFalse; };
  if (cell == nullptr || cell->state == CellState::kUnchanged) return Truth::kUnknown;
  if (condition.op == FilterOperator::kNull) return truth_of(cell->is_null());
  if (condition.op == FilterOperator::kNotNull) return truth_of(!cell->is_null());
  if (cell->is_null()) return Truth::kFalse;
  if (!has_kind(part.family, cell->kind)) return Truth::kUnknown;
  if (cell->state == CellState::kSpilled && part.family == FilterFamily::kText) {
    const std::size_t longest = std::max(condition.low.text.size(), condition.high.text.size());
    const auto beginning = beginning_of(*cell, longest, scratch_);
    return beginning ? truth_of(holds(part, condition, *beginning)) : Truth::kUnknown;
  }
  return cell->state == CellState::kSet ? truth_of(holds(part, condition, *cell)) : Truth::kUnknown;
}

bool RowFilterTest::holds(const Part& part, const Condition& condition, const Cell& cell) const {
  const int low = compare(part, cell, condition.low);
  switch (condition.op) {
    case FilterOperator::kAtMost:
      return low <= 0;
    case FilterOperator::kAtLeast:
      return low >= 0;
    case FilterOperator::kEqual:
      return low == 0;
    case FilterOperator::kNotEqual:
      return low != 0;
    case FilterOperator::kBetween:
      return low >= 0 && compare(part, cell, condition.high) <= 0;
    case FilterOperator::kNotBetween:
      return low < 0 || compare(part, cell, condition.high) > 0;
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
    case CellKind::kIntervalYm:
      return three_way(cell.payload.i64, bound.months);
    case CellKind::kIntervalDs: {
      const int c = three_way(cell.payload.i64, bound.seconds.seconds);
      return c != 0 ? c : three_way<int>(cell.extra, bound.seconds.nanos);
    }
    case CellKind::kText:
    case CellKind::kBytes:
      break;
  }
  return part.is_padded ? compare_padded(cell.bytes(), bound.text)
                        : cell.bytes().compare(bound.text);
}

}  // namespace wherry::schema
