// The filter on rows in memory against a model that knows nothing of cells: values are what people
// would write, ordered by a rule of one line for each family.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <random>

#include "core/decimal.h"
#include "schema/row_filter.h"

namespace wherry::schema {
namespace {

/// A value as a rule has it, and where it comes in the order of its family.
struct ModelValue {
  std::string text;
  __int128 rank = 0;
};

struct ModelFamily {
  LogicalType type;
  CellKind kind = CellKind::kInt64;
  std::vector<ModelValue> values;
};

LogicalType model_type(TypeKind kind, bool is_padded = false) {
  LogicalType type;
  type.kind = kind;
  type.blank_padded = is_padded;
  return type;
}

ColumnDef model_column(const std::string& name, const LogicalType& type) {
  ColumnDef out;
  out.name = name;
  out.type = type;
  return out;
}

/// Texts in the order in which they are given.
std::vector<ModelValue> in_order(const std::vector<std::string>& texts) {
  std::vector<ModelValue> out;
  for (const std::string& text : texts) {
    out.push_back({text, static_cast<__int128>(out.size())});
  }
  return out;
}

std::vector<ModelFamily> families() {
  const auto numbers = in_order({"-12345678901234567890.5", "-1.5", "-1", "-0.25", "0", "0.1",
                                 "0.11", "1", "2", "10", "1e3", "99999999999999999999999999"});
  const auto texts = in_order({"", " ", "A", "AB", "B", "a", "a ", "ab", "\xC3\xA9", "\xE2\x82\xAC",
                               "\xEF\xBF\xBD", "\xF0\x9F\x98\x80"});
  const auto times = in_order({"0001-01-01", "1999-12-31 23:59:59.999", "2000-01-01",
                               "2000-01-01 00:00:00.000000001", "2000-01-01 00:00:00.001",
                               "2026-11-30T12:13:14", "9999-12-31"});
  return {
      {model_type(TypeKind::kInt32), CellKind::kInt64,
       in_order({"-7", "-1", "0", "3", "10", "4000"})},
      {model_type(TypeKind::kDecimal), CellKind::kDecimal, numbers},
      {model_type(TypeKind::kFloat64), CellKind::kFloat64,
       in_order({"-1e20", "-0.5", "0", "0.25", "7"})},
      {model_type(TypeKind::kFloat32), CellKind::kFloat32,
       in_order({"-3", "-0.5", "0", "0.25", "7"})},
      {model_type(TypeKind::kText), CellKind::kText, texts},
      {model_type(TypeKind::kNative), CellKind::kText, in_order({"10.0.0.1", "{1,2}", "{2}"})},
      {model_type(TypeKind::kRowAddress), CellKind::kText, in_order({"AAAA", "AAAB", "AAAa"})},
      // Padded with blanks, what is below the blank comes before the shorter one.
      {model_type(TypeKind::kText, true), CellKind::kText, in_order({"a\t", "a", "a!", "ab", "b"})},
      {model_type(TypeKind::kTimestamp), CellKind::kTimestamp, times},
      {model_type(TypeKind::kTimestampTz), CellKind::kTimestampTz,
       in_order({"2026-01-01 00:00:00+02:00", "2025-12-31 23:00:00", "2026-01-01 00:00:00-03:00"})},
      {model_type(TypeKind::kBoolean), CellKind::kBool, in_order({"no", "true"})},
      {model_type(TypeKind::kBytes), CellKind::kBytes,
       in_order({"", "00", "0000", "01", "7F", "80", "80ff", "FF"})},
      {model_type(TypeKind::kIntervalYm), CellKind::kIntervalYm,
       in_order({"-10-11", "-0-1", "0-0", "0-11", "1-0", "2-1", "10-0"})},
      {model_type(TypeKind::kIntervalDs), CellKind::kIntervalDs,
       in_order({"-2 00:00:00.5", "-1 23:00:00", "0 00:00:00", "0 00:00:00.000000001", "0 00:00:01",
                 "3 04:05:06.7", "20 00:00:00"})},
  };
}

/// Of "-10-11", without the program's own reader.
std::int64_t months_of(const std::string& text) {
  const bool is_below = text[0] == '-';
  int years = 0, months = 0;
  std::sscanf(text.c_str() + (is_below ? 1 : 0), "%d-%d", &years, &months);
  return (is_below ? -1 : 1) * (years * 12 + months);
}

/// Of "-2 00:00:00.5".
std::int64_t nanos_of(const std::string& text) {
  const bool is_below = text[0] == '-';
  int days = 0, hours = 0, minutes = 0, seconds = 0;
  std::sscanf(text.c_str() + (is_below ? 1 : 0), "%d %d:%d:%d", &days, &hours, &minutes, &seconds);
  std::int64_t out = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  const std::size_t point = text.find('.');
  std::string fraction = point == std::string::npos ? "" : text.substr(point + 1);
  fraction.resize(9, '0');
  out = out * 1'000'000'000 + std::stoll(fraction);
  return is_below ? -out : out;
}

/// The cell that a source would have made of it.
Cell cell_of_text(CellKind kind, const std::string& text, Arena& arena) {
  Cell cell;
  std::memset(&cell, 0, sizeof cell);
  cell.kind = kind;
  cell.state = CellState::kSet;
  const auto point_to = [&](const std::string& bytes) {
    cell.payload.ptr = arena.copy(bytes.data(), bytes.size());
    cell.size_bytes = static_cast<std::uint32_t>(bytes.size());
  };
  switch (kind) {
    case CellKind::kInt64:
      cell.payload.i64 = std::stoll(text);
      break;
    case CellKind::kDecimal:
      cell.payload.ptr = reinterpret_cast<const std::byte*>(parse_decimal(text, arena));
      break;
    case CellKind::kFloat32:
      cell.payload.f32 = std::stof(text);
      break;
    case CellKind::kFloat64:
      cell.payload.f64 = std::stod(text);
      break;
    case CellKind::kBool:
      cell.payload.i64 = text == "true" ? 1 : 0;
      break;
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz:
      cell.payload.i64 = parse_moment(text)->micros;
      cell.nanos = static_cast<std::uint16_t>(parse_moment(text)->nanos);
      break;
    case CellKind::kIntervalYm:
      cell.payload.i64 = months_of(text);
      break;
    case CellKind::kIntervalDs: {
      const std::int64_t nanos = nanos_of(text);
      cell.payload.i64 = nanos / 1'000'000'000;
      cell.extra = static_cast<std::int32_t>(nanos % 1'000'000'000);
      break;
    }
    case CellKind::kBytes: {
      std::string bytes;
      for (std::size_t i = 0; i < text.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
      }
      point_to(bytes);
      break;
    }
    case CellKind::kText:
      point_to(text);
      break;
  }
  return cell;
}

struct ModelCondition {
  FilterOperator op;
  ModelValue low, high;
};

/// SQL's third truth.
using Truth = std::optional<bool>;

Truth model_truth(const ModelCondition& condition, const std::optional<ModelValue>& value) {
  using enum FilterOperator;
  if (condition.op == kNull) return !value;
  if (condition.op == kNotNull) return value.has_value();
  if (!value) return std::nullopt;
  const bool is_between = value->rank >= condition.low.rank && value->rank <= condition.high.rank;
  switch (condition.op) {
    case kAtMost:
      return value->rank <= condition.low.rank;
    case kAtLeast:
      return value->rank >= condition.low.rank;
    case kEqual:
      return value->rank == condition.low.rank;
    case kNotEqual:
      return value->rank != condition.low.rank;
    case kBetween:
      return is_between;
    default:
      return !is_between;
  }
}

Truth both(Truth a, Truth b) {
  if (a == Truth(false) || b == Truth(false)) return false;
  return a && b ? Truth(true) : std::nullopt;
}
Truth either(Truth a, Truth b) {
  if (a == Truth(true) || b == Truth(true)) return true;
  return a && b ? Truth(false) : std::nullopt;
}

/// WHERE (one OR another) AND each of the negative ones.
bool model_takes(const std::vector<ModelCondition>& conditions,
                 const std::optional<ModelValue>& value) {
  Truth one = false, all = true;
  bool has_inclusive = false;
  for (const ModelCondition& condition : conditions) {
    if (is_negative(condition.op)) {
      all = both(all, model_truth(condition, value));
    } else {
      has_inclusive = true;
      one = either(one, model_truth(condition, value));
    }
  }
  return (has_inclusive ? both(one, all) : all) == Truth(true);
}

class FilterModel {
 public:
  explicit FilterModel(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t count) { return random_() % count; }

  ModelCondition condition(const ModelFamily& family) {
    const auto op = static_cast<FilterOperator>(below(8));
    ModelValue low = any(family), high = any(family);
    return {op, low, high};
  }
  const ModelValue& any(const ModelFamily& family) {
    return family.values[below(family.values.size())];
  }
  std::optional<ModelValue> maybe(const ModelFamily& family) {
    return below(5) == 0 ? std::nullopt : std::optional(any(family));
  }

 private:
  std::mt19937 random_;
};

TEST(RowFilterModel, AgreesOnEveryFamilyAndOperator) {
  const std::vector<ModelFamily> all = families();
  FilterModel model(20261201);
  std::map<std::pair<std::size_t, FilterOperator>, int> seen;
  for (int round = 0; round < 12'000; ++round) {
    const std::size_t columns = 1 + model.below(3);
    RowFilter filter;
    std::vector<ColumnDef> definitions;
    std::vector<std::optional<ModelValue>> row;
    std::vector<Cell> cells(columns);
    std::vector<const Cell*> places;
    Arena arena;
    bool is_taken = true;
    std::string told;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::size_t index = model.below(all.size());
      const ModelFamily& family = all[index];
      ColumnFilter& column = filter.emplace_back();
      column.column = "C" + std::to_string(c);
      column.type = family.type;
      std::vector<ModelCondition> conditions;
      for (std::size_t i = 0; i <= model.below(3); ++i) {
        conditions.push_back(model.condition(family));
        const ModelCondition& made = conditions.back();
        column.conditions.push_back({made.op, made.low.text, made.high.text});
        ++seen[{index, made.op}];
        told += std::to_string(static_cast<int>(made.op)) + " " + made.low.text + "|" +
                made.high.text + "; ";
      }
      ASSERT_TRUE(check_filter(column).ok()) << check_filter(column).error().to_paragraph();
      definitions.push_back(model_column(column.column, column.type));
      row.push_back(model.maybe(family));
      is_taken = is_taken && model_takes(conditions, row.back());
      told += row.back() ? "of " + row.back()->text + "\n" : "of NULL\n";
      if (row.back()) {
        cells[c] = cell_of_text(family.kind, row.back()->text, arena);
      } else {
        std::memset(&cells[c], 0, sizeof(Cell));
        cells[c].kind = family.kind;
      }
      places.push_back(&cells[c]);
    }
    const RowFilterTest test(filter, definitions);
    ASSERT_EQ(test.of(places),
              is_taken ? RowFilterTest::Verdict::kPasses : RowFilterTest::Verdict::kFails)
        << told;
  }
  EXPECT_EQ(seen.size(), all.size() * 8);
}

/// What source and engine evaluate apart is what the whole filter says.
TEST(RowFilterModel, PartsTakeTogetherWhatTheWholeTakes) {
  const std::vector<ModelFamily> all = families();
  FilterModel model(7);
  for (int round = 0; round < 4'000; ++round) {
    const ModelFamily& family = all[model.below(all.size())];
    ColumnFilter column{"C", family.type, {}};
    for (std::size_t i = 0; i <= model.below(4); ++i) {
      const ModelCondition made = model.condition(family);
      column.conditions.push_back(
          {made.op, made.low.text, made.high.text, static_cast<FilterSide>(model.below(2))});
    }
    settle_sides(column);
    const RowFilter whole = {column};
    Arena arena;
    const auto value = model.maybe(family);
    Cell cell;
    std::memset(&cell, 0, sizeof cell);
    cell.kind = family.kind;
    if (value) cell = cell_of_text(family.kind, value->text, arena);
    const auto takes = [&](const RowFilter& filter) {
      if (filter.empty()) return true;
      const RowFilterTest test(filter, {model_column("C", family.type)});
      const Cell* const cells[] = {&cell};
      return test.of(cells) == RowFilterTest::Verdict::kPasses;
    };
    ASSERT_EQ(takes(whole), takes(part_of(whole, FilterSide::kSource)) &&
                                takes(part_of(whole, FilterSide::kEngine)));
  }
}

}  // namespace
}  // namespace wherry::schema
