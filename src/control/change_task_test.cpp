#include <algorithm>
#include <filesystem>
#include <functional>

#include "control/change_test_support.h"
#include "control/reload_request.h"

namespace wherry::control {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): literals

TEST_F(ChangeTaskTest, ChangesDuringTheLoadAreCachedAndThenFollowed) {
  source_.faults().add({Point::kRead, "B", 0, 1, std::nullopt});
  RunningTask task(request_);
  ASSERT_TRUE(source_.faults().wait_held(1, kChangeDeadline));
  change(30);
  source_.faults().release();
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  EXPECT_TRUE(becomes_equal());
  change(30);
  EXPECT_TRUE(becomes_equal());
  EXPECT_TRUE(task.becomes_counted([](auto& progress) { return progress.applied().all() >= 420; }));
  auto& outcome = task.stop();
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_FALSE(outcome->has_table_errors);
  EXPECT_STREQ(outcome->stop_reason, "Stop Reason NORMAL");
  EXPECT_EQ(task.phases.phases(), (std::vector<std::string>{"connecting", "planning", "full load",
                                                            "cached changes", kOngoing}));
  EXPECT_EQ(task.phases.progress()->applied().inserts, 180U);
  EXPECT_EQ(task.phases.progress()->applied().updates, 180U);
  EXPECT_EQ(task.phases.progress()->applied().deletes, 60U);
}

TEST_F(ChangeTaskTest, ItStopsBeforeAndAfterTheCachedChangesAndGoesOnThere) {
  request_.settings.changes.stops_before_cached = true;
  request_.settings.changes.stops_after_cached = true;
  source_.faults().add({Point::kRead, "B", 0, 1, std::nullopt});
  {
    RunningTask task(request_);
    ASSERT_TRUE(source_.faults().wait_held(1, kChangeDeadline));
    change(10);
    source_.faults().release();
    auto& outcome = task.end();
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
    EXPECT_STREQ(outcome->stop_reason, "Stop Reason STOPPED_AFTER_FULL_LOAD");
  }
  EXPECT_EQ(rows(target_, "B").size(), 20U);
  change(10);
  auto outcome = run_until(Kind::kNever);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_STREQ(outcome->stop_reason, "Stop Reason STOPPED_AFTER_CACHED_EVENTS");
  outcome = run_until(Kind::kCaughtUp);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_STREQ(outcome->stop_reason, "Stop Reason NORMAL");
  EXPECT_TRUE(is_equal());
}

TEST_F(ChangeTaskTest, AStoppedTaskGoesOnWithEveryChangeOnce) {
  for (int round = 0; round < 4; ++round) {
    RunningTask task(request_);
    ASSERT_TRUE(task.phases.wait_for(kOngoing));
    change(7);
    EXPECT_TRUE(becomes_equal());
    change(5);  // perhaps not all of them before the stop
    auto& outcome = task.stop();
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
    EXPECT_TRUE(outcome->is_wanted_by_user);
    change(6);
  }
  const auto outcome = run_until(Kind::kCaughtUp);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_TRUE(is_equal());
  const auto state = target_.apply_state();
  EXPECT_TRUE(state->exceptions.empty());
}

TEST_F(ChangeTaskTest, WhatIsCountedSurvivesTheRun) {
  const auto run = [&](int changes, std::uint64_t all) {
    RunningTask task(request_);
    EXPECT_TRUE(task.phases.wait_for(kOngoing));
    change(changes);
    EXPECT_TRUE(becomes_equal());
    if (all != 0) {
      EXPECT_TRUE(
          task.becomes_counted([&](auto& progress) { return progress.applied().all() >= all; }));
    }
    EXPECT_TRUE(task.stop().ok());
    return std::pair(task.phases.progress()->captured(), task.phases.progress()->applied());
  };
  const engine::ChangeNumbers first{9, 9, 3, 0};
  EXPECT_EQ(run(3, first.all()), std::pair(first, first));
  const engine::ChangeNumbers both{18, 18, 6, 0};
  EXPECT_EQ(run(3, both.all()), std::pair(both, both));
  // What is loaded again is counted again.
  spoil("B");
  ASSERT_TRUE(request_reload(request_.state_directory, {"S.B"}).ok());
  const engine::ChangeNumbers others{12, 12, 4, 0};
  {
    RunningTask task(request_);
    ASSERT_TRUE(becomes_equal());
    EXPECT_TRUE(task.stop().ok());
    EXPECT_EQ(task.phases.progress()->captured(), others);
  }
  request_.start = StartType::kReloadTarget;
  request_.settings.target_table_prep_mode = connect::ExistingTable::kDrop;
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  request_.start = StartType::kDefault;
  request_.stop_when = {};
  EXPECT_EQ(run(0, 0).first, engine::ChangeNumbers());
}

