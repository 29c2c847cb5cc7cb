// Which logs a step reads: copies, threads, gaps, sizes, borders.
#include "connect/oracle/logminer/mining_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wherry::oracle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// "1.5" of thread 1, sequence 5, and "*" when it is the online copy.
std::vector<std::string> names_of(const MiningPlan& plan) {
  std::vector<std::string> out;
  for (const RedoLog& log : plan.logs) out.push_back(log.name);
  return out;
}

class MiningPlanTest : public ::testing::Test {
 protected:
  MiningPlanTest() { view_.current_scn = 1000; }

  RedoThread& thread(std::uint32_t number, std::uint32_t sequence) {
    RedoThread& out = view_.threads.emplace_back();
    out.number = number;
    out.sequence = sequence;
    out.is_open = true;
    return out;
  }
  RedoLog& archived(std::uint32_t thread, std::uint32_t sequence, std::uint64_t first,
                    std::uint64_t next) {
    RedoLog& out = view_.logs.emplace_back();
    out.thread = thread;
    out.sequence = sequence;
    out.first_scn = first;
    out.next_scn = next;
    out.size_bytes = 100;
    out.name = std::to_string(thread) + "." + std::to_string(sequence);
    return out;
  }
  RedoLog& online(std::uint32_t thread, std::uint32_t sequence, std::uint64_t first,
                  std::uint64_t next = kNoEndScn) {
    RedoLog& out = archived(thread, sequence, first, next);
    out.is_online = true;
    out.name += "*";
    return out;
  }
  /// Logs 5 to 7 of SCN 500 to 799 that are archived, and 8, which is written.
  void make_one_thread() {
    thread(1, 8);
    for (std::uint32_t i = 5; i < 8; ++i) archived(1, i, i * 100, i * 100 + 100);
    online(1, 8, 800);
  }
  MiningPlan plan(const MiningStart& start, std::uint64_t budget_bytes = UINT64_MAX) {
    return plan_mining(view_, start, budget_bytes);
  }
  static MiningStart at_scn(std::uint64_t scn) { return {{}, scn}; }
  static MiningStart at(std::uint32_t sequence) { return {{{1, {sequence, 0}}}, 0}; }

  RedoView view_;
};

TEST_F(MiningPlanTest, BeginsWithTheLogOfTheScnAndReadsToTheEnd) {
  make_one_thread();
  const MiningPlan found = plan(at_scn(650));
  EXPECT_THAT(names_of(found), ElementsAre("1.6", "1.7", "1.8*"));
  EXPECT_EQ(found.start_scn, 600U);
  EXPECT_EQ(found.end_scn, 1000U);
  EXPECT_TRUE(found.reaches_end);
  EXPECT_EQ(found.size_bytes, 300U);
  EXPECT_EQ(found.next.at(1).sequence, 8U);
  EXPECT_FALSE(found.missing);
}

TEST_F(MiningPlanTest, AStepHasAsManyLogsAsItsSizeAllows) {
  make_one_thread();
  MiningPlan found = plan(at(5), 200);
  EXPECT_THAT(names_of(found), ElementsAre("1.5", "1.6"));
  EXPECT_EQ(found.end_scn, 699U);
  EXPECT_FALSE(found.reaches_end);
  EXPECT_EQ(found.next.at(1).sequence, 7U);
  found = plan(at(7), 0);  // one at least
  EXPECT_THAT(names_of(found), ElementsAre("1.7"));
  EXPECT_EQ(found.next.at(1).sequence, 8U);
  EXPECT_TRUE(plan(at(8), 0).reaches_end);
}

TEST_F(MiningPlanTest, TheArchivedCopyIsPreferredAndTheFirstOfThose) {
  thread(1, 6);
  online(1, 5, 500, 600);
  archived(1, 5, 500, 600);
  archived(1, 5, 500, 600).name = "second";
  online(1, 6, 600);
  EXPECT_THAT(names_of(plan(at(5))), ElementsAre("1.5", "1.6*"));
  view_.logs[1].is_deleted = true;
  EXPECT_THAT(names_of(plan(at(5))), ElementsAre("second", "1.6*"));
  view_.logs[2].name.clear();
  EXPECT_THAT(names_of(plan(at(5))), ElementsAre("1.5*", "1.6*"));
}

