#include "connect/postgres/ddl_audit.h"

#include <gtest/gtest.h>

namespace wherry::postgres {
namespace {

connect::RowShape audit_table() {
  connect::RowShape out;
  for (const char* name : {"c_key", "c_tag", "c_oid", "c_name", "c_schema", "c_ddlqry"}) {
    out.definition.columns.emplace_back().name = name;
  }
  return out;
}

std::optional<DdlRecord> read(std::string_view statement, std::string_view oid = "-5") {
  const auto text = [](std::string_view bytes) {
    return wire::Field{wire::FieldKind::kText, bytes};
  };
  return read_ddl_record(audit_table(), {text("1"), text("ALTER TABLE"), text(oid), text("t"),
                                         text("app"), text(statement)});
}

TEST(DdlAudit, HasTheStatementOfAnybodysTrigger) {
  const auto record = read("alter table t add x int -- /* wherry: */");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->tag, "ALTER TABLE");
  EXPECT_EQ(record->statement, "alter table t add x int -- /* wherry: */");
  EXPECT_EQ(record->table, (schema::TableRef{"app", "t"}));
  EXPECT_EQ(record->oid, 0xfffffffbU);
  EXPECT_FALSE(record->definition);
  EXPECT_FALSE(read_ddl_record(audit_table(), {}));
}

TEST(DdlAudit, HasTheDefinitionThatWherrysTriggerTells) {
  const auto record = read(
      "alter table t add x int\n/* wherry: {\"identity\" : \"d\", \"columns\" : "
      "[[1, \"id\", 23, -1, 9, null],[3, \"a\\u002a\", 1043, 9, 16, \"x\"],[4, \"b\", 701, -1, "
      "16, null],[5, \"c\", 25, -1, 4, null]]} */");
  ASSERT_TRUE(record && record->definition);
  EXPECT_EQ(record->statement, "alter table t add x int");
  const CatalogTable& table = *record->definition;
  EXPECT_EQ(table.table.name, "t");
  ASSERT_EQ(table.columns.size(), 4U);
  EXPECT_TRUE(table.columns[0].is_not_null && table.columns[0].is_in_key);
  EXPECT_EQ(table.columns[1].name, "a*");
  EXPECT_EQ(table.columns[1].number, 3U);
  EXPECT_EQ(table.columns[1].type, (TypeKey{1043, 9}));
  EXPECT_EQ(table.columns[1].fill.value, "x");
  EXPECT_EQ(table.columns[2].fill.kind, connect::ColumnFill::Kind::kByRow);
  EXPECT_FALSE(table.columns[3].is_in_log());
}

TEST(DdlAudit, TakesNoDefinitionThatIsNone) {
  for (const char* text :
       {"", "{}", "[]", "{\"identity\":\"d\",\"columns\":null}",
        "{\"identity\":\"d\",\"columns\":[]}",
        "{\"identity\":\"\",\"columns\":[[1,\"a\",23,-1,0,null]]}",
        "{\"identity\":\"d\",\"columns\":[[1,\"a\",23,-1,0]]}",
        "{\"identity\":\"d\",\"columns\":[[1,\"a\",\"x\",-1,0,null]]}",
        "{\"identity\":\"d\",\"columns\":[[1e300,\"a\",23,-1,0,null]]}",
        "{\"identity\":\"d\",\"columns\":[[99999999999,\"a\",23,-1,0,null]]}",
        "{\"identity\":\"d\",\"columns\":[[2,\"a\",23,-1,0,null],[1,\"b\",23,-1,0,null]]}"}) {
    const auto record = read("x\n/* wherry: " + std::string(text) + " */");
    ASSERT_TRUE(record) << text;
    EXPECT_FALSE(record->definition) << text;
  }
}

}  // namespace
}  // namespace wherry::postgres