TEST_F(ChangeTaskTest, AStopWhileTablesAreLoadedLosesNoChange) {
  source_.faults().add({Point::kRead, "B", 0, 1, std::nullopt});
  {
    RunningTask task(request_);
    ASSERT_TRUE(source_.faults().wait_held(1, kChangeDeadline));
    change(12);
    const auto& outcome = task.stop();
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().kind, ErrorKind::kCancelled);
  }
  change(12);
  const auto outcome = run_until(Kind::kCaughtUp);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_TRUE(is_equal());
}

TEST_F(ChangeTaskTest, ConnectionsThatBreakAreMadeAgain) {
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  for (memory::Database* database : {&source_, &target_, &source_}) {
    change(5);
    database->faults().shut_down();
    change(5);
    const std::uint64_t calls =
        database->faults().calls(database == &source_ ? Point::kStartStream : Point::kRecover);
    database->faults().start_up();
    EXPECT_TRUE(becomes_equal()) << calls;
  }
  auto& outcome = task.stop();
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  RunningTask again(request_);
  ASSERT_TRUE(again.phases.wait_for(kOngoing));
  change(3);
  EXPECT_TRUE(becomes_equal());
}

TEST_F(ChangeTaskTest, ALostViewIsFollowedByANewerOneWithItsOwnChanges) {
  source_.faults().add({Point::kRead, "B", 0, 1, std::nullopt});
  {
    RunningTask task(request_);
    ASSERT_TRUE(source_.faults().wait_held(1, kChangeDeadline));
    change(10);
    (void)task.stop().ok();
  }
  source_.forget_history();
  change(10);
  const auto outcome = run_until(Kind::kCaughtUp);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_FALSE(outcome->has_table_errors);
  EXPECT_TRUE(is_equal());
  EXPECT_TRUE(target_.apply_state()->exceptions.empty());
}

TEST_F(ChangeTaskTest, APositionThatIsGoneDemandsAReload) {
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  change(5);
  source_.forget_log(source_.version());
  change(5);
  auto outcome = run_until(Kind::kCaughtUp);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kPositionLost);
  EXPECT_NE(outcome.error().to_paragraph().find("reload-target"), std::string::npos);
  request_.start = StartType::kReloadTarget;
  request_.settings.target_table_prep_mode = connect::ExistingTable::kDrop;
  outcome = run_until(Kind::kCaughtUp);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_TRUE(is_equal());
}

TEST_F(ChangeTaskTest, ACheckpointThatIsGoneIsNotGuessed) {
  {
    RunningTask task(request_);
    ASSERT_TRUE(task.phases.wait_for(kOngoing));
    change(5);
    ASSERT_TRUE(becomes_equal());
    ASSERT_TRUE(task.becomes_counted(
        [](auto& progress) { return progress.apply.checkpoint().has_value(); }));
    ASSERT_TRUE(task.stop().ok());
  }
  ASSERT_TRUE(target_
                  .apply([](memory::Tables&, memory::ApplyState& state) -> Result<void> {
                    state.checkpoints.clear();
                    return {};
                  })
                  .ok());
  const auto outcome = run_until(Kind::kCaughtUp);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, "task.checkpoint_lost");
}

TEST_F(ChangeTaskTest, ChangesAloneBeginAtAPosition) {
  source_.keep_log();
  for (const char* name : kTables) target_.put(changed_table(name), rows(source_, name));
  const std::uint64_t begin = source_.version();
  change(8);
  request_.type = MigrationType::kCdc;
  request_.start_position = "memory:" + std::to_string(begin);
  auto outcome = run_until(Kind::kCaughtUp);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_TRUE(is_equal());
  change(8);
  outcome = run_until(Kind::kCaughtUp);  // the same command goes on
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_TRUE(is_equal());
}

TEST_F(ChangeTaskTest, ItStopsAtAPositionAndAtATime) {
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  change(4);
  const auto at_position = rows(source_, "A");
  const std::string position = "memory:" + std::to_string(source_.version());
  change(4);
  auto outcome = run_until(Kind::kPosition, position);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_EQ(rows(target_, "A"), at_position);
  EXPECT_EQ(outcome->position.text, position);

  const auto at_time = rows(source_, "A");
  request_.stop_when = {Kind::kTime, {}, std::chrono::system_clock::now()};
  change(4);
  RunningTask task(request_);
  outcome = task.end();
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_STREQ(outcome->stop_reason, "Stop Reason STOPPED_AT_COMMIT_TIME");
  EXPECT_EQ(rows(target_, "A"), at_time);
}