TEST_F(MiningPlanTest, AGapIsNamedAndWhatLiesBeforeItIsReadFirst) {
  make_one_thread();
  view_.logs[1].is_deleted = true;  // sequence 6
  MiningPlan found = plan(at(5));
  EXPECT_THAT(names_of(found), ElementsAre("1.5"));
  EXPECT_EQ(found.end_scn, 599U);
  EXPECT_FALSE(found.reaches_end);
  ASSERT_TRUE(found.missing);
  EXPECT_EQ(found.missing->sequence, 6U);
  EXPECT_TRUE(found.missing->is_deleted);
  found = plan(at(6));
  EXPECT_THAT(names_of(found), IsEmpty());
  ASSERT_TRUE(found.missing);
  const Error error = missing_log_error(*found.missing);
  EXPECT_EQ(error.kind, ErrorKind::kPositionLost);
  EXPECT_THAT(error.message, HasSubstr("sequence 6 of thread 1"));
  EXPECT_THAT(error.message, HasSubstr("was deleted"));
  EXPECT_THAT(error.hint, HasSubstr("restore archivelog sequence 6 thread 1"));
  view_.logs.erase(view_.logs.begin() + 1);
  EXPECT_FALSE(plan(at(6)).missing->is_deleted);
  // Of a place that is known by its SCN only.
  found = plan(at_scn(650));
  ASSERT_TRUE(found.missing);
  EXPECT_THAT(missing_log_error(*found.missing).message, HasSubstr("SCN 650 of thread 1"));
}

TEST_F(MiningPlanTest, ALogThatIsNotListedYetIsWaitedFor) {
  thread(1, 7);
  archived(1, 5, 500, 600);
  online(1, 7, 700);  // 6 has been overwritten and is not registered
  const MiningPlan found = plan(at(5));
  EXPECT_THAT(names_of(found), ElementsAre("1.5"));
  ASSERT_TRUE(found.missing);
  EXPECT_EQ(found.missing->sequence, 6U);
  EXPECT_FALSE(found.missing->is_deleted);
}

TEST_F(MiningPlanTest, OfSeveralThreadsNoneIsOvertaken) {
  make_one_thread();
  thread(2, 43).last_redo_scn = 950;
  view_.threads[0].last_redo_scn = 990;
  archived(2, 41, 450, 640);
  archived(2, 42, 640, 780);
  online(2, 43, 780);
  MiningPlan found = plan(at_scn(650));
  // The range begins with thread 1's log, so thread 2 has what covers its beginning.
  EXPECT_THAT(names_of(found), ElementsAre("1.6", "1.7", "1.8*", "2.41", "2.42", "2.43*"));
  EXPECT_EQ(found.start_scn, 600U);
  EXPECT_EQ(found.end_scn, 950U);  // what thread 2 has written
  EXPECT_TRUE(found.reaches_end);
  EXPECT_EQ(found.next.at(1).sequence, 8U);
  EXPECT_EQ(found.next.at(2).sequence, 43U);
  found = plan(at_scn(650), 1);
  EXPECT_EQ(found.end_scn, 699U);
  EXPECT_THAT(names_of(found), ElementsAre("1.6", "2.41", "2.42"));
  EXPECT_EQ(found.next.at(1).sequence, 7U);
  EXPECT_EQ(found.next.at(2).sequence, 42U);  // not read to its end
  // One that cannot be read stops the other too.
  view_.logs.erase(view_.logs.begin() + 5);
  view_.logs.erase(view_.logs.begin() + 5);
  view_.logs.pop_back();
  EXPECT_THAT(names_of(plan(at_scn(650))), IsEmpty());
}

