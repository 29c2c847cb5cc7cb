// LogMiner over the redo of real statements: rows and their order, undo, DDL, bounds, errors.
#include "exec/logminer_test_support.h"

namespace orasim {
namespace {

class LogMiner : public MiningTest {
 protected:
  void SetUp() override {
    MiningTest::SetUp();
    run("alter database add supplemental log data");
    run("create table t (id number primary key, v varchar2(40), n number)");
    run("alter table t add supplemental log data (all) columns");
    begin_ = current_scn() + 1;
  }
  std::vector<std::string> redo(const std::string& options = kPlainText) {
    std::vector<std::string> out;
    for (const Mined& m : mine(options, begin_)) {
      out.push_back((m.rollback != 0 ? "undo " : "") + m.sql_redo);
    }
    return out;
  }
  std::int64_t begin_ = 0;
};

using Texts = std::vector<std::string>;

TEST_F(LogMiner, ShowsChangesInOrder) {
  run("insert into t values (1, 'it''s', 0.5)");
  run("update t set v = null where id = 1");
  run("delete from t where id = 1");
  session().commit();
  EXPECT_EQ(
      redo(),
      (Texts{"set transaction read write",
             R"(insert into "APP"."T"("ID","V","N") values ('1','it''s','.5'))",
             R"(update "APP"."T" set "V" = NULL where "ID" = '1' and "V" = 'it''s' and "N" = '.5')",
             R"(delete from "APP"."T" where "ID" = '1' and "V" IS NULL and "N" = '.5')",
             "commit"}));
}

TEST_F(LogMiner, KeyLoggingHasKeyAndChangedColumns) {
  run("alter table t drop supplemental log data (all) columns");
  run("alter table t add supplemental log data (primary key) columns");
  begin_ = current_scn() + 1;
  run("insert into t values (1, 'a', 2)");
  run("update t set v = 'b' where id = 1");
  run("update t set id = 8 where id = 1");
  session().commit();
  const Texts all = redo();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[2], R"(update "APP"."T" set "V" = 'b' where "ID" = '1' and "V" = 'a')");
  EXPECT_EQ(all[3], R"(update "APP"."T" set "ID" = '8' where "ID" = '1')");
}

TEST_F(LogMiner, ConditionalGroupIsLoggedWhenItsColumnChanges) {
  run("alter table t drop supplemental log data (all) columns");
  run("alter table t add supplemental log group g (v, n)");
  begin_ = current_scn() + 1;
  run("insert into t values (1, 'a', 2)");
  run("update t set n = 3 where id = 1");
  run("update t set id = 8 where id = 1");
  session().commit();
  const Texts all = redo();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[2], R"(update "APP"."T" set "N" = '3' where "V" = 'a' and "N" = '2')");
  EXPECT_EQ(all[3], R"(update "APP"."T" set "ID" = '8' where "ID" = '1')");
}

TEST_F(LogMiner, RowidAndDelimiterUnlessAskedNotTo) {
  run("insert into t values (1, 'a', 2)");
  run("update t set v = 'b'");
  session().commit();
  const std::vector<Mined> rows = mine("", begin_);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(
      rows[2].sql_redo,
      R"(update "APP"."T" set "V" = 'b' where "ID" = '1' and "V" = 'a' and "N" = '2' and ROWID = ')" +
          rows[2].row_id + "';");
  EXPECT_EQ(rows[1].sql_undo, R"(delete from "APP"."T" where ROWID = ')" + rows[1].row_id + "';");
  const auto real = query("select rowidtochar(rowid) from t");
  EXPECT_EQ(rows[2].row_id, text(real.at(0)[0]));
}

TEST_F(LogMiner, SavepointUndoIsNewestFirstAndTheTransactionGoesOn) {
  run("insert into t values (1, 'one', 1)");
  session().commit();
  begin_ = current_scn() + 1;
  run("insert into t values (10, 'ten', 1)");
  run("savepoint s");
  run("update t set v = 'TEN' where id = 10");
  run("delete from t where id = 1");
  run("rollback to savepoint s");
  run("insert into t values (12, 'twelve', 1)");
  session().commit();
  const std::vector<Mined> rows = mine(kPlainText, begin_);
  ASSERT_EQ(rows.size(), 8U);
  EXPECT_EQ(rows[4].sql_redo, R"(insert into "APP"."T"("ID","V","N") values ('1','one','1'))");
  EXPECT_EQ(rows[4].rollback, 1);
  EXPECT_EQ(rows[4].row_id, rows[3].row_id);
  EXPECT_EQ(rows[5].sql_redo, R"(update "APP"."T" set "V" = 'ten')");
  EXPECT_EQ(rows[5].rollback, 1);
  EXPECT_EQ(rows[7].operation, "COMMIT");
  for (const Mined& m : rows) EXPECT_EQ(m.xid, rows[0].xid);
}

