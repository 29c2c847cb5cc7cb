#include <gtest/gtest.h>

#include <map>

#include "core/civil_time.h"
#include "core/decimal.h"
#include "transform/expression.h"
#include "transform/masking.h"

namespace wherry::transform {
namespace {

using schema::LogicalType;
using schema::TypeKind;

LogicalType type_of(TypeKind kind, std::uint8_t fraction_digits = 0) {
  LogicalType type;
  type.kind = kind;
  type.fraction_digits = fraction_digits;
  return type;
}

class ExpressionTest : public ::testing::Test {
 protected:
  Cell text(std::string_view value) {
    Cell cell{};
    cell.kind = CellKind::kText;
    cell.state = CellState::kSet;
    cell.payload.ptr = arena_.copy(value.data(), value.size());
    cell.size_bytes = static_cast<std::uint32_t>(value.size());
    return cell;
  }
  Cell bytes(std::string_view value) {
    Cell cell = text(value);
    cell.kind = CellKind::kBytes;
    return cell;
  }
  static Cell integer(std::int64_t value, CellKind kind = CellKind::kInt64) {
    Cell cell{};
    cell.kind = kind;
    cell.state = CellState::kSet;
    cell.payload.i64 = value;
    return cell;
  }
  Cell decimal(std::string_view value) {
    Cell cell{};
    cell.kind = CellKind::kDecimal;
    cell.state = CellState::kSet;
    cell.payload.ptr = reinterpret_cast<const std::byte*>(parse_decimal(value, arena_));
    return cell;
  }
  void column(const char* name, const LogicalType& type, const Cell& cell) {
    columns_.push_back({name, type});
    cells_.push_back(cell);
  }
  /// The value of an expression over the columns.
  Cell evaluate(const std::string& expression, const LogicalType& type = type_of(TypeKind::kText)) {
    auto made = Expressions::make({"HR", "STAFF", {}, {}}, {{expression, type}}, columns_);
    EXPECT_TRUE(made.ok()) << made.error().to_paragraph();
    if (!made.ok()) return {};
    std::vector<const Cell*> cells;
    for (const std::size_t i : (*made)->used()) {
      const bool is_known = cells_[i].state != CellState::kUnchanged;
      cells.push_back(is_known ? &cells_[i] : nullptr);
    }
    Cell out{};
    (*made)->evaluate(cells, header_, &out, arena_);
    return out;
  }
  std::string as_text(const std::string& expression,
                      const LogicalType& type = type_of(TypeKind::kText)) {
    const Cell cell = evaluate(expression, type);
    if (cell.is_null()) return "NULL";
    if (cell.state == CellState::kUnreadable) return "UNREADABLE: " + std::string(cell.bytes());
    switch (cell.kind) {
      case CellKind::kDecimal:
        return to_text(decimal_of(cell));
      case CellKind::kText:
      case CellKind::kBytes:
        return std::string(cell.bytes());
      case CellKind::kTimestamp:
        return timestamp_text(cell.payload.i64, cell.nanos, 6);
      case CellKind::kFloat64:
        return std::to_string(cell.payload.f64);
      default:
        return std::to_string(cell.payload.i64);
    }
  }