TEST_F(MiningPlanTest, AThreadWithOldLogsNeedsThoseOfTheOthersFromThereOn) {
  make_one_thread();
  thread(2, 41).last_redo_scn = 990;
  online(2, 41, 640);
  const FirstLogs first = first_logs(view_, 850);
  EXPECT_FALSE(first.missing);
  const MiningStart& start = first.start;
  EXPECT_EQ(start.threads.at(1).sequence, 8U);
  EXPECT_EQ(start.threads.at(2).sequence, 41U);
  EXPECT_EQ(start.others_scn, 640U);
  EXPECT_THAT(names_of(plan(start)), ElementsAre("1.6", "1.7", "1.8*", "2.41*"));
  view_.logs[1].is_deleted = true;  // sequence 6
  const MiningPlan found = plan(start);
  EXPECT_THAT(names_of(found), IsEmpty());
  ASSERT_TRUE(found.missing);
  EXPECT_EQ(found.missing->thread, 1U);
  EXPECT_EQ(found.missing->sequence, 6U);
}

TEST_F(MiningPlanTest, ThreadsComeAndGo) {
  make_one_thread();
  RedoThread& late = thread(2, 2);
  late.enable_scn = 720;
  archived(2, 1, 720, 760);
  online(2, 2, 760);
  EXPECT_THAT(names_of(plan(at_scn(650))), ElementsAre("1.6", "1.7", "1.8*", "2.1", "2.2*"));
  // Disabled: only what it had before counts.
  RedoThread& gone = view_.threads[1];
  gone.use = RedoThread::Use::kDisabled;
  gone.is_open = false;
  gone.disable_scn = 770;
  EXPECT_THAT(names_of(plan(at_scn(650))), ElementsAre("1.6", "1.7", "1.8*", "2.1", "2.2*"));
  EXPECT_THAT(names_of(plan(at_scn(775))), ElementsAre("1.7", "1.8*"));
  MiningStart start = at(8);
  start.threads[2] = {2, 0};
  EXPECT_THAT(names_of(plan(start)), ElementsAre("1.7", "1.8*", "2.2*"));
  EXPECT_EQ(plan(start).next.at(2).sequence, 3U);
  start.threads[2] = {3, 0};
  EXPECT_THAT(names_of(plan(start)), ElementsAre("1.8*"));
  // Private ones are no part of it.
  gone.use = RedoThread::Use::kPrivate;
  gone.is_open = true;
  EXPECT_THAT(names_of(plan(at_scn(650))), ElementsAre("1.6", "1.7", "1.8*"));
}

TEST_F(MiningPlanTest, NothingNewIsNoGap) {
  thread(1, 8);
  online(1, 8, 800, 900);
  const MiningPlan found = plan(at(9));
  EXPECT_THAT(names_of(found), IsEmpty());
  EXPECT_FALSE(found.missing);
}

TEST(RedoLogs, NoEndHasSeveralNumbers) {
  EXPECT_EQ(next_scn_of(281474976710655, false), kNoEndScn);
  EXPECT_EQ(next_scn_of(18446744073709551615U, false), kNoEndScn);
  EXPECT_EQ(next_scn_of(9295429630892703743U, false), kNoEndScn);
  EXPECT_EQ(next_scn_of(281474976710656, false), 281474976710656U);  // a large SCN
  EXPECT_EQ(next_scn_of(900, true), kNoEndScn);
}

TEST(StepSizes, FollowTheRate) {
  StepSizer sizer;
  EXPECT_EQ(sizer.budget_bytes(), 0U);
  sizer.note(1'000'000, std::chrono::milliseconds(100));
  EXPECT_EQ(sizer.budget_bytes(), 50'000'000U);
  sizer.note(1'000'000, std::chrono::seconds(1));
  EXPECT_EQ(sizer.budget_bytes(), 27'500'000U);
  sizer.note(0, std::chrono::seconds(1));
  EXPECT_EQ(sizer.budget_bytes(), 27'500'000U);
}

}  // namespace
}  // namespace wherry::oracle