TEST_F(LogMiner, RollbackHasUndoAndItsRow) {
  for (int i = 0; i < 2; ++i) {
    run("insert into t values (1, 'a', 2)");
    session().rollback();
  }
  const std::vector<Mined> rows = mine(kPlainText, begin_);
  ASSERT_EQ(rows.size(), 8U);
  int partial = 0;
  for (std::size_t i = 0; i < rows.size(); i += 4) {
    EXPECT_EQ(rows[i + 2].sql_redo,
              R"(delete from "APP"."T" where ROWID = ')" + rows[i + 1].row_id + "'");
    EXPECT_EQ(rows[i + 2].rollback, 1);
    EXPECT_EQ(rows[i + 3].operation, "ROLLBACK");
    EXPECT_EQ(rows[i + 3].code, 36);
    EXPECT_EQ(rows[i + 2].xid, rows[i + 3].xid);
    EXPECT_EQ(rows[i + 2].xid.substr(0, 8), rows[i].xid.substr(0, 8));
    partial += rows[i + 2].xid.substr(8) == "FFFFFFFF" ? 1 : 0;
  }
  EXPECT_EQ(partial, 1);
}

TEST_F(LogMiner, FailedStatementIsUndoneAndTheTransactionGoesOn) {
  run("insert into t values (1, 'a', 2)");
  EXPECT_EQ(error_of("insert into t select 3 - level, 'x', 0 from dual connect by level < 3"), 1);
  session().commit();
  const Texts all = redo();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[2], R"(insert into "APP"."T"("ID","V","N") values ('2','x','0'))");
  EXPECT_EQ(all[3].substr(0, 38), R"(undo delete from "APP"."T" where ROWID)");
  EXPECT_EQ(all[4], "commit");
}

TEST_F(LogMiner, CommittedDataOnlyGivesWholeTransactionsInCommitOrder) {
  auto other = connect();
  run("insert into t values (1, 'first to begin', 1)");
  query(*other, "insert into t values (2, 'first to end', 1)");
  run("savepoint s");
  run("insert into t values (3, 'taken back', 1)");
  run("rollback to savepoint s");
  other->commit();
  session().commit();
  run("insert into t values (4, 'rolled back', 1)");
  session().rollback();
  run("insert into t values (5, 'open', 1)");
  const Texts all = redo(std::string(kPlainText) + " + dbms_logmnr.committed_data_only");
  EXPECT_EQ(all, (Texts{"set transaction read write",
                        R"(insert into "APP"."T"("ID","V","N") values ('2','first to end','1'))",
                        "commit", "set transaction read write",
                        R"(insert into "APP"."T"("ID","V","N") values ('1','first to begin','1'))",
                        "commit"}));
}

TEST_F(LogMiner, PrivateRedoComesLateWithItsOldScn) {
  run("insert into t values (1, 'a', 1)");
  const std::int64_t bound = current_scn();
  EXPECT_EQ(redo(), Texts{});
  auto other = connect();
  query(*other, "insert into t values (2, 'b', 1)");
  other->commit();
  session().commit();
  const std::vector<Mined> rows = mine(kPlainText, begin_);
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_NE(rows[1].sql_redo.find("'b'"), std::string::npos);
  EXPECT_NE(rows[4].sql_redo.find("'a'"), std::string::npos);
  EXPECT_LE(rows[4].scn, bound + 1);
  EXPECT_LT(rows[4].scn, rows[2].scn + 1);
  EXPECT_LT(rows[1].rs_id, rows[4].rs_id);
}

TEST_F(LogMiner, SwitchBindsPrivateRedo) {
  run("insert into t values (1, 'a', 1)");
  auto other = connect();
  query(*other, "alter system switch logfile");
  const Texts all = redo();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1], R"(insert into "APP"."T"("ID","V","N") values ('1','a','1'))");
}

