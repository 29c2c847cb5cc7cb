// What is decided without a server: statements of DDL, and whether the redo says enough.
#include <gtest/gtest.h>

#include "connect/oracle/changes/redo_ddl.h"
#include "connect/oracle/changes/supplemental_logging.h"

namespace wherry::oracle {
namespace {

TEST(RedoDdlText, IsClassifiedByWhatItDoesToRowsAndColumns) {
  EXPECT_EQ(classify_ddl("truncate table t"), RedoDdl::kTruncate);
  EXPECT_EQ(classify_ddl("  /* why */ TRUNCATE -- all of it\n TABLE \"rename to\""),
            RedoDdl::kTruncate);
  EXPECT_EQ(classify_ddl("alter table hr.t add (c number default 7)"), RedoDdl::kDefinition);
  EXPECT_EQ(classify_ddl("ALTER TABLE t RENAME COLUMN a TO b"), RedoDdl::kDefinition);
  EXPECT_EQ(classify_ddl("alter table t rename to u"), RedoDdl::kRename);
  EXPECT_EQ(classify_ddl("rename t to u"), RedoDdl::kRename);
  EXPECT_EQ(classify_ddl("create table t (id number)"), RedoDdl::kCreate);
  EXPECT_EQ(classify_ddl("drop table t cascade constraints purge"), RedoDdl::kDrop);
  EXPECT_EQ(classify_ddl("flashback table t to before drop"), RedoDdl::kFlashback);
  EXPECT_EQ(classify_ddl("alter table t truncate partition p1 update indexes"),
            RedoDdl::kPartition);
  EXPECT_EQ(classify_ddl("alter table t drop subpartition s"), RedoDdl::kPartition);
  EXPECT_EQ(classify_ddl("alter table t exchange partition p with table u"), RedoDdl::kPartition);
  EXPECT_EQ(classify_ddl("alter table t add partition p values less than (1)"),
            RedoDdl::kDefinition);
  EXPECT_EQ(classify_ddl("alter table t modify (c default 'drop partition')"),
            RedoDdl::kDefinition);
  for (const char* other : {"create index i on t (c)", "comment on table t is 'truncate table t'",
                            "grant select on t to u", "analyze table t compute statistics", "",
                            "\"", "/* unended", "'"}) {
    EXPECT_EQ(classify_ddl(other), RedoDdl::kNone) << other;
  }
}

TEST(RedoDdlText, NamesItsTable) {
  const auto name = [](std::string_view sql) {
    const auto table = table_of_ddl(sql);
    return table ? table->owner + "/" + table->name : "none";
  };
  EXPECT_EQ(name("alter table hr.emp rename to staff"), "HR/EMP");
  EXPECT_EQ(name("alter table \"a.b\" /* c */ . \"Emp\" rename to x"), "a.b/Emp");
  EXPECT_EQ(name("rename emp to staff"), "/EMP");
  EXPECT_EQ(name("alter table"), "none");
}

schema::TableDef table_with(const char* key, bool is_primary) {
  schema::TableDef out;
  out.table = {"HR", "T"};
  for (const char* name : {"ID", "CODE"}) {
    schema::ColumnDef column;
    column.name = name;
    column.nullable = false;
    out.columns.push_back(column);
  }
  if (key != nullptr) out.keys.push_back({"K", {key}, is_primary});
  return out;
}

TEST(SupplementalLoggingOfTables, MustTellTheKeyOrWithoutOneTheRow) {
  const schema::TableDef primary = table_with("ID", true);
  const schema::TableDef unique = table_with("CODE", false);
  const schema::TableDef heap = table_with(nullptr, false);
  DatabaseLogging database;
  TableLogging own;
  EXPECT_FALSE(is_enough(primary, own, database));
  own.has_primary_key = true;
  EXPECT_TRUE(is_enough(primary, own, database));
  EXPECT_FALSE(is_enough(unique, own, database));
  own.groups = {{"ID"}, {"CODE", "ID"}};
  EXPECT_TRUE(is_enough(unique, own, database));
  EXPECT_FALSE(is_enough(heap, own, database));
  own.has_all = true;
  EXPECT_TRUE(is_enough(heap, own, database));
  database.has_primary_keys = true;
  EXPECT_TRUE(is_enough(primary, {}, database));
  EXPECT_FALSE(is_enough(heap, {}, database));
  EXPECT_EQ(logging_statement(primary),
            "alter table \"HR\".\"T\" add supplemental log data (primary key) columns");
  EXPECT_EQ(logging_statement(unique),
            "alter table \"HR\".\"T\" add supplemental log data (all) columns");
}

}  // namespace
}  // namespace wherry::oracle
