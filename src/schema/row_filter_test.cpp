#include "schema/row_filter.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "core/spill_file.h"

namespace wherry::schema {
namespace {

using Verdict = RowFilterTest::Verdict;

LogicalType type_of(TypeKind kind) {
  LogicalType type;
  type.kind = kind;
  return type;
}

std::vector<ColumnDef> column(const LogicalType& type) {
  ColumnDef out;
  out.name = "C";
  out.type = type;
  return {out};
}

Cell cell_of(CellKind kind, CellState state = CellState::kSet) {
  Cell cell;
  std::memset(&cell, 0, sizeof cell);
  cell.kind = kind;
  cell.state = state;
  return cell;
}
Cell integer(std::int64_t value) {
  Cell cell = cell_of(CellKind::kInt64);
  cell.payload.i64 = value;
  return cell;
}
Cell text(std::string_view value) {
  Cell cell = cell_of(CellKind::kText);
  cell.payload.ptr = reinterpret_cast<const std::byte*>(value.data());
  cell.size_bytes = static_cast<std::uint32_t>(value.size());
  return cell;
}
Cell null_cell() {
  return cell_of(CellKind::kInt64, CellState::kNull);
}

Verdict verdict(const RowFilter& filter, const Cell& cell) {
  const RowFilterTest test(filter, column(filter[0].type));
  const Cell* const cells[] = {&cell};
  return test.of(cells);
}
bool passes(const RowFilter& filter, const Cell& cell) {
  return verdict(filter, cell) == Verdict::kPasses;
}
RowFilter integers(std::vector<FilterCondition> conditions) {
  return {{"C", type_of(TypeKind::kInt32), std::move(conditions)}};
}

// Reference dms-table-mapping, section 4: what the documentation says of conditions together.
TEST(RowFilter, CombinesConditionsAsDocumented) {
  using enum FilterOperator;
  const RowFilter ranges =
      integers({{kAtMost, "10", ""}, {kBetween, "50", "75"}, {kAtLeast, "100", ""}});
  for (const int value : {-5, 10, 50, 75, 100, 1000}) EXPECT_TRUE(passes(ranges, integer(value)));
  for (const int value : {11, 49, 76, 99}) EXPECT_FALSE(passes(ranges, integer(value)));
  EXPECT_FALSE(passes(ranges, null_cell()));

  EXPECT_FALSE(passes(integers({{kNotEqual, "50", ""}}), null_cell()));
  EXPECT_TRUE(passes(integers({{kNotEqual, "50", ""}}), integer(51)));
  const RowFilter outside = integers({{kNotBetween, "50", "75"}});
  EXPECT_TRUE(passes(outside, integer(49)) && passes(outside, integer(76)));
  EXPECT_FALSE(passes(outside, integer(50)) || passes(outside, integer(75)));

  const RowFilter null_or_five = integers({{kNull, "", ""}, {kEqual, "5", ""}});
  EXPECT_TRUE(passes(null_or_five, null_cell()) && passes(null_or_five, integer(5)));
  EXPECT_FALSE(passes(null_or_five, integer(6)));
  const RowFilter none = integers({{kNull, "", ""}, {kNotEqual, "5", ""}});
  EXPECT_FALSE(passes(none, null_cell()) || passes(none, integer(6)));
  const RowFilter mixed = integers({{kAtLeast, "0", ""}, {kNotEqual, "7", ""}});
  EXPECT_TRUE(passes(mixed, integer(8)));
  EXPECT_FALSE(passes(mixed, integer(7)) || passes(mixed, integer(-1)));
  EXPECT_TRUE(passes(integers({{kNotNull, "", ""}}), integer(0)));
  EXPECT_FALSE(passes(integers({{kNotNull, "", ""}}), null_cell()));
}

TEST(RowFilter, ComparesByTheColumnsType) {
  using enum FilterOperator;
  // As numbers, not as text.
  EXPECT_TRUE(passes(integers({{kAtLeast, "9", ""}}), integer(10)));
  EXPECT_TRUE(passes(integers({{kAtMost, "1e1", ""}}), integer(10)));
  Arena arena;
  Cell decimal = cell_of(CellKind::kDecimal);
  decimal.payload.ptr =
      reinterpret_cast<const std::byte*>(parse_decimal("123456789012345678901234567890.5", arena));
  const RowFilter exact = {
      {"C", type_of(TypeKind::kDecimal), {{kEqual, "123456789012345678901234567890.50", ""}}}};
  EXPECT_TRUE(passes(exact, decimal));

  LogicalType words = type_of(TypeKind::kText);
  EXPECT_TRUE(passes({{"C", words, {{kAtLeast, "Z", ""}}}}, text("a"))) << "by code point";
  EXPECT_FALSE(passes({{"C", words, {{kEqual, "x", ""}}}}, text("x ")));
  EXPECT_TRUE(passes({{"C", words, {{kAtLeast, "\xEF\xBF\xBD", ""}}}}, text("\xF0\x9F\x98\x80")));
  words.blank_padded = true;
  EXPECT_TRUE(passes({{"C", words, {{kEqual, "x", ""}}}}, text("x   ")));
  EXPECT_TRUE(passes({{"C", words, {{kAtMost, "x", ""}}}}, text("x\t ")));

  Cell moment = cell_of(CellKind::kTimestamp);
  moment.payload.i64 = parse_timestamp("2026-11-30 00:00:00")->micros;
  const LogicalType time = type_of(TypeKind::kTimestamp);
  EXPECT_TRUE(passes({{"C", time, {{kAtMost, "2026-11-30", ""}}}}, moment));
  EXPECT_FALSE(passes({{"C", time, {{kAtLeast, "2026-11-30 00:00:00.001", ""}}}}, moment));
  Cell truth = cell_of(CellKind::kBool);
  truth.payload.i64 = 1;
  EXPECT_TRUE(passes({{"C", type_of(TypeKind::kBoolean), {{kEqual, "true", ""}}}}, truth));
  Cell half = cell_of(CellKind::kFloat32);
  half.payload.f32 = 0.5F;
  EXPECT_TRUE(passes({{"C", type_of(TypeKind::kFloat32), {{kBetween, "0.5", "0.5"}}}}, half));
}

TEST(RowFilter, SaysWhenAValueIsNotThere) {
  using enum FilterOperator;
  const RowFilter filter = integers({{kNull, "", ""}});
  EXPECT_EQ(verdict(filter, cell_of(CellKind::kInt64, CellState::kUnchanged)), Verdict::kUnknown);
  const RowFilterTest renamed(filter, std::vector<ColumnDef>());
  EXPECT_FALSE(renamed.columns()[0]);
  const Cell* const nothing[] = {nullptr};
  EXPECT_EQ(renamed.of(nothing), Verdict::kUnknown);
  const RowFilterTest retyped(filter, column(type_of(TypeKind::kText)));
  EXPECT_FALSE(retyped.columns()[0]) << "values of another family cannot be compared";
}

TEST(RowFilter, RefusesValuesThatAreNone) {
  using enum FilterOperator;
  const auto is_fine = [](TypeKind kind, FilterOperator op, const char* value) {
    return check_filter({"C", type_of(kind), {{op, value, value}}}).ok();
  };
  EXPECT_TRUE(is_fine(TypeKind::kInt32, kEqual, "-1.5"));
  EXPECT_FALSE(is_fine(TypeKind::kInt32, kEqual, "ten"));
  EXPECT_FALSE(is_fine(TypeKind::kInt32, kEqual, ""));
  EXPECT_FALSE(is_fine(TypeKind::kDecimal, kEqual, "NaN"));
  EXPECT_TRUE(is_fine(TypeKind::kDecimal, kEqual, "123456789012345678901234567890123456789"));
  EXPECT_FALSE(is_fine(TypeKind::kDecimal, kEqual, "1e2000"));
  EXPECT_TRUE(is_fine(TypeKind::kTimestamp, kBetween, "2026-02-28 23:59:59.999"));
  EXPECT_FALSE(is_fine(TypeKind::kTimestamp, kBetween, "2026-02-30"));
  EXPECT_TRUE(is_fine(TypeKind::kText, kEqual, ""));
  EXPECT_FALSE(
      check_filter({"C", type_of(TypeKind::kText), {{kEqual, std::string(1, 0), ""}}}).ok());
  EXPECT_TRUE(is_fine(TypeKind::kBoolean, kAtMost, "true"));
  EXPECT_FALSE(is_fine(TypeKind::kBoolean, kEqual, "maybe"));
  EXPECT_TRUE(is_fine(TypeKind::kBytes, kBetween, "00fF"));
  EXPECT_FALSE(is_fine(TypeKind::kBytes, kEqual, "0x12"));
  EXPECT_FALSE(is_fine(TypeKind::kBytes, kEqual, "123"));
  EXPECT_TRUE(is_fine(TypeKind::kIntervalYm, kAtLeast, "-1-2"));
  EXPECT_FALSE(is_fine(TypeKind::kIntervalYm, kAtLeast, "1 year"));
  EXPECT_TRUE(is_fine(TypeKind::kIntervalDs, kAtLeast, "3 04:05:06.7"));
  EXPECT_FALSE(is_fine(TypeKind::kIntervalDs, kAtLeast, "1-2"));
  EXPECT_TRUE(is_fine(TypeKind::kNative, kEqual, "{1,2}"));
  for (const TypeKind large : {TypeKind::kBlob, TypeKind::kXml, TypeKind::kJson}) {
    const auto refused = check_filter({"C", type_of(large), {{kEqual, "x", ""}}});
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("large objects are not compared"), std::string::npos);
    EXPECT_TRUE(is_fine(large, kNull, "")) << "that it is there can be asked";
  }
  EXPECT_FALSE(is_fine(TypeKind::kUnsupported, kNull, ""));
}

TEST(RowFilter, PrintsOnePredicateAColumn) {
  using enum FilterOperator;
  const auto name = [](const ColumnFilter& each) { return each.column; };
  const FilterDialect dialect = {
      name,
      [](const ColumnFilter& each, bool is_null) {
        return each.column + (is_null ? " is null" : " is not null");
      },
      [](const ColumnFilter&, const std::string& value) { return value; }};
  RowFilter filter = integers({{kAtMost, "1", ""}, {kNull, "", ""}});
  EXPECT_EQ(filter_sql(filter, dialect), "(C <= 1 or C is null)");
  filter.push_back({"D",
                    type_of(TypeKind::kInt32),
                    {{kEqual, "2", ""}, {kNotBetween, "3", "4"}, {kNotNull, "", ""}}});
  EXPECT_EQ(filter_sql(filter, dialect),
            "(C <= 1 or C is null) and ((D = 2) and D not between 3 and 4 and D is not null)");
}

/// Both parts must hold, so a condition goes where it can be evaluated; of those of which one must
/// hold, all or none.
TEST(RowFilter, IsSplitBetweenSourceAndEngine) {
  using enum FilterOperator;
  using enum FilterSide;
  ColumnFilter one{"C",
                   type_of(TypeKind::kText),
                   {{kEqual, "a", ""}, {kAtLeast, "z", "", kEngine}, {kNotEqual, "b", ""}}};
  settle_sides(one);
  ColumnFilter two{
      "D", type_of(TypeKind::kInt32), {{kNotEqual, "1", "", kEngine}, {kNull, "", ""}}};
  settle_sides(two);
  const RowFilter filter = {one, two};
  const RowFilter source = part_of(filter, kSource), engine = part_of(filter, kEngine);
  ASSERT_EQ(source.size(), 2U);
  EXPECT_EQ(source[0].conditions, (std::vector<FilterCondition>{{kNotEqual, "b", ""}}));
  EXPECT_EQ(source[1].conditions, (std::vector<FilterCondition>{{kNull, "", ""}}));
  ASSERT_EQ(engine.size(), 2U);
  EXPECT_EQ(engine[0].conditions.size(), 2U);
  EXPECT_EQ(engine[1].conditions.size(), 1U);
}

TEST(RowFilter, KnowsOfWhatCannotBeReadThatItIsNotNull) {
  using enum FilterOperator;
  const LogicalType blob = type_of(TypeKind::kBlob);
  for (const CellState state : {CellState::kSpilled, CellState::kUnreadable}) {
    const Cell cell = cell_of(CellKind::kBytes, state);
    EXPECT_TRUE(passes({{"C", blob, {{kNotNull, "", ""}}}}, cell));
    EXPECT_EQ(verdict({{"C", blob, {{kNull, "", ""}}}}, cell), Verdict::kFails);
  }
  const Cell unreadable = cell_of(CellKind::kInt64, CellState::kUnreadable);
  EXPECT_EQ(verdict(integers({{kEqual, "1", ""}}), unreadable), Verdict::kUnknown);
  EXPECT_EQ(verdict(integers({{kNull, "", ""}, {kNotEqual, "1", ""}}), unreadable), Verdict::kFails)
      << "whatever it is";
}

/// Of a text that lies on disk, as much is read as decides.
TEST(RowFilter, ComparesTextsOnDisk) {
  using enum FilterOperator;
  const auto file = SpillFile::create(std::filesystem::temp_directory_path()).value();
  ASSERT_TRUE(file->append("####" + std::string(100'000, 'm')).ok());
  const SpilledValue value{file.get(), 4, 100'000};
  Cell cell = cell_of(CellKind::kText, CellState::kSpilled);
  cell.payload.ptr = reinterpret_cast<const std::byte*>(&value);
  const LogicalType type = type_of(TypeKind::kClob);
  EXPECT_TRUE(passes({{"C", type, {{kBetween, "mm", "n"}}}}, cell));
  EXPECT_FALSE(passes({{"C", type, {{kAtMost, "mmm", ""}}}}, cell)) << "it is longer";
  EXPECT_FALSE(passes({{"C", type, {{kEqual, "mmm", ""}}}}, cell));
  EXPECT_TRUE(passes({{"C", type, {{kAtLeast, "", ""}}}}, cell));
  const SpilledValue not_read{nullptr, 0, 100'000};
  cell.payload.ptr = reinterpret_cast<const std::byte*>(&not_read);
  EXPECT_EQ(verdict({{"C", type, {{kEqual, "m", ""}}}}, cell), Verdict::kUnknown);
}

}  // namespace
}  // namespace wherry::schema