TEST_F(LogMiner, DdlHasItsTextAndOldRowsTurnIntoStoredBytes) {
  run("insert into t values (1, 'ab', -1)");
  session().commit();
  run("alter table t add (extra date)");
  const std::vector<Mined> rows = mine(kPlainText, begin_);
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(
      rows[1].sql_redo,
      R"(insert into "APP"."T"("COL 1","COL 2","COL 3") values (HEXTORAW('c102'),HEXTORAW('6162'),HEXTORAW('3e6466')))");
  EXPECT_EQ(rows[1].status, 2);
  EXPECT_EQ(rows[1].info, "Dictionary Mismatch");
  EXPECT_EQ(rows[4].operation, "DDL");
  EXPECT_EQ(rows[4].sql_redo, "alter table t add (extra date)");
  EXPECT_EQ(rows[4].table, "T");
  EXPECT_EQ(rows[4].info, "USER DDL (PlSql=0 RecDep=0)");
}

TEST_F(LogMiner, RowsOfADroppedTableHaveNoName) {
  run("insert into t values (1, 'ab', null)");
  session().commit();
  run("drop table t");
  const std::vector<Mined> rows = mine(kPlainText, begin_);
  EXPECT_EQ(rows.at(1).owner, "UNKNOWN");
  EXPECT_EQ(rows.at(1).table.substr(0, 5), "OBJ# ");
}

TEST_F(LogMiner, LongTextGoesOnInTheNextRow) {
  run("create table w (id number, a varchar2(4000), b varchar2(4000))");
  begin_ = current_scn() + 1;
  run("insert into w values (1, rpad('x', 3990, '''x'), rpad('é', 2000, 'é'))");
  session().commit();
  const std::vector<Mined> rows = mine(kPlainText, begin_);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_GT(rows[1].pieces, 2);
  EXPECT_TRUE(rows[1].sql_redo.ends_with("é')"));
  add_all_logs();
  start(kPlainText, begin_);
  for (const Row& r : query("select sql_redo from v$logmnr_contents where csf = 1")) {
    EXPECT_LE(text(r[0]).size(), 4000U);
    EXPECT_GE(text(r[0]).size(), 3999U);
  }
}

TEST_F(LogMiner, TimesFollowTheReadersSession) {
  run("create table z (id number, l timestamp(3) with local time zone, "
      "t timestamp(0) with time zone, p timestamp(6), d date)");
  begin_ = current_scn() + 1;
  run("insert into z values (1, timestamp '2026-01-02 03:04:05.5 +00:00', "
      "timestamp '2026-01-02 03:04:05 -05:30', timestamp '2026-01-02 03:04:05', "
      "date '2026-01-02')");
  session().commit();
  use_iso_formats();
  run("alter session set time_zone = '+02:00' nls_timestamp_format = 'YYYY-MM-DD HH24:MI:SS.FF'");
  const std::string columns = R"(insert into "APP"."Z"("ID","L","T","P","D") values ()";
  EXPECT_EQ(redo()[1], columns +
                           "'1',TO_TIMESTAMP_TZ('2026-01-02 05:04:05.500'),"
                           "TO_TIMESTAMP_TZ('2026-01-02 03:04:05.000000000 -05:30'),"
                           "TO_TIMESTAMP('2026-01-02 03:04:05.'),"
                           "TO_DATE('2026-01-02 00:00:00', 'YYYY-MM-DD HH24:MI:SS'))");
  EXPECT_EQ(redo(std::string(kPlainText) + " + dbms_logmnr.string_literals_in_stmt")[1],
            columns +
                "'1','2026-01-02 05:04:05.500','2026-01-02 03:04:05.000000000 -05:30',"
                "'2026-01-02 03:04:05.','2026-01-02 00:00:00')");
}

TEST_F(LogMiner, LobsAreWrittenApartFromTheirRow) {
  run("create table doc (id number primary key, b clob, r blob)");
  run("alter table doc add supplemental log data (primary key) columns");
  begin_ = current_scn() + 1;
  run("insert into doc values (1, 'short', null)");
  run("insert into doc values (2, rpad(to_clob('x'), 2500, 'x'), hextoraw('00ff'))");
  run("update doc set b = rpad(to_clob('é'), 2100, 'é') where id = 1");
  session().commit();
  std::vector<std::string> seen;
  for (const Mined& m : mine(kPlainText, begin_)) {
    const bool is_placed = m.row_id != "AAAAAAAAAAAAAAAAAA";
    seen.push_back(m.operation + (is_placed ? " placed" : ""));
  }
  EXPECT_EQ(seen, (Texts{"START", "INSERT", "UPDATE placed", "INSERT", "SEL_LOB_LOCATOR",
                         "LOB_WRITE", "LOB_WRITE", "LOB_WRITE", "UPDATE placed", "SEL_LOB_LOCATOR",
                         "LOB_WRITE", "LOB_WRITE", "LOB_WRITE", "LOB_TRIM", "COMMIT"}));
  const Texts all = redo();
  EXPECT_EQ(all[1],
            R"(insert into "APP"."DOC"("ID","B","R") values ('1',EMPTY_CLOB(),EMPTY_BLOB()))");
  EXPECT_EQ(all[2], R"(update "APP"."DOC" set "B" = 'short', "R" = NULL where "ID" = '1')");
  EXPECT_TRUE(all[7].ends_with("dbms_lob.write(loc_c, 500, 2001, buf_c);")) << all[7];
  EXPECT_TRUE(all[13].ends_with("dbms_lob.trim(loc_c, 2100);")) << all[13];
}

