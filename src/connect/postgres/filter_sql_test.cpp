#include "connect/postgres/filter_sql.h"

#include <gtest/gtest.h>

namespace wherry::postgres {
namespace {

using schema::ColumnFilter;
using schema::FilterCondition;
using schema::FilterOperator;
using schema::FilterSide;
using schema::TypeKind;

ColumnFilter filter_of(TypeKind kind, FilterCondition condition) {
  ColumnFilter out{"c", {}, {std::move(condition)}};
  out.type.kind = kind;
  return out;
}
FilterSide side_of(const ColumnFilter& filter, std::string_view encoding = "UTF8") {
  return judge_filter(filter, filter.conditions[0], encoding);
}

TEST(PostgresFilter, SaysWhatTheServerEvaluatesAlike) {
  using enum FilterOperator;
  const ColumnFilter accented = filter_of(TypeKind::kClob, {kEqual, "\xC3\xA9", ""});
  EXPECT_EQ(side_of(accented), FilterSide::kSource);
  EXPECT_EQ(side_of(accented, "LATIN9"), FilterSide::kEngine);
  EXPECT_EQ(side_of(filter_of(TypeKind::kNative, {kAtMost, "e", ""}), "EUC_JP"),
            FilterSide::kSource);
  EXPECT_EQ(side_of(filter_of(TypeKind::kTimestamp, {kEqual, "2026-01-01 00:00:00.000001", ""})),
            FilterSide::kSource);
  EXPECT_EQ(side_of(filter_of(TypeKind::kTimestamp, {kEqual, "2026-01-01 00:00:00.000000500", ""})),
            FilterSide::kEngine)
      << "the server would round it";
  ColumnFilter padded = filter_of(TypeKind::kText, {kAtMost, "e", ""});
  padded.type.blank_padded = true;
  EXPECT_EQ(side_of(padded), FilterSide::kEngine) << "nobody knows to what length";
  padded.type.length_chars = 4;
  EXPECT_EQ(side_of(padded), FilterSide::kSource);
  EXPECT_EQ(side_of(filter_of(TypeKind::kBlob, {kNull, "", ""}), "LATIN9"), FilterSide::kSource);
}

TEST(PostgresFilter, WritesConditionsOfEachType) {
  using enum FilterOperator;
  EXPECT_EQ(filter_condition({filter_of(TypeKind::kNative, {kEqual, "{1}", ""})}),
            R"(((case when t."c" is distinct from null then pg_catalog.format('%s', t."c") end) )"
            R"(collate "C" = '{1}'::text))");
  EXPECT_EQ(filter_condition({filter_of(TypeKind::kNative, {kNull, "", ""})}),
            R"((t."c" is not distinct from null))");
  ColumnFilter padded = filter_of(TypeKind::kText, {kBetween, "a", "longer"});
  padded.type.blank_padded = true;
  padded.type.length_chars = 4;
  EXPECT_EQ(filter_condition({padded}),
            R"((pg_catalog.rpad(t."c"::text, 6) collate "C" between )"
            R"(pg_catalog.rpad('a'::text, 6) and pg_catalog.rpad('longer'::text, 6)))");
}

}  // namespace
}  // namespace wherry::postgres