TEST_F(ChangeTaskTest, ATableInErrorStaysSuspendedAndTheOthersGoOn) {
  request_.settings.changes.apply.errors.insert = engine::ConflictAction::kSuspendTable;
  request_.settings.changes.ignores_load_conflicts = false;
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  ASSERT_TRUE(target_
                  .transact([](memory::Transaction& work) {
                    return work.insert({"S", "B"}, row_of(101, "somebody else's"));
                  })
                  .ok());
  for (int i = 0; i < 2; ++i) {
    change(5);
    const auto outcome = run_until(Kind::kCaughtUp);
    ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
    EXPECT_TRUE(outcome->has_table_errors);
    EXPECT_EQ(rows(source_, "A"), rows(target_, "A"));
    EXPECT_EQ(rows(source_, "C"), rows(target_, "C"));
    EXPECT_EQ(rows(target_, "B").size(), 21U);
  }
}

TEST_F(ChangeTaskTest, ATableIsLoadedAgainWhileTheOthersGoOn) {
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  change(5);
  ASSERT_TRUE(becomes_equal());
  spoil("B");
  source_.faults().add({Point::kRead, "B", 0, 1, std::nullopt});
  const auto is_running = request_reload(request_.state_directory, {"S.B"});
  ASSERT_TRUE(is_running.ok()) << is_running.error().to_paragraph();
  EXPECT_TRUE(*is_running);
  ASSERT_TRUE(source_.faults().wait_held(1, kChangeDeadline));
  change(9);
  EXPECT_TRUE(becomes_equal({"A", "C"}));
  EXPECT_FALSE(is_equal());
  source_.faults().release();
  EXPECT_TRUE(becomes_equal());
  change(9);
  EXPECT_TRUE(becomes_equal());
  auto& outcome = task.stop();
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_FALSE(outcome->has_table_errors);
  EXPECT_TRUE(target_.apply_state()->exceptions.empty());
}

/// Changes until it is stopped.
class SteadyWriter {
 public:
  explicit SteadyWriter(std::function<void()> change)
      : thread_([change = std::move(change)](const std::stop_token& stop) {
          while (!stop.stop_requested()) change();
        }) {}

 private:
  std::jthread thread_;
};

TEST_F(ChangeTaskTest, ATableThatIsSlowerThanTheSourceJoinsTheOthersAllTheSame) {
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  change(1);
  ASSERT_TRUE(becomes_equal());
  spoil("B");
  // Of B alone: each target transaction takes as long as several looks at how far it is.
  target_.faults().add({Point::kApply, "B", 0, 1'000'000, std::nullopt, 250ms});
  {
    const SteadyWriter writer([this] {
      const std::uint64_t before = target_.version();
      change(1);
      // The others follow at once, and so the writer comes no faster than they do.
      OpContext waiting;
      waiting.deadline = std::chrono::steady_clock::now() + 20ms;
      target_.wait_for_version(waiting, before);
    });
    ASSERT_TRUE(request_reload(request_.state_directory, {"S.B"}).ok());
    const auto is_reloading = [this] {
      const auto tables = TaskState::read_tables(request_.state_directory);
      return tables.ok() && tables->at({"S", "B"}).is_reloading;
    };
    OpContext waiting;
    const auto deadline = std::chrono::steady_clock::now() + kChangeDeadline;
    bool has_begun = false, has_joined = false;
    while (!has_joined && std::chrono::steady_clock::now() < deadline) {
      waiting.deadline = std::chrono::steady_clock::now() + 50ms;
      target_.wait_for_version(waiting, target_.version());
      const bool is_now = is_reloading();
      has_joined = has_begun && !is_now;
      has_begun = has_begun || is_now;
    }
    EXPECT_TRUE(has_joined);
  }
  target_.faults().release();
  EXPECT_TRUE(becomes_equal());
  EXPECT_TRUE(task.stop().ok());
  EXPECT_TRUE(target_.apply_state()->exceptions.empty());
}