TEST_F(LogMiner, CrashIsUndoneAtTheNextStart) {
  const std::string dir = ::testing::TempDir() + "orasim_redo_crash_test";
  const std::string copy = dir + "_copy";
  std::filesystem::remove_all(dir);
  std::filesystem::remove_all(copy);
  open(dir);
  run("alter database add supplemental log data");
  run("create table t (id number primary key, v varchar2(40))");
  const std::int64_t from = current_scn() + 1;
  run("insert into t values (1, 'a')");
  auto other = connect();
  query(*other, "alter system switch logfile");  // binds what is open
  std::filesystem::copy(dir, copy);              // what a kill would leave
  other.reset();                                 // before its database
  open(copy);
  const std::vector<Mined> rows = mine(kPlainText, from);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[2].rollback, 1);
  EXPECT_EQ(rows[2].row_id, rows[1].row_id);
  EXPECT_EQ(rows[3].operation, "ROLLBACK");
  EXPECT_EQ(query("select * from t").size(), 0U);
  // A number that was used is not used again.
  run("insert into t values (2, 'b')");
  session().commit();
  EXPECT_NE(mine(kPlainText, from).back().xid, rows[0].xid);
  sessions_.clear();
  database_.reset();
  std::filesystem::remove_all(dir);
  std::filesystem::remove_all(copy);
}

TEST_F(LogMiner, BoundsAreInclusive) {
  run("insert into t values (1, 'a', 1)");
  session().commit();
  const std::int64_t commit = current_scn();
  add_all_logs();
  run("begin dbms_logmnr.start_logmnr(startscn => " + std::to_string(commit) + ", endscn => " +
      std::to_string(commit) + ", options => 16); end;");
  EXPECT_EQ(contents("operation = 'COMMIT'").size(), 1U);
}

TEST_F(LogMiner, ErrorsHaveOraclesNumbers) {
  EXPECT_EQ(error_of("select * from v$logmnr_contents"), 1306);
  EXPECT_EQ(error_of("begin dbms_logmnr.end_logmnr; end;"), 1307);
  EXPECT_EQ(error_of("begin dbms_logmnr.start_logmnr(options => 16); end;"), 1292);
  EXPECT_EQ(error_of("begin dbms_logmnr.add_logfile('/nowhere'); end;"), 1284);
  run("alter system switch logfile");
  run("alter system switch logfile");
  add_all_logs();
  EXPECT_EQ(error_of("begin dbms_logmnr.start_logmnr(startscn => 9, endscn => 8); end;"), 1281);
  EXPECT_EQ(error_of("begin dbms_logmnr.start_logmnr(startscn => 9); end;"), 1291);
  EXPECT_EQ(error_of("begin dbms_logmnr.start_logmnr(options => dbms_logmnr.dict_from_redo_logs);"
                     " end;"),
            1371);
  EXPECT_EQ(error_of("begin dbms_logmnr.start_logmnr(options => dbms_logmnr.continuous_mine);"
                     " end;"),
            44609);
  EXPECT_EQ(error_of("declare n varchar2(200); begin select name into n from v$archived_log "
                     "where sequence# = 1; dbms_logmnr.add_logfile(n); end;"),
            1289);
  run("declare n varchar2(200); begin select name into n from v$archived_log "
      "where sequence# = 2; dbms_logmnr.remove_logfile(n); end;");
  EXPECT_EQ(
      error_of("begin dbms_logmnr.start_logmnr(startscn => " + std::to_string(begin_) + "); end;"),
      1291);
}

