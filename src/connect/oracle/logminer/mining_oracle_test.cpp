// Mining the redo of orasim: logs, steps and transactions together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "connect/oracle/logminer/mining_session.h"
#include "connect/oracle/logminer/redo_assembler.h"
#include "tests/support/orasim.h"

namespace wherry::oracle {
namespace {

using test::Orasim;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Mining : public ::testing::Test {
 protected:
  Mining() {
    options_.connect_string = server_.easy_connect();
    options_.user = std::string(Orasim::kUser);
    options_.password = Secret(std::string(Orasim::kPassword));
    writer_ = connect();
    run("alter database add supplemental log data");
    run("create table ev (id number primary key, v varchar2(100), at date)");
    run("alter table ev add supplemental log data (all) columns");
    start_.others_scn = std::stoull(value("select current_scn from v$database"));
    auto opened = MiningSession::open(context_, options_);
    EXPECT_TRUE(opened.ok()) << opened.error().to_paragraph();
    if (opened.ok()) miner_ = std::move(*opened);
  }
  std::unique_ptr<Session> connect() {
    auto session = Session::connect(context_, options_);
    EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
    return session.ok() ? std::move(*session) : nullptr;
  }
  void run(Session& session, const std::string& sql) {
    const auto done = session.execute(context_, sql);
    EXPECT_TRUE(done.ok()) << done.error().to_paragraph() << sql;
  }
  void run(const std::string& sql) { run(*writer_, sql); }
  std::string value(const std::string& sql) {
    const auto rows = writer_->rows(context_, sql);
    EXPECT_TRUE(rows.ok()) << rows.error().to_paragraph();
    return rows.ok() ? rows->at(0).at(0).value_or("") : "";
  }

  MiningPlan plan(std::uint64_t budget_bytes = UINT64_MAX) {
    const auto view = miner_->view(context_, start_.others_scn);
    EXPECT_TRUE(view.ok()) << view.error().to_paragraph();
    return view.ok() ? plan_mining(*view, start_, budget_bytes) : MiningPlan{};
  }
  /// Each change as "i5" with its new key.
  static std::string text_of(const RedoTransaction& transaction) {
    std::string text;
    for (const RedoChange& change : transaction.changes) {
      const bool is_delete = change.kind == RedoKind::kDelete;
      const auto* id = find_value(is_delete ? change.before : change.after, "ID");
      if (id == nullptr) id = find_value(change.before, "ID");
      text += (text.empty() ? "" : " ") + std::string(1, "iud"[static_cast<int>(change.kind)]) +
              (id != nullptr ? id->text : "?");
    }
    return text;
  }
  /// False: the step is at its end.
  Result<bool> take_one() {
    MinedRow row;
    WHERRY_ASSIGN(const bool has_row, miner_->next(context_, row));
    if (!has_row) return false;
    WHERRY_ASSIGN(const auto transaction, assembler_.take(row));
    if (transaction) mined_.push_back(text_of(*transaction));
    return true;
  }
  Result<void> take_rest(const MiningPlan& plan) {
    for (;;) {
      WHERRY_ASSIGN(const bool has_row, take_one());
      if (!has_row) break;
    }
    assembler_.end_step();
    for (const auto& next : plan.next) start_.threads.insert_or_assign(next.first, next.second);
    return {};
  }
  Result<void> read(const MiningPlan& plan) {
    WHERRY_TRY(miner_->begin(context_, plan, {{"HR"}}));
    return take_rest(plan);
  }
  /// Until nothing is left.
  void mine(std::uint64_t budget_bytes = UINT64_MAX) {
    for (;;) {
      const MiningPlan step = plan(budget_bytes);
      ASSERT_FALSE(step.missing) << missing_log_error(*step.missing).to_paragraph();
      if (step.logs.empty()) return;
      const auto done = read(step);
      ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
      if (step.reaches_end) return;
    }
  }

  OpContext context_;
  Orasim server_;
  ConnectOptions options_;
  std::unique_ptr<Session> writer_;
  std::unique_ptr<MiningSession> miner_;
  RedoAssembler assembler_;
  MiningStart start_;
  std::vector<std::string> mined_;
};

TEST_F(Mining, TransactionsComeWhenTheyCommitWhateverLogTheyBeganIn) {
  const auto other = connect();
  run("insert into ev values (1, 'it''s', date '2024-02-29')");
  run(*other, "insert into ev values (100, 'other', null)");
  run(*other, "commit");
  mine();
  EXPECT_THAT(mined_, ElementsAre("i100"));
  run("update ev set v = null where id = 1");
  run(*other, "alter system switch logfile");
  mine();
  run(*other, "insert into ev values (101, rpad('x', 100, 'x'), null)");
  run(*other, "rollback");
  run("savepoint a");
  run("insert into ev values (2, 'gone', null)");
  run("rollback to savepoint a");
  run(*other, "alter system switch logfile");
  run("delete from ev where id = 1");
  run("commit");
  mine();
  EXPECT_THAT(mined_, ElementsAre("i100", "i1 u1 d1"));
  mine();
  EXPECT_EQ(mined_.size(), 2U);
  EXPECT_THAT(assembler_.open(), IsEmpty());
  EXPECT_THAT(assembler_.problems(), IsEmpty());
}

TEST_F(Mining, LogByLogIsTheSameAsAllAtOnce) {
  const auto other = connect();
  std::vector<std::string> expected;
  run(*other, "insert into ev values (1000, 'open all the time', null)");
  for (int i = 1; i <= 6; ++i) {
    run("insert into ev values (" + std::to_string(i) + ", 'x', null)");
    run("commit");
    expected.push_back("i" + std::to_string(i));
    run("alter system switch logfile");
  }
  run(*other, "commit");
  expected.emplace_back("i1000");
  mine(1);
  EXPECT_EQ(mined_, expected);
  EXPECT_GT(start_.threads.at(1).sequence, 6U);
}

TEST_F(Mining, ALogThatIsOverwrittenWhileItIsReadLosesNothing) {
  std::vector<std::string> expected;
  int last = 0;
  const auto write = [&](int transactions) {
    for (; transactions > 0; --transactions) {
      run("insert into ev select level + " + std::to_string(last) +
          ", rpad('x', 90, 'x'), null from dual connect by level <= 50");
      run("commit");
      std::string text;
      for (int i = 0; i < 50; ++i) text += (text.empty() ? "i" : " i") + std::to_string(++last);
      expected.push_back(text);
    }
  };
  write(100);  // more than one answer of the server holds
  const MiningPlan step = plan();
  ASSERT_TRUE(miner_->begin(context_, step, {{"HR"}}).ok());
  for (int i = 0; i < 130; ++i) {
    const auto taken = take_one();
    ASSERT_TRUE(taken.ok() && *taken);
  }
  for (int group = 0; group < 4; ++group) {
    run("alter system switch logfile");
    write(1);
  }
  const auto rest = take_rest(step);
  ASSERT_FALSE(rest.ok());
  EXPECT_EQ(rest.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(rest.error().code, "oracle.log_changed");
  EXPECT_EQ(rest.error().native_code, "ORA-00310");
  EXPECT_LT(mined_.size(), 100U);
  assembler_.break_step();
  mine();
  EXPECT_EQ(mined_, expected);
}

TEST_F(Mining, ALogThatIsGoneIsNamed) {
  run("insert into ev values (1, 'x', null)");
  run("commit");
  for (int i = 0; i < 5; ++i) run("alter system switch logfile");
  const std::string sequence =
      value("select min(sequence#) from v$archived_log where next_change# > " +
            std::to_string(start_.others_scn));
  run("alter system set \"_orasim_delete_archived_log\" = " + sequence);
  const MiningPlan step = plan();
  ASSERT_TRUE(step.missing);
  EXPECT_THAT(step.logs, IsEmpty());
}

TEST_F(Mining, OwnersThatAreNotWantedDoNotCome) {
  run("insert into ev values (1, 'x', null)");
  run("commit");
  ASSERT_TRUE(miner_->begin(context_, plan(), {{"OTHER", "ONE MORE"}}).ok());
  std::set<int> codes;
  for (MinedRow row;;) {
    const auto next = miner_->next(context_, row);
    ASSERT_TRUE(next.ok()) << next.error().to_paragraph();
    if (!*next) break;
    codes.insert(row.operation_code);
  }
  EXPECT_FALSE(codes.contains(1));
  EXPECT_TRUE(codes.contains(7));
}

}  // namespace
}  // namespace wherry::oracle
