#include "connect/oracle/filter_sql.h"

#include <gtest/gtest.h>

namespace wherry::oracle {
namespace {

using schema::ColumnFilter;
using schema::FilterCondition;
using schema::FilterOperator;
using schema::FilterSide;
using schema::TypeKind;

constexpr std::uint16_t kUnicode = 873, kCesu8 = 871, kLatin9 = 46, kShiftJis = 832;

ColumnFilter filter_of(TypeKind kind, FilterCondition condition) {
  ColumnFilter out{"C", {}, {std::move(condition)}};
  out.type.kind = kind;
  return out;
}

FilterSide side_of(const ColumnFilter& filter, std::uint16_t charset = kUnicode) {
  auto side = judge_filter(filter, filter.conditions[0], charset);
  EXPECT_TRUE(side.ok());
  return side.ok() ? *side : FilterSide::kSource;
}

/// Bytes have the order of code points in AL32UTF8, and against ASCII in most sets of one byte.
TEST(OracleFilter, TextIsComparedAtTheSourceWhereItsBytesAllowIt) {
  using enum FilterOperator;
  struct Case {
    FilterOperator op;
    const char* value;
    std::uint16_t charset;
    FilterSide side;
  };
  for (const Case& each : {Case{kAtLeast, "\xC3\xA9", kUnicode, FilterSide::kSource},
                           Case{kAtLeast, "\xC3\xA9", kCesu8, FilterSide::kEngine},
                           Case{kEqual, "\xC3\xA9", kCesu8, FilterSide::kSource},
                           Case{kEqual, "\xC3\xA9", kLatin9, FilterSide::kEngine},
                           Case{kNotEqual, "e", kLatin9, FilterSide::kSource},
                           Case{kBetween, "e", kLatin9, FilterSide::kSource},
                           Case{kAtMost, "e", kCesu8, FilterSide::kSource},
                           Case{kAtMost, "e", kShiftJis, FilterSide::kEngine},
                           Case{kEqual, "e", kShiftJis, FilterSide::kSource}}) {
    EXPECT_EQ(side_of(filter_of(TypeKind::kText, {each.op, each.value, "f"}), each.charset),
              each.side)
        << each.value << " in " << each.charset;
  }
  ColumnFilter national = filter_of(TypeKind::kText, {kAtLeast, "e", ""});
  national.type.national = true;
  EXPECT_EQ(side_of(national), FilterSide::kSource);
  EXPECT_EQ(side_of(national, kLatin9), FilterSide::kEngine);
  national.type.blank_padded = true;
  EXPECT_EQ(side_of(national), FilterSide::kEngine);
  EXPECT_EQ(side_of(filter_of(TypeKind::kText, {kEqual, std::string(2000, 'x'), ""})),
            FilterSide::kEngine);
}

TEST(OracleFilter, OtherTypesHaveTheirOwnLimits) {
  using enum FilterOperator;
  EXPECT_EQ(side_of(filter_of(TypeKind::kDecimal, {kEqual, std::string(38, '9'), ""})),
            FilterSide::kSource);
  EXPECT_EQ(side_of(filter_of(TypeKind::kDecimal, {kBetween, "1", std::string(39, '9')})),
            FilterSide::kEngine);
  EXPECT_EQ(side_of(filter_of(TypeKind::kBoolean, {kEqual, "true", ""})), FilterSide::kSource);
  EXPECT_EQ(side_of(filter_of(TypeKind::kBoolean, {kAtMost, "true", ""})), FilterSide::kEngine);
  EXPECT_EQ(side_of(filter_of(TypeKind::kRowAddress, {kEqual, "AAA", ""})), FilterSide::kEngine);
  EXPECT_EQ(side_of(filter_of(TypeKind::kBytes, {kEqual, "0A", ""})), FilterSide::kSource);
  EXPECT_EQ(side_of(filter_of(TypeKind::kBytes, {kAtLeast, "", ""})), FilterSide::kEngine);
  EXPECT_EQ(side_of(filter_of(TypeKind::kXml, {kNull, "", ""})), FilterSide::kSource);
}

TEST(OracleFilter, WhatOracleCannotCompareIsRefused) {
  using enum FilterOperator;
  const auto code_of = [](const ColumnFilter& filter) {
    const auto side = judge_filter(filter, filter.conditions[0], kUnicode);
    return side.ok() ? std::string() : side.error().code;
  };
  EXPECT_EQ(code_of(filter_of(TypeKind::kClob, {kEqual, "x", ""})), "oracle.filter_type");
  EXPECT_EQ(code_of(filter_of(TypeKind::kText, {kEqual, "", ""})), "oracle.filter_empty");
  EXPECT_EQ(code_of(filter_of(TypeKind::kText, {kBetween, "a", ""})), "oracle.filter_empty");
  const schema::RowFilter other = {filter_of(TypeKind::kText, {kAtLeast, "\xC3\xA9", ""})};
  EXPECT_TRUE(check_source_filter(other, kUnicode).ok());
  EXPECT_EQ(check_source_filter(other, kLatin9).error().code, "oracle.filter_side");
}

TEST(OracleFilter, WritesLiteralsOfEachType) {
  using enum FilterOperator;
  const auto sql = [](TypeKind kind, FilterCondition condition) {
    return filter_condition({filter_of(kind, std::move(condition))});
  };
  EXPECT_EQ(sql(TypeKind::kBytes, {kEqual, "0aFF", ""}), R"(("C" = hextoraw('0aFF')))");
  EXPECT_EQ(sql(TypeKind::kIntervalYm, {kAtMost, "-1-2", ""}),
            R"(("C" <= numtoyminterval(-14, 'MONTH')))");
  EXPECT_EQ(sql(TypeKind::kIntervalDs, {kAtLeast, "-1 00:00:00.25", ""}),
            R"(("C" >= numtodsinterval(-86400.250000000, 'SECOND')))");
  EXPECT_EQ(sql(TypeKind::kXml, {kNotNull, "", ""}), R"(("C" is not null))");
  EXPECT_EQ(sql(TypeKind::kText, {kEqual, "it's", ""}), R"(("C" = 'it''s'))");
}

}  // namespace
}  // namespace wherry::oracle