TEST_F(ChangeTaskTest, AReloadThatIsCutOffBeginsAnew) {
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  spoil("B");
  spoil("C");
  const auto is_running = request_reload(request_.state_directory, {"S.B", "S.C"});
  ASSERT_TRUE(is_running.ok());
  EXPECT_FALSE(*is_running);
  source_.faults().add({Point::kRead, "C", 0, 1, std::nullopt});
  request_.stop_when = {};
  {
    RunningTask task(request_);
    ASSERT_TRUE(source_.faults().wait_held(1, kChangeDeadline));
    change(4);
    ASSERT_TRUE(task.stop().ok());
  }
  change(4);
  const auto outcome = run_until(Kind::kCaughtUp);
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_FALSE(outcome->has_table_errors);
  EXPECT_TRUE(is_equal());
  change(4);
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  EXPECT_TRUE(is_equal());
  EXPECT_TRUE(target_.apply_state()->exceptions.empty());
}

TEST_F(ChangeTaskTest, AReloadWhoseConnectionsBreakBeginsAnew) {
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  change(5);
  ASSERT_TRUE(becomes_equal());
  spoil("B");
  source_.faults().add({Point::kPrepareStream, "", 0, 2, memory::cut_error()});
  ASSERT_TRUE(request_reload(request_.state_directory, {"S.B"}).ok());
  EXPECT_TRUE(becomes_equal());
  change(5);
  EXPECT_TRUE(becomes_equal());
  const auto known = TaskState::read_tables(request_.state_directory);
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known->at({"S", "B"}).suspended, "");
  auto& outcome = task.stop();
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  EXPECT_FALSE(outcome->has_table_errors);
}

TEST_F(ChangeTaskTest, AReloadThatFailsSuspendsItsTableAndTheNextOneMendsIt) {
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  target_.faults().add(
      {Point::kWrite, "B", 0, 1, make_error(ErrorKind::kData, "test.data", "does not fit")});
  ASSERT_TRUE(request_reload(request_.state_directory, {"S.B"}).ok());
  const auto is_suspended = [&] {
    const auto known = TaskState::read_tables(request_.state_directory);
    return known.ok() && !known->at({"S", "B"}).suspended.empty();
  };
  const auto deadline = std::chrono::steady_clock::now() + kChangeDeadline;
  while (!is_suspended() && std::chrono::steady_clock::now() < deadline) change(1);
  EXPECT_TRUE(is_suspended());
  EXPECT_TRUE(becomes_equal({"A", "C"}));
  ASSERT_TRUE(request_reload(request_.state_directory, {"S.B"}).ok());
  while (is_suspended() && std::chrono::steady_clock::now() < deadline) change(1);
  EXPECT_FALSE(is_suspended());
  EXPECT_TRUE(becomes_equal());
  ASSERT_TRUE(task.stop().ok());
}

TEST_F(ChangeTaskTest, ATableThatWasSuspendedFollowsAgainOnceItIsLoadedAgain) {
  request_.settings.changes.apply.errors.insert = engine::ConflictAction::kSuspendTable;
  request_.settings.changes.ignores_load_conflicts = false;
  RunningTask task(request_);
  ASSERT_TRUE(task.phases.wait_for(kOngoing));
  ASSERT_TRUE(target_
                  .transact([](memory::Transaction& work) {
                    return work.insert({"S", "B"}, row_of(101, "somebody else's"));
                  })
                  .ok());
  change(5);
  EXPECT_TRUE(becomes_equal({"A", "C"}));
  EXPECT_NE(rows(source_, "B"), rows(target_, "B"));
  ASSERT_TRUE(request_reload(request_.state_directory, {"S.B"}).ok());
  EXPECT_TRUE(becomes_equal());
  change(5);
  EXPECT_TRUE(becomes_equal());
  auto& outcome = task.stop();
  ASSERT_TRUE(outcome.ok()) << outcome.error().to_paragraph();
  RunningTask again(request_);
  ASSERT_TRUE(again.phases.wait_for(kOngoing));
  change(5);
  EXPECT_TRUE(becomes_equal());
}

TEST_F(ChangeTaskTest, AReloadOfAnUnknownTableIsRefused) {
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  const auto refused = request_reload(request_.state_directory, {"S.B", "S.D"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "reload.unknown_table");
  EXPECT_NE(refused.error().message.find("S.D"), std::string::npos);
}

TEST_F(ChangeTaskTest, ATaskOfAnotherTypeIsRefused) {
  ASSERT_TRUE(run_until(Kind::kCaughtUp).ok());
  request_.type = MigrationType::kCdc;
  const auto outcome = run_until(Kind::kCaughtUp);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, "task.other_type");
}

}  // namespace
}  // namespace wherry::control