  Arena arena_;
  std::vector<Expressions::Column> columns_;
  std::vector<Cell> cells_;
  RowHeader header_;
};

TEST_F(ExpressionTest, ColumnsAreValuesOfTheRow) {
  column("FIRST", type_of(TypeKind::kText), text("Ann"));
  column("LAST", type_of(TypeKind::kText), text("Lee"));
  column("NONE", type_of(TypeKind::kText), Cell{});
  column("N", type_of(TypeKind::kInt64), integer(41));
  EXPECT_EQ(as_text("$FIRST||'_'||$LAST"), "Ann_Lee");
  EXPECT_EQ(as_text("$FIRST || $NONE"), "NULL");
  EXPECT_EQ(as_text("coalesce($NONE, 'x') -- a comment"), "x");
  EXPECT_EQ(as_text("$N + 1", type_of(TypeKind::kInt32)), "42");
  EXPECT_EQ(as_text("CASE WHEN $N > 40 THEN 'SENIOR' ELSE 'JUNIOR' END"), "SENIOR");
  EXPECT_EQ(as_text("$AR_M_SOURCE_SCHEMA || '.' || $AR_M_SOURCE_TABLE_NAME"), "HR.STAFF");
}

TEST_F(ExpressionTest, EveryKindOfValueHasItsForm) {
  column("T", type_of(TypeKind::kTimestamp, 6),
         integer(1'714'557'072'500'000, CellKind::kTimestamp));
  column("D", type_of(TypeKind::kTimestamp), integer(1'714'557'072'000'000, CellKind::kTimestamp));
  Cell zoned = integer(1'714'557'072'000'000, CellKind::kTimestampTz);
  zoned.extra = 120;
  column("Z", type_of(TypeKind::kTimestampTz), zoned);
  column("B", type_of(TypeKind::kBytes), bytes(std::string_view("\x00\xFF", 2)));
  column("WHOLE", type_of(TypeKind::kDecimal), decimal("12"));
  column("PART", type_of(TypeKind::kDecimal), decimal("0.1"));
  column("NAN", type_of(TypeKind::kDecimal), decimal("NaN"));
  column("YES", type_of(TypeKind::kBoolean), integer(1, CellKind::kBool));
  EXPECT_EQ(as_text("$T"), "2024-05-01 09:51:12.500000");
  EXPECT_EQ(as_text("$D"), "2024-05-01 09:51:12");
  EXPECT_EQ(as_text("date($D, '+1 day')"), "2024-05-02");
  EXPECT_EQ(as_text("strftime('%Y/%m', $T)"), "2024/05");
  EXPECT_EQ(as_text("datetime($Z)"), "2024-05-01 09:51:12") << "the offset is known";
  EXPECT_EQ(as_text("hex($B)"), "00FF");
  EXPECT_EQ(as_text("typeof($B)||typeof($WHOLE)||typeof($PART)"), "blobintegerreal");
  EXPECT_EQ(as_text("$PART", type_of(TypeKind::kDecimal)), "0.1");
  EXPECT_EQ(as_text("$NAN", type_of(TypeKind::kDecimal)), "NaN");
  EXPECT_EQ(as_text("iif($YES, 'on', 'off')"), "on");
}

TEST_F(ExpressionTest, ResultsAreOfTheColumnsType) {
  EXPECT_EQ(as_text("12.0", type_of(TypeKind::kInt64)), "12");
  EXPECT_EQ(as_text("'12'", type_of(TypeKind::kInt64)), "12");
  EXPECT_EQ(as_text("1.5", type_of(TypeKind::kDecimal)), "1.5");
  EXPECT_EQ(as_text("' -1.50 '", type_of(TypeKind::kDecimal)), "-1.5");
  EXPECT_EQ(as_text("1e3", type_of(TypeKind::kDecimal)), "1000");
  EXPECT_EQ(as_text("'yes'", type_of(TypeKind::kBoolean)), "1");
  EXPECT_EQ(as_text("0", type_of(TypeKind::kBoolean)), "0");
  EXPECT_EQ(as_text("'2024:05:01 10:11:12'", type_of(TypeKind::kTimestamp)),
            "2024-05-01 10:11:12.000000");
  EXPECT_EQ(as_text("'2024-05-01'", type_of(TypeKind::kDate)), "2024-05-01 00:00:00.000000");
  EXPECT_EQ(as_text("x'4142'", type_of(TypeKind::kBytes)), "AB");
  EXPECT_EQ(as_text("NULL", type_of(TypeKind::kInt16)), "NULL");
  EXPECT_EQ(as_text("'twelve'", type_of(TypeKind::kInt32)),
            "UNREADABLE: the expression's value is no int32");
  EXPECT_EQ(as_text("1.5", type_of(TypeKind::kInt32)),
            "UNREADABLE: the expression's value is no int32");
  EXPECT_EQ(as_text("20240501", type_of(TypeKind::kDate)),
            "UNREADABLE: the expression's value is no date");
}

TEST_F(ExpressionTest, WhatDmsAddsToSqlite) {
  EXPECT_EQ(as_text("replaceChars('abcde','abcd','123')"), "1231e");
  EXPECT_EQ(as_text("replaceChars('äöü','ö','o')"), "äoü");
  EXPECT_EQ(as_text("replaceChars('abc','b','')"), "ac");
  EXPECT_EQ(as_text("replaceChars(NULL,'b','c')"), "NULL");
  EXPECT_EQ(as_text("hash_sha256('C6BGJ566669K')"),
            "7CB06784764C9030CCC41E25C15339FEB293FFE9B329A72B5FED564E99900C75");
  const std::string flag = "operation_indicator('D', 'U', 'I')";
  EXPECT_EQ(as_text(flag), "I");
  header_.operation = Operation::kDelete;
  EXPECT_EQ(as_text(flag), "D");
  header_.operation = Operation::kUpdate;
  EXPECT_EQ(as_text(flag), "U");
}

TEST_F(ExpressionTest, HeadersTellOfTheChange) {
  header_ = {Operation::kUpdate,    "16/B374D848", 1'714'557'072'500'000,
             1'714'557'073'000'000, "SCOTT",       "20240501095113000000000000000000042"};
  EXPECT_EQ(as_text("$AR_H_OPERATION||' '||$AR_H_STREAM_POSITION||' '||$AR_H_USER"),
            "UPDATE 16/B374D848 SCOTT");
  EXPECT_EQ(as_text("$AR_H_TIMESTAMP"), "2024-05-01 09:51:12.5000000");
  EXPECT_EQ(as_text("$AR_H_COMMIT_TIMESTAMP", type_of(TypeKind::kTimestamp, 7)),
            "2024-05-01 09:51:13.000000");
  EXPECT_EQ(as_text("$AR_H_CHANGE_SEQ"), "20240501095113000000000000000000042");
}

TEST_F(ExpressionTest, AValueThatIsNotKnownIsNoNull) {
  Cell unknown{};
  unknown.state = CellState::kUnchanged;
  column("A", type_of(TypeKind::kText), unknown);
  Cell spilled{};
  spilled.state = CellState::kSpilled;
  column("B", type_of(TypeKind::kClob), spilled);
  EXPECT_EQ(
      as_text("coalesce($A, 'x')"),
      "UNREADABLE: the expression asks for column A, whose value the source's log does not have");
  EXPECT_EQ(as_text("length($B)"),
            "UNREADABLE: the expression asks for column B, whose value is too large for it");
}

TEST_F(ExpressionTest, SeveralAreEvaluatedForEachRow) {
  auto made =
      Expressions::make({"S", "T", {}, {}},
                        {{"$B", type_of(TypeKind::kInt64)}, {"$A + $B", type_of(TypeKind::kInt64)}},
                        {{"A", type_of(TypeKind::kInt64)},
                         {"OTHER", type_of(TypeKind::kInt64)},
                         {"B", type_of(TypeKind::kInt64)}})
          .value();
  ASSERT_EQ(made->used(), (std::vector<std::size_t>{0, 2}));
  for (std::int64_t i = 0; i < 3; ++i) {
    const Cell a = integer(i), b = integer(10 * i);
    const Cell* const cells[] = {&a, &b};
    Cell out[2];
    made->evaluate(cells, {}, out, arena_);
    EXPECT_EQ(out[0].payload.i64, 10 * i);
    EXPECT_EQ(out[1].payload.i64, 11 * i);
  }
  EXPECT_FALSE(Expressions::make({}, {{"$NO", type_of(TypeKind::kText)}}, {}).ok());
}

TEST(ExpressionNeeds, SaysWhatIsAskedFor) {
  const auto needs = needs_of("operation_indicator($A, $B, $A) || $AR_M_SOURCE_SCHEMA").value();
  EXPECT_EQ(needs.columns, (std::vector<std::string>{"A", "B"}));
  EXPECT_TRUE(needs.flags_deletes);
  EXPECT_FALSE(needs.asks_user);
  EXPECT_TRUE(needs_of("lower($AR_H_USER)").value().asks_user);
  EXPECT_TRUE(needs_of("upper($A) || 'x'").value().is_repeatable);
  for (const char* changing : {"random()", "datetime()", "$AR_H_TIMESTAMP", "current_timestamp",
                               "$A || hex(randomblob(4))"}) {
    EXPECT_FALSE(needs_of(changing).value().is_repeatable) << changing;
  }
}

TEST(ExpressionNeeds, OnlyExpressionsAreTaken) {
  for (const char* wrong :
       {"",
        "1; drop table x",
        "1) from (select 2",
        "1) group by (2",
        "1), (2",
        "delete from x",
        "(select count(*) from sqlite_master)",
        "$A ||",
        "no_such(1)",
        "$AR_H_NOTHING",
        "?",
        ":a",
        "@a",
        "$A::b",
        "$A(b)",
        "\"A\"",
        "A",
        "load_extension('x')",
        "\xE2\x80\x98SENIOR\xE2\x80\x99",
        "(with recursive c(x) as (select 1 union all select x+1 from c) select max(x) from c)"}) {
    const auto needs = needs_of(wrong);
    ASSERT_FALSE(needs.ok()) << wrong;
    EXPECT_EQ(needs.error().code, "mapping.expression") << wrong;
  }
  const auto curly = needs_of("\xE2\x80\x98SENIOR\xE2\x80\x99");
  EXPECT_NE(curly.error().message.find("curly quotes"), std::string::npos);
}

class MaskingTest : public ExpressionTest {
 protected:
  Cell masked(Cell cell, schema::MaskingKind kind, char character = '\0') {
    mask_cell(cell, {kind, character}, arena_);
    return cell;
  }
};

TEST_F(MaskingTest, DigitsAreReplaced) {
  using schema::MaskingKind;
  EXPECT_EQ(masked(text("C6BGJ566669K"), MaskingKind::kDigits, '#').bytes(), "C#BGJ######K");
  EXPECT_EQ(masked(text("C6BGJ566669K"), MaskingKind::kHash).bytes(),
            "7CB06784764C9030CCC41E25C15339FEB293FFE9B329A72B5FED564E99900C75");
  EXPECT_TRUE(masked(Cell{}, MaskingKind::kHash).is_null());
  std::map<std::string, int> seen;
  for (int i = 0; i < 200; ++i) {
    const Cell cell = masked(text("a1-23"), MaskingKind::kRandomDigits);
    ASSERT_EQ(cell.bytes().size(), 5U);
    EXPECT_EQ(cell.bytes()[0], 'a');
    EXPECT_EQ(cell.bytes()[2], '-');
    ++seen[std::string(cell.bytes())];
  }
  EXPECT_GT(seen.size(), 50U);
}

TEST_F(MaskingTest, NumbersKeepTheirLengthAndTheirType) {
  using schema::MaskingKind;
  for (const std::int64_t value : std::initializer_list<std::int64_t>{
           0, 7, -42, 32767, -32768, 2147483647, INT64_MAX, INT64_MIN}) {
    for (int i = 0; i < 50; ++i) {
      const std::int64_t made = masked(integer(value), MaskingKind::kRandomDigits).payload.i64;
      EXPECT_EQ(std::to_string(made).size(), std::to_string(value).size()) << value << " " << made;
      const bool is_small = value >= -32768 && value <= 32767;
      EXPECT_TRUE(!is_small || std::abs(made) <= 32767) << made;
    }
  }
  const std::string made =
      to_text(decimal_of(masked(decimal("-120.05"), MaskingKind::kRandomDigits)));
  EXPECT_EQ(made[0], '-');
  EXPECT_LE(made.size(), 7U);
  EXPECT_EQ(to_text(decimal_of(masked(decimal("NaN"), MaskingKind::kRandomDigits))), "NaN");
}

TEST(Masking, FitsTextsAndNumbers) {
  using schema::MaskingKind;
  EXPECT_TRUE(can_mask(MaskingKind::kHash, type_of(TypeKind::kText)));
  EXPECT_TRUE(can_mask(MaskingKind::kRandomDigits, type_of(TypeKind::kDecimal)));
  EXPECT_FALSE(can_mask(MaskingKind::kDigits, type_of(TypeKind::kDecimal)));
  EXPECT_FALSE(can_mask(MaskingKind::kHash, type_of(TypeKind::kTimestamp)));
  EXPECT_FALSE(can_mask(MaskingKind::kRandomDigits, type_of(TypeKind::kBlob)));
  EXPECT_TRUE(can_mask(MaskingKind::kNone, type_of(TypeKind::kBlob)));
}

}  // namespace
}  // namespace wherry::transform
