#include "wire/sql_scan.h"

#include <gtest/gtest.h>

namespace orasim::wire {
namespace {

using Flags = std::vector<bool>;

TEST(SqlScan, TellsTheKindByTheFirstWord) {
  EXPECT_TRUE(scan_sql("select 1 from dual").is_query);
  EXPECT_TRUE(scan_sql("/* hint */ -- more\n (with t as (select 1) select 2)").is_query);
  EXPECT_TRUE(scan_sql("BEGIN null; END;").is_plsql);
  EXPECT_TRUE(scan_sql("call p(:1)").is_plsql);
  EXPECT_TRUE(scan_sql("merge into t").is_dml);
  EXPECT_FALSE(scan_sql("").is_query);
}

TEST(SqlScan, CountsEveryOccurrenceInSqlAndEveryNameInPlsql) {
  EXPECT_EQ(scan_sql("select :a, :b, :a from dual").returning, Flags(3));
  EXPECT_EQ(scan_sql("begin p(:a, :B, :A); q(:b); end;").returning, Flags(2));
}

TEST(SqlScan, SkipsWhatIsNoPlaceholder) {
  EXPECT_EQ(scan_sql("select ':a', q'[:b]', \":c\" -- :d\n /* :e */, :f from t").returning,
            Flags(1));
  EXPECT_EQ(scan_sql("select json_object('k':v) from t where x = :1").returning, Flags(1));
  EXPECT_EQ(scan_sql("begin x := 1; y := :2; end;").returning, Flags(1));
  EXPECT_EQ(scan_sql("select 'it''s :a' from t").returning, Flags(0));
}

TEST(SqlScan, MarksReturningPlaceholders) {
  EXPECT_EQ(scan_sql("insert into t values (:1, :2) returning id, c into :3, :4").returning,
            (Flags{false, false, true, true}));
  EXPECT_EQ(scan_sql("insert into t (into_x) values (:1)").returning, Flags{false});
  EXPECT_EQ(scan_sql("update t set returning_x = :1 where b = :2 return c into :c").returning,
            (Flags{false, false, true}));
}

TEST(SqlScan, UnfinishedTextsEnd) {
  for (const char* sql : {"'", "\"", "/*", "--", "q'[", "q'", ":", "select :", ":\""}) {
    scan_sql(sql);
  }
}

}  // namespace
}  // namespace orasim::wire
