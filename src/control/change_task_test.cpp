#include "control/change_task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "connect/memory/connector.h"
#include "control/reload_request.h"

namespace wherry::control {
namespace {

using memory::Point;
using memory::Row;
using memory::Value;
using Kind = StopCondition::Kind;

constexpr std::chrono::seconds kChangeDeadline{30};
constexpr const char* kOngoing = "ongoing replication";

schema::TableDef changed_table(const std::string& name) {
  schema::TableDef def;
  def.table = {"S", name};
  def.columns.resize(2);
  def.columns[0].name = "ID";
  def.columns[0].type.kind = schema::TypeKind::kInt64;
  def.columns[0].nullable = false;
  def.columns[1].name = "NAME";
  def.columns[1].type.kind = schema::TypeKind::kText;
  def.keys = {{"PK", {"ID"}, true}};
  return def;
}

Row row_of(std::int64_t id, const std::string& text) {
  return {Value::integer(id), Value::text(text)};
}

class WatchedPhases final : public TaskObserver {
 public:
  void on_phase(const std::string& phase) override {
    std::lock_guard lock(mutex_);
    phases_.push_back(phase);
    changed_.notify_all();
  }
  void on_load(std::shared_ptr<const engine::LoadProgress>) override {}
  void on_validation(std::shared_ptr<const engine::ValidationProgress>) override {}
  void on_changes(std::shared_ptr<const ChangeProgress> progress) override {
    std::lock_guard lock(mutex_);
    progress_ = std::move(progress);
  }
  [[nodiscard]] bool wait_for(const std::string& phase) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kChangeDeadline, [&] {
      return std::find(phases_.begin(), phases_.end(), phase) != phases_.end();
    });
  }
  [[nodiscard]] std::vector<std::string> phases() const {
    std::lock_guard lock(mutex_);
    return phases_;
  }
  [[nodiscard]] std::shared_ptr<const ChangeProgress> progress() const {
    std::lock_guard lock(mutex_);
    return progress_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> phases_;
  std::shared_ptr<const ChangeProgress> progress_;
};

/// A task that runs in a thread of its own until it is stopped or ends.
class RunningTask {
 public:
  explicit RunningTask(const TaskRequest& request)
      : outcome_(make_error(ErrorKind::kInternal, "test.running", "it has not ended")),
        thread_([this, request] {
          OpContext context{stop_.get_token(), std::chrono::steady_clock::time_point::max(), {}};
          outcome_ = run_change_task(context, request, phases);
        }) {}
  ~RunningTask() { (void)stop().ok(); }
  Result<ChangeOutcome>& stop() {
    stop_.request_stop();
    return end();
  }
  Result<ChangeOutcome>& end() {
    if (thread_.joinable()) thread_.join();
    return outcome_;
  }

  WatchedPhases phases;

 private:
  std::stop_source stop_;
  Result<ChangeOutcome> outcome_;
  std::thread thread_;
};

class ChangeTaskTest : public ::testing::Test {
 protected:
  ChangeTaskTest() : source_(connector_.create("source")), target_(connector_.create("target")) {
    std::string pattern = (std::filesystem::temp_directory_path() / "wherry-task-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    request_.source = {&connector_, memory::MemoryConnector::settings("source")};
    request_.target = {&connector_, memory::MemoryConnector::settings("target")};
    request_.state_directory = directory_ / "state";
    request_.type = MigrationType::kFullLoadAndCdc;
    request_.settings.max_full_load_subtasks = 2;
    request_.settings.retry.wait = std::chrono::milliseconds(1);
    request_.settings.retry.most_wait = std::chrono::milliseconds(10);
    request_.settings.retry.stops_at_most_wait = false;
    request_.settings.changes.apply.retry = request_.settings.retry;
    request_.settings.changes.apply.release_interval = std::chrono::milliseconds(10);
    for (const char* name : kTables) {
      std::vector<Row> rows;
      for (int id = 0; id < 20; ++id) rows.push_back(row_of(id, name + std::to_string(id)));
      source_.put(changed_table(name), rows);
    }
  }
  ~ChangeTaskTest() override { std::filesystem::remove_all(directory_); }

  /// Transactions over all tables, in an order of tables that differs from time to time.
  void change(int transactions) {
    for (int i = 0; i < transactions; ++i) {
      const int number = ++changes_;
      ASSERT_TRUE(source_
                      .transact([&](memory::Transaction& work) -> Result<void> {
                        for (int t = 0; t < 3; ++t) {
                          const std::string name = kTables[(t + number) % 3];
                          const schema::TableRef table{"S", name};
                          const std::string text = name + " changed " + std::to_string(number);
                          WHERRY_TRY(work.insert(table, row_of(100 + number, text)));
                          WHERRY_TRY(work.update(table, {Value::integer(number % 10)},
                                                 row_of(number % 10, text)));
                          if (number > 1 && number % 3 == 0) {
                            WHERRY_TRY(work.remove(table, {Value::integer(100 + number - 1)}));
                          }
                        }
                        return {};
                      })
                      .ok());
    }
  }

  [[nodiscard]] std::vector<Row> rows(const memory::Database& database, const char* name) const {
    const auto table = database.find({"S", name});
    std::vector<Row> out = table ? table->rows : std::vector<Row>();
    std::sort(out.begin(), out.end(),
              [](const Row& a, const Row& b) { return a[0].i64 < b[0].i64; });
    return out;
  }
  [[nodiscard]] bool is_equal() const {
    return std::all_of(std::begin(kTables), std::end(kTables), [&](const char* name) {
      return rows(source_, name) == rows(target_, name);
    });
  }
  /// What somebody else does to a table of the target.
  void spoil(const char* name) {
    ASSERT_TRUE(target_
                    .transact([&](memory::Transaction& work) -> Result<void> {
                      WHERRY_TRY(work.remove({"S", name}, {Value::integer(15)}));
                      return work.insert({"S", name}, row_of(7000, "somebody else's"));
                    })
                    .ok());
  }
  /// Waits until the target has what the source has.
  [[nodiscard]] bool becomes_equal(std::vector<const char*> names = {"A", "B", "C"}) const {
    const auto are_equal = [&] {
      return std::all_of(names.begin(), names.end(), [&](const char* name) {
        return rows(source_, name) == rows(target_, name);
      });
    };
    OpContext context;
    context.deadline = std::chrono::steady_clock::now() + kChangeDeadline;
    while (std::chrono::steady_clock::now() < context.deadline) {
      const std::uint64_t version = target_.version();
      if (are_equal()) return true;
      target_.wait_for_version(context, version);
    }
    return false;
  }
  Result<ChangeOutcome> run_until(Kind kind, const std::string& position = {}) {
    request_.stop_when = {kind, position, {}};
    RunningTask task(request_);
    return task.end();
  }

  static constexpr const char* kTables[] = {"A", "B", "C"};
  std::filesystem::path directory_;
  memory::MemoryConnector connector_;
  memory::Database& source_;
  memory::Database& target_;
  TaskRequest request_;
  int changes_ = 0;
};

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
  // A commit is counted once it has been answered.
  const auto progress = task.phases.progress();
  const auto deadline = std::chrono::steady_clock::now() + kChangeDeadline;
  while (progress->applied().all() < 420 && std::chrono::steady_clock::now() < deadline) {
    const auto& signal = progress->apply.changes();
    signal.wait(signal.count(), std::chrono::milliseconds(50), {});
  }
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
