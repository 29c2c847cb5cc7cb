// What is decided without a server: statements of DDL, and whether the redo says enough.
#include <gtest/gtest.h>

#include "connect/oracle/changes/column_ddl.h"
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

/// "+A NUMBER(9,2) -B C>D modifies", or what is not understood.
std::string changes_text(std::string_view sql) {
  const auto changes = column_changes(sql);
  if (!changes) return "?";
  std::string out;
  for (const auto& [name, type] : changes->added) out += " +" + name + " " + type;
  for (const std::string& name : changes->dropped) out += " -" + name;
  for (const auto& [from, to] : changes->renamed) out += " " + from + ">" + to;
  return out + (changes->modifies ? " modifies" : "");
}

TEST(ColumnDdl, IsUnderstoodWholeOrNotAtAll) {
  EXPECT_EQ(
      changes_text("alter table t add (a number(9, 2), \"b c\" varchar2(20 char) default 'x, y')"),
      " +A NUMBER(9,2) +b c VARCHAR2(20 CHAR)");
  EXPECT_EQ(changes_text("ALTER TABLE hr.t ADD a timestamp(6) with time zone not null;"),
            " +A TIMESTAMP(6) WITH TIME ZONE");
  EXPECT_EQ(changes_text("alter table t add a date default to_date('1', 'x') add (b clob)"), "?");
  EXPECT_EQ(changes_text("alter table t add (a date) drop column c"), " +A DATE -C");
  EXPECT_EQ(changes_text("alter table t add (a date, constraint k primary key (a))"), " +A DATE");
  EXPECT_EQ(changes_text("alter table t add supplemental log data (all) columns"), "");
  EXPECT_EQ(changes_text("alter table t drop column a cascade constraints"), " -A");
  EXPECT_EQ(changes_text("alter table t drop (a, \"b\") cascade constraints"), " -A -b");
  EXPECT_EQ(changes_text("alter table t drop constraint k"), "");
  EXPECT_EQ(changes_text("alter table t rename column a to \"B\""), " A>B");
  EXPECT_EQ(changes_text("alter table t modify (a varchar2(40), b not null)"), " modifies");
  EXPECT_EQ(changes_text("alter table t move tablespace x"), "");
  for (const char* unknown :
       {"alter table t set unused (a)", "alter table t drop unused columns",
        "alter table t add (a as (b + 1))",
        "alter table t add a number generated always as identity",
        "alter table t modify (a invisible)", "alter table t add (a number invisible)",
        "alter table t frobnicate", "alter table t add (a number", "alter table", "drop table t",
        "alter table t add", "alter table t drop", ""}) {
    EXPECT_EQ(changes_text(unknown), "?") << unknown;
  }
}

schema::TableDef columns_of(std::vector<std::pair<std::string, std::string>> columns) {
  schema::TableDef out;
  out.table = {"HR", "T"};
  for (auto& [name, type] : columns) {
    schema::ColumnDef& column = out.columns.emplace_back();
    column.name = std::move(name);
    column.native_type = std::move(type);
    column.type.kind = schema::TypeKind::kDecimal;
  }
  return out;
}

/// Columns after a statement; those of a type that is not moved in brackets.
std::string after(const schema::TableDef& before, const char* sql, const schema::TableDef& now) {
  const auto changes = column_changes(sql);
  const auto table = changes ? altered(before, *changes, now) : std::nullopt;
  if (!table) return "?";
  std::string out;
  for (const schema::ColumnDef& column : table->columns) {
    const bool is_moved = column.type.kind != schema::TypeKind::kUnsupported;
    out += (out.empty() ? "" : " ") + (is_moved ? column.name : "[" + column.name + "]");
  }
  return out;
}

TEST(ColumnDdl, TellsTheDefinitionBetweenTwoStatements) {
  const auto before = columns_of({{"ID", "NUMBER(9,0)"}, {"V", "VARCHAR2(20)"}});
  const auto now = columns_of({{"ID", "NUMBER(9,0)"}, {"C2", "DATE"}, {"C3", "NUMBER"}});
  EXPECT_EQ(after(before, "alter table t add (c1 number)", now), "ID V [C1]") << "gone since";
  EXPECT_EQ(after(before, "alter table t add (c2 date)", now), "ID V C2");
  EXPECT_EQ(after(before, "alter table t add (c2 number)", now), "?") << "another of that name";
  EXPECT_EQ(after(before, "alter table t add (c3 integer)", now), "ID V C3");
  EXPECT_EQ(after(before, "alter table t add (v date)", now), "?");
  EXPECT_EQ(after(before, "alter table t drop column v", now), "ID");
  EXPECT_EQ(after(before, "alter table t drop column x", now), "?");
  EXPECT_EQ(after(before, "alter table t rename column v to w", now), "ID W");
  EXPECT_EQ(after(before, "alter table t modify (id number(12))", now), "ID V");
  EXPECT_EQ(after(columns_of({{"C3", "DATE"}}), "alter table t modify (c3 number)", now), "?");
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
