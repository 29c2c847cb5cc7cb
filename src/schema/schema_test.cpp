#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/character_rules.h"
#include "schema/dms_type.h"
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

/// What the rules make of `text`; the text itself when they change nothing.
std::string applied(const CharacterRules& rules, std::string text) {
  std::string out;
  return rules.apply(text, out) ? out : text;
}

TEST(CharacterRules, ReplaceAndRemoveCharacters) {
  // Of two rules for one character the later counts.
  const auto rules = CharacterRules::make(
      {{'b', 'x'}, {'b', 'a'}, {'c', 0}, {0x20AC, 'E'}, {'e', 0x1F600}, {0, '_'}}, std::nullopt);
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(applied(**rules, "abba"), "aaaa");
  EXPECT_EQ(applied(**rules, "acca, €10 é"), "aa, E10 é");
  EXPECT_EQ(applied(**rules, "he"), "h😀");
  EXPECT_EQ(applied(**rules, std::string("x\0y", 3)), "x_y");
  std::string out;
  for (const char* same : {"", "nothing", "früh 😀 日本", "mal \xC3( \xE2\x82", "\xED\xA0\x80"}) {
    EXPECT_FALSE((*rules)->apply(same, out)) << same;
  }
}

TEST(CharacterRules, KeepToACharacterSet) {
  const auto in = [](const char* set, char32_t instead, const std::string& text) {
    const auto rules = CharacterRules::make({{'b', 0x20AC}}, CharacterSetRule{set, instead});
    EXPECT_TRUE(rules.ok()) << set;
    return rules.ok() ? applied(**rules, text) : std::string();
  };
  // What a replacement makes is looked at as well.
  EXPECT_EQ(in("US-ASCII", '?', "é b ok"), "? ? ok");
  EXPECT_EQ(in("ISO-8859-1", '?', "é b ok"), "é ? ok");
  EXPECT_EQ(in("windows-1252", '?', "é b 日"), "é € ?");
  EXPECT_EQ(in("ibm-5348_P100-1997", 0, "é日本 ok"), in("ISO-8859-1", 0, "é ok"));
  EXPECT_EQ(in("ibm-37_P100-1995", '-', "é€"), "é-");
  EXPECT_EQ(in("Shift_JIS", '?', "日本é"), "日本?");
  EXPECT_EQ(in("ISO_2022,locale=ja,version=0", '?', "日本é"), "日本?");
  EXPECT_EQ(in("iso-8859_10-1998", '?', "Š日"), "Š?");
  // Nothing is outside Unicode but bytes that are no characters.
  for (const char* set : {"UTF-8", "UTF16_PlatformEndian", "gb18030", "UTF-16,version=1"}) {
    EXPECT_EQ(in(set, '?', "日😀"), "日😀") << set;
    EXPECT_EQ(in(set, '?', "a\xC3(\xE2\x82 \xED\xA0\x80"), "a?(? ???") << set;
    EXPECT_EQ(in(set, 0, "a\xFF"), "a") << set;
  }
}

TEST(CharacterRules, KnowSetsByTheNamesOfTheGuide) {
  for (const char* set : {"US-ASCII",           "ISO-8859-1",
                          "ibm-367_P100-1995",  "ibm-813_P100-1995",
                          "ibm-912_P100-1995",  "ibm-913_P100-2000",
                          "ibm-914_P100-1995",  "ibm-915_P100-1995",
                          "ibm-1089_P100-1995", "ibm-916_P100-1995",
                          "ibm-920_P100-1995",  "ibm-921_P100-1995",
                          "ibm-923_P100-1998",  "ibm-943_P15A-2003",
                          "ibm-954_P101-2007",  "ibm-970_P110_P110-2006_U2",
                          "ibm-878_P100-1996",  "ibm-1168_P100-2002",
                          "ibm-1383_P110-1999", "ibm-1386_P100-2001",
                          "ibm-1375_P100-2008", "ibm-5346_P100-1998",
                          "ibm-5347_P100-1998", "ibm-5349_P100-1998",
                          "ibm-5350_P100-1998", "ibm-9447_P100-2002",
                          "ibm-9448_X100-2005", "ibm-9449_P100-2002",
                          "ibm-437_P100-1995",  "ibm-850_P100-1995",
                          "ibm-852_P100-1995",  "ibm-866_P100-1995",
                          "ibm-1047_P100-1995", "ibm-1140_P100-1997",
                          "ibm-273_P100-1995",  "ibm-500_P100-1995",
                          "ibm-964_P110-1999",  "iso-8859_14-1998",
                          "windows-874-2000",   "windows-949-2000",
                          "windows-936-2000",   "HZ",
                          "windows-950-2000",   "euc-jp-2007",
                          "euc-tw-2014",        "macos-0_2-10.2",
                          "macos-7_3-10.2"}) {
    const auto rules = CharacterRules::make({}, CharacterSetRule{set, 0});
    EXPECT_TRUE(rules.ok()) << set;
    if (!rules.ok()) continue;
    EXPECT_EQ(applied(**rules, "plain 1"), "plain 1") << set;
  }
}