TEST_F(LogMiner, DeletedArchivedLogs) {
  run("alter system switch logfile");
  run("alter system switch logfile");
  run("alter system set \"_orasim_delete_archived_log\" = 1");
  run("alter system set \"_orasim_lose_archived_log\" = 2");
  const auto rows = query("select sequence#, name, deleted, status from v$archived_log");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(text(rows[0][1]) + text(rows[0][2]) + text(rows[0][3]), "YESD");
  EXPECT_EQ(text(rows[1][2]) + text(rows[1][3]), "NOA");
  EXPECT_EQ(error_of("begin dbms_logmnr.add_logfile('" + text(rows[1][1]) + "'); end;"), 1284);
}

TEST_F(LogMiner, OnlineLogThatIsOverwrittenEndsTheFetch) {
  for (int i = 0; i < 200; ++i) run("insert into t values (" + std::to_string(i) + ", 'a', 1)");
  session().commit();
  add_all_logs();
  start(kPlainText, begin_);
  auto statement = session().prepare("select sql_redo from v$logmnr_contents");
  auto result = statement->execute({}, {});
  Row row;
  ASSERT_TRUE(result.rows->next(row));
  auto other = connect();
  for (int i = 0; i < 3; ++i) query(*other, "alter system switch logfile");
  try {
    while (result.rows->next(row)) {
    }
    FAIL() << "the log was overwritten";
  } catch (const OraError& error) {
    EXPECT_EQ(error.code(), 310);
    EXPECT_NE(std::string(error.what()).find("ORA-00334"), std::string::npos);
  }
}

TEST_F(LogMiner, StartScnsMayBeHidden) {
  run("insert into t values (1, 'a', 1)");
  EXPECT_GT(integer(query("select start_scn from v$transaction").at(0)[0]), 0);
  auto other = connect();
  query(*other, "alter system set \"_orasim_hide_start_scns\" = true");
  EXPECT_EQ(integer(query("select start_scn from v$transaction").at(0)[0]), 0);
}

TEST_F(LogMiner, FullLogIsLeft) {
  run("alter system set \"_orasim_log_bytes\" = 65536");
  for (int i = 0; i < 40; ++i) {
    run("insert into t select " + std::to_string(i * 100) +
        " + level, rpad('x', 40, 'x'), 1 from dual connect by level <= 100");
    session().commit();
  }
  const auto logs = query(
      "select sequence#, first_change#, next_change# from v$archived_log "
      "order by sequence#");
  ASSERT_GT(logs.size(), 5U);
  for (std::size_t i = 1; i < logs.size(); ++i) {
    EXPECT_EQ(integer(logs[i][1]), integer(logs[i - 1][2]));
  }
  std::size_t inserts = 0;
  std::string last;
  for (const Mined& m : mine(kPlainText, begin_)) {
    inserts += m.operation == "INSERT" ? 1 : 0;
    EXPECT_LT(last, m.rs_id);
    last = m.rs_id;
    const auto sequence = std::stoul(m.rs_id.substr(3, 6), nullptr, 16);
    if (sequence > logs.size()) continue;
    EXPECT_GE(m.scn, integer(logs[sequence - 1][1])) << m.rs_id;
    EXPECT_LT(m.scn, integer(logs[sequence - 1][2])) << m.rs_id;
  }
  EXPECT_EQ(inserts, 4000U);
}

TEST_F(LogMiner, NoRowsWithoutSupplementalLogging) {
  run("alter database drop supplemental log data");
  begin_ = current_scn() + 1;
  run("insert into t values (1, 'a', 1)");
  session().commit();
  EXPECT_EQ(redo(), Texts{});
}

TEST_F(LogMiner, SurvivesRestart) {
  const std::string dir = ::testing::TempDir() + "orasim_redo_test";
  std::filesystem::remove_all(dir);
  open(dir);
  run("alter database add supplemental log data");
  run("create table t (id number primary key, v varchar2(40))");
  run("alter table t add supplemental log data (all) columns");
  const std::int64_t from = current_scn() + 1;
  run("insert into t values (1, 'a')");
  session().commit();
  run("alter system switch logfile");
  run("update t set v = 'b'");
  session().commit();
  const std::vector<Mined> before = mine(kPlainText, from);
  open(dir);
  const std::vector<Mined> after = mine(kPlainText, from);
  ASSERT_GE(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].sql_redo, after[i].sql_redo);
    EXPECT_EQ(before[i].rs_id, after[i].rs_id);
    EXPECT_EQ(before[i].scn, after[i].scn);
    EXPECT_EQ(before[i].xid, after[i].xid);
  }
  EXPECT_EQ(before.size(), 6U);
  sessions_.clear();
  database_.reset();
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace orasim
