#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/logical_type.h"
#include "schema/postgres_ddl.h"
#include "schema/postgres_types.h"
#include "schema/table_def.h"

namespace wherry::schema {
namespace {

using ::testing::HasSubstr;

LogicalType of(TypeKind kind) {
  LogicalType type;
  type.kind = kind;
  return type;
}

LogicalType decimal(int precision, int scale) {
  LogicalType type = of(TypeKind::kDecimal);
  type.precision = static_cast<std::int16_t>(precision);
  type.scale = static_cast<std::int16_t>(scale);
  return type;
}

LogicalType fraction(TypeKind kind, int digits) {
  LogicalType type = of(kind);
  type.fraction_digits = static_cast<std::uint8_t>(digits);
  return type;
}

LogicalType text(std::uint32_t chars, std::uint32_t bytes = 0) {
  LogicalType type = of(TypeKind::kText);
  type.length_chars = chars;
  type.length_bytes = bytes;
  return type;
}

std::string mapped(const LogicalType& type) {
  auto result = postgres_type(type);
  return result ? *result : result.error().code;
}

TEST(PostgresTypes, DecimalsKeepEveryDigit) {
  EXPECT_EQ(mapped(decimal(10, 2)), "numeric(10,2)");
  EXPECT_EQ(mapped(decimal(38, 0)), "numeric(38,0)");
  EXPECT_EQ(mapped(decimal(0, 0)), "numeric");
  EXPECT_EQ(mapped(decimal(5, -2)), "numeric(7,0)");
  EXPECT_EQ(mapped(decimal(38, -84)), "numeric(122,0)");
  EXPECT_EQ(mapped(decimal(2, 5)), "numeric(5,5)");
  EXPECT_EQ(mapped(decimal(38, 127)), "numeric(127,127)");
}

TEST(PostgresTypes, NumbersGetTheTypeOfTheirWidth) {
  EXPECT_EQ(mapped(of(TypeKind::kInt16)), "smallint");
  EXPECT_EQ(mapped(of(TypeKind::kInt32)), "integer");
  EXPECT_EQ(mapped(of(TypeKind::kInt64)), "bigint");
  EXPECT_EQ(mapped(of(TypeKind::kFloat32)), "real");
  EXPECT_EQ(mapped(of(TypeKind::kFloat64)), "double precision");
  EXPECT_EQ(mapped(of(TypeKind::kBoolean)), "boolean");
}

TEST(PostgresTypes, TextIsCountedInCharacters) {
  EXPECT_EQ(mapped(text(20, 80)), "varchar(20)");
  EXPECT_EQ(mapped(text(0, 80)), "varchar(80)");
  EXPECT_EQ(mapped(text(0)), "text");
  EXPECT_EQ(mapped(text(10'485'760)), "varchar(10485760)");
  EXPECT_EQ(mapped(text(10'485'761)), "text");
}

TEST(PostgresTypes, NanosecondsAndOffsetsBecomeText) {
  EXPECT_EQ(mapped(fraction(TypeKind::kTimestamp, 0)), "timestamp(0)");
  EXPECT_EQ(mapped(fraction(TypeKind::kTimestamp, 6)), "timestamp(6)");
  EXPECT_EQ(mapped(fraction(TypeKind::kTimestamp, 7)), "varchar(37)");
  EXPECT_EQ(mapped(fraction(TypeKind::kTimestampTz, 3)), "varchar(44)");
  EXPECT_EQ(mapped(fraction(TypeKind::kTimestampLtz, 6)), "timestamptz(6)");
  EXPECT_EQ(mapped(fraction(TypeKind::kTimestampLtz, 9)), "varchar(44)");
}

TEST(PostgresTypes, AnUnsupportedTypeIsAnErrorWithARemedy) {
  auto result = postgres_type(of(TypeKind::kUnsupported));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kUnsupported);
  EXPECT_FALSE(result.error().hint.empty());
}

TEST(LogicalTypes, DescribeThemselves) {
  EXPECT_EQ(describe(decimal(10, 2)), "decimal(10,2)");
  EXPECT_EQ(describe(decimal(0, 0)), "decimal");
  EXPECT_EQ(describe(fraction(TypeKind::kTimestamp, 6)), "timestamp(6)");
  EXPECT_EQ(describe(text(255)), "text(255)");
  EXPECT_EQ(describe(of(TypeKind::kJson)), "json");
  EXPECT_EQ(describe(of(TypeKind::kUnsupported)), "unsupported");
}

TEST(LogicalTypes, TravelAsCells) {
  EXPECT_EQ(cell_kind_of(of(TypeKind::kInt16)), CellKind::kInt64);
  EXPECT_EQ(cell_kind_of(of(TypeKind::kTimestampLtz)), CellKind::kTimestampTz);
  EXPECT_EQ(cell_kind_of(of(TypeKind::kRowAddress)), CellKind::kText);
  EXPECT_EQ(cell_kind_of(of(TypeKind::kBlob)), CellKind::kBytes);
}

TablePlan plan_of(std::initializer_list<const char*> names) {
  TablePlan plan;
  plan.target = {"shop", "Order \"lines\""};
  for (const char* name : names) {
    ColumnPlan column;
    column.target_name = name;
    column.target_type = "integer";
    plan.columns.push_back(column);
  }
  return plan;
}

TEST(PostgresDdl, QuotesEveryName) {
  TablePlan plan = plan_of({"id", "naïve \"x\""});
  plan.columns[0].not_null = true;
  EXPECT_EQ(*create_table_sql(plan),
            "create table \"shop\".\"Order \"\"lines\"\"\" (\"id\" integer not null, "
            "\"naïve \"\"x\"\"\" integer)");
  EXPECT_EQ(*create_schema_sql("HR"), "create schema \"HR\"");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
}

TEST(PostgresDdl, AddsKeysWithAndWithoutName) {
  TablePlan plan = plan_of({"a", "b"});
  plan.key = {1, 0};
  plan.key_name = "lines_pk";
  plan.key_is_primary = true;
  EXPECT_EQ(*add_key_sql(plan),
            "alter table \"shop\".\"Order \"\"lines\"\"\" add constraint \"lines_pk\" primary key "
            "(\"b\", \"a\")");
  plan.key_name.clear();
  plan.key_is_primary = false;
  EXPECT_THAT(*add_key_sql(plan), HasSubstr(" add unique (\"b\", \"a\")"));
}

TEST(PostgresDdl, RefusesNamesThatPostgresWouldCut) {
  EXPECT_TRUE(quote_identifier(std::string(63, 'x')).ok());
  auto result = quote_identifier(std::string(64, 'x'));
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().to_paragraph(), HasSubstr(std::string(64, 'x')));
  EXPECT_FALSE(quote_identifier("").ok());
  EXPECT_FALSE(quote_identifier(std::string_view("a\0b", 3)).ok());
}

TEST(PostgresDdl, RefusesColumnsThatCollide) {
  auto result = create_table_sql(plan_of({"a", "b", "a"}));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, "schema.duplicate_column");
  EXPECT_THAT(result.error().to_paragraph(), HasSubstr("column a"));
  EXPECT_EQ(create_table_sql(plan_of({})).error().code, "schema.no_columns");
}

TEST(TableDef, FindsTheRowIdentity) {
  TableDef table;
  table.columns.resize(2);
  table.columns[0].name = "a";
  table.columns[1].name = "b";
  table.keys.push_back({"u1", {"a"}, false});
  EXPECT_EQ(table.row_identity(), nullptr);
  table.columns[0].nullable = false;
  ASSERT_NE(table.row_identity(), nullptr);
  EXPECT_EQ(table.row_identity()->name, "u1");
  table.keys.push_back({"pk", {"b"}, true});
  EXPECT_EQ(table.row_identity()->name, "pk");
  EXPECT_EQ(table.find_column("b"), 1);
  EXPECT_EQ(table.find_column("c"), -1);
}

}  // namespace
}  // namespace wherry::schema