TEST(CharacterRules, RefuseASetThatIsNotKnownOrLacksItsReplacement) {
  for (const auto& [set, instead] : {std::pair<const char*, char32_t>{"no-such-set", 0},
                                     {"ISCII,version=0", 0},
                                     {"UTF-8//TRANSLIT", 0},
                                     {"", 0},
                                     {"US-ASCII", 0xE9},
                                     {"ISO-8859-1", 0x20AC}}) {
    const auto rules = CharacterRules::make({}, CharacterSetRule{set, instead});
    ASSERT_FALSE(rules.ok()) << set;
    EXPECT_THAT(rules.error().message, HasSubstr(set));
  }
}

TEST(DmsTypes, BecomeWhatAwsDmsMakesOfThem) {
  const auto made = [](const DmsType& type) {
    const auto logical = logical_type_of(type);
    return logical.ok() ? postgres_type(*logical).value() : logical.error().message;
  };
  EXPECT_EQ(made({"string", 50, {}, {}}), "varchar(50)");
  EXPECT_EQ(made({"wstring", 0, {}, {}}), "text");
  EXPECT_EQ(made({"numeric", 0, 18, 4}), "numeric(18,4)");
  EXPECT_EQ(made({"numeric", 0, {}, {}}), "numeric");
  EXPECT_EQ(made({"datetime", 0, 3, {}}), "timestamp(3)");
  EXPECT_EQ(made({"datetime", 0, {}, 2}), "timestamp(2)");
  EXPECT_EQ(made({"datetime", 0, {}, {}}), "timestamp(6)");
  EXPECT_EQ(made({"datetime", 0, 9, {}}), "varchar(37)");
  EXPECT_EQ(made({"date", 0, {}, {}}), "date");
  EXPECT_EQ(made({"time", 0, {}, {}}), "time");
  EXPECT_EQ(made({"int1", 0, {}, {}}), "smallint");
  EXPECT_EQ(made({"uint2", 0, {}, {}}), "integer");
  EXPECT_EQ(made({"uint4", 0, {}, {}}), "bigint");
  EXPECT_EQ(made({"uint8", 0, {}, {}}), "numeric(20,0)");
  EXPECT_EQ(made({"real4", 0, {}, {}}), "real");
  EXPECT_EQ(made({"bytes", 16, {}, {}}), "bytea");
  EXPECT_EQ(made({"nclob", 0, {}, {}}), "text");
  EXPECT_EQ(made({"boolean", 0, {}, {}}), "boolean");
  EXPECT_EQ(made({"map", 0, {}, {}}), "no table has columns of type map");
  EXPECT_EQ(made({"numeric", 0, 4, 5}), "numeric(4,5) is no type");
  for (const std::string_view name : dms_type_names()) {
    DmsType type;
    type.name = name;
    const bool is_of_tables = name != "set" && name != "list" && name != "map" && name != "tuple";
    EXPECT_EQ(logical_type_of(type).ok(), is_of_tables) << name;
  }
}

TEST(DmsTypes, AreFoundForEveryColumn) {
  for (int i = 0; i <= kLastTypeKind; ++i) {
    ColumnDef column;
    column.type.kind = static_cast<TypeKind>(i);
    const bool is_known = column.type.kind != TypeKind::kUnsupported;
    EXPECT_EQ(dms_name_of(column).empty(), !is_known) << i;
  }
  ColumnDef number;
  number.type.kind = TypeKind::kDecimal;
  number.type.precision = 12;
  EXPECT_EQ(dms_name_of(number), "numeric");
  number.type.precision = 2;
  EXPECT_EQ(dms_name_of(number), "int1");
}

}  // namespace
}  // namespace wherry::schema
