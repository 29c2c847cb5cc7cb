// Keys of ongoing replication: when changes are committed at the target, where they wait, where the
// task stops.
#include "control/settings_bench.h"

namespace wherry::control {
namespace {

std::string failure_of_task(const Result<ChangeOutcome>& outcome) {
  return outcome.ok() ? "" : outcome.error().code;
}

/// What the source has committed while the task was stopped is taken at once.
std::size_t commits_of_backlog(SettingsBench& bench) {
  const auto task = bench.start_task(Kind::kCaughtUp);
  EXPECT_EQ(failure_of_task(task->end()), "");
  return task->phases.progress()->apply.commits();
}

std::string twenty_transactions(SettingsBench& bench) {
  EXPECT_EQ(failure_of_task(bench.catch_up()), "");
  bench.insert("A", 100, 20);
  const std::size_t commits = commits_of_backlog(bench);
  EXPECT_EQ(bench.rows_on_target(), 40U);
  return commits == 1 ? "one commit" : commits >= 20 ? "one commit each" : "some commits";
}

/// 240 rows of 10,000 bytes.
std::string large_transactions(SettingsBench& bench) {
  EXPECT_EQ(failure_of_task(bench.catch_up()), "");
  bench.insert("A", 100, 240, std::string(10'000, 'x'));
  return commits_of_backlog(bench) == 1 ? "one commit" : "some commits";
}

std::string lanes_at_once(SettingsBench& bench) {
  EXPECT_EQ(failure_of_task(bench.catch_up()), "");
  for (const char* name : {"A", "B", "C"}) bench.insert(name, 100, 1);
  bench.target.faults().add({Point::kApply, {}, 0, 100, std::nullopt});
  const auto task = bench.start_task();
  return fmt::format("{} at once", held_at_once(bench.target.faults(), 3));
}

/// Whether a change comes to the target while nothing else happens.
std::string second_change(SettingsBench& bench) {
  const auto task = bench.start_task();
  EXPECT_TRUE(task->phases.wait_for(kOngoing));
  bench.insert("A", 100, 1);
  (void)bench.comes(100, kPatience);  // the first may have waited for long enough before it came
  bench.insert("A", 101, 1);
  return bench.comes(101, kPatience) ? "comes" : "waits";
}

/// While the target is slow; 1.5 MB, in memory and, if they must, on disk.
std::string place_to_wait(SettingsBench& bench) {
  const auto task = bench.start_task();
  EXPECT_TRUE(task->phases.wait_for(kOngoing));
  for (const int id : {100, 101}) {
    bench.insert("A", id, 1);
    EXPECT_TRUE(bench.comes(id, kChangeDeadline));
  }
  bench.target.faults().add(
      {Point::kApply, {}, 0, 100, std::nullopt, std::chrono::milliseconds(100)});
  bench.insert("A", 200, 50, std::string(30'000, 'x'));
  EXPECT_TRUE(bench.comes(249, kChangeDeadline));
  return bench.heard.count("changes wait on disk") == 0 ? "in memory" : "on disk";
}

/// The source goes away before the changes have come to where the task goes on.
std::string return_of_the_source(SettingsBench& bench) {
  bench.settings.retry.wait = std::chrono::milliseconds(20);
  bench.settings.retry.doubles = false;
  if (auto& limit = bench.settings.changes.recovery_limit) *limit /= 600;  // minutes are long
  EXPECT_EQ(failure_of_task(bench.catch_up()), "");
  bench.insert("A", 100, 1);
  bench.source.faults().add({Point::kStartStream, {}, 0, 1, std::nullopt});
  const auto task = bench.start_task();
  EXPECT_TRUE(bench.source.faults().wait_held(1, kChangeDeadline));
  bench.source.faults().shut_down();
  if (task->ends_within(kPatience)) return failure_of_task(task->end());
  bench.source.faults().start_up();
  return bench.comes(100, kChangeDeadline) ? "goes on" : "stands still";
}

std::string place_to_stop(SettingsBench& bench) {
  const auto outcome = bench.catch_up();
  return outcome.ok() ? outcome->stop_reason : failure_of_task(outcome);
}

}  // namespace

SettingCases change_setting_cases() {
  const std::string batch = R"({"TargetMetadata": {"BatchApplyEnabled": true}})";
  const std::string slow_batches = R"({"ChangeProcessingTuning": {"BatchApplyTimeoutMin": 60,
      "BatchApplyTimeoutMax": 3600}})";
  const std::string patient = R"({"TargetMetadata": {"BatchApplyEnabled": true},
      "ChangeProcessingTuning": {"BatchApplyTimeoutMax": 3600}})";
  const std::string eager = R"({"TargetMetadata": {"BatchApplyEnabled": true},
      "ChangeProcessingTuning": {"BatchApplyTimeoutMin": 0}})";
  const std::string tight = R"({"ChangeProcessingTuning": {"MemoryLimitTotal": 4}})";
  return {
      {"/TargetMetadata/BatchApplyEnabled",
       second_change,
       {{"false", "comes"}, {"true", "waits"}},
       slow_batches},
      {"/TargetMetadata/ParallelApplyThreads",
       lanes_at_once,
       {{"0", "1 at once"}, {"3", "3 at once"}}},
      {"/ChangeProcessingTuning/BatchApplyTimeoutMin",
       second_change,
       {{"0", "comes"}, {"60", "waits"}},
       patient},
      {"/ChangeProcessingTuning/BatchApplyTimeoutMax",
       twenty_transactions,
       {{"30", "one commit"}, {"0", "one commit each"}},
       eager},
      {"/ChangeProcessingTuning/BatchApplyMemoryLimit",
       large_transactions,
       {{"500", "one commit"}, {"1", "some commits"}},
       patient},
      {"/ChangeProcessingTuning/BatchSplitSize",
       twenty_transactions,
       {{"0", "one commit"}, {"1", "one commit each"}, {"7", "some commits"}},
       batch},
      {"/ChangeProcessingTuning/MinTransactionSize",
       twenty_transactions,
       {{"1000", "one commit"}, {"1", "some commits"}}},
      {"/ChangeProcessingTuning/CommitTimeout",
       twenty_transactions,
       {{"60", "one commit"}, {"0", "one commit each"}}},
      {"/ChangeProcessingTuning/MemoryLimitTotal",
       place_to_wait,
       {{"1024", "in memory"}, {"1", "on disk"}}},
      {"/ChangeProcessingTuning/MemoryKeepTime",
       place_to_wait,
       {{"60", "in memory"}, {"0", "on disk"}},
       tight},
      {"/ChangeProcessingTuning/RecoveryTimeout",
       return_of_the_source,
       {{"-1", "goes on"}, {"1", "feed.recovery_timeout"}}},
      {"/FullLoadSettings/StopTaskCachedChangesNotApplied",
       place_to_stop,
       {{"false", "Stop Reason NORMAL"}, {"true", "Stop Reason STOPPED_AFTER_FULL_LOAD"}}},
      {"/FullLoadSettings/StopTaskCachedChangesApplied",
       place_to_stop,
       {{"false", "Stop Reason NORMAL"}, {"true", "Stop Reason STOPPED_AFTER_CACHED_EVENTS"}}},
  };
}

}  // namespace wherry::control
