// A task with changes between two databases in memory, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "connect/memory/connector.h"
#include "control/change_task.h"

namespace wherry::control {

using memory::Point;
using memory::Row;
using memory::Value;
using Kind = StopCondition::Kind;

inline constexpr std::chrono::seconds kChangeDeadline{30};
inline constexpr const char* kOngoing = "ongoing replication";

inline schema::TableDef changed_table(const std::string& name) {
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

inline Row row_of(std::int64_t id, const std::string& text) {
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
  void on_validation(std::shared_ptr<const engine::ValidationProgress> progress) override {
    std::lock_guard lock(mutex_);
    validation_ = std::move(progress);
  }
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
  [[nodiscard]] std::shared_ptr<const engine::ValidationProgress> validation() const {
    std::lock_guard lock(mutex_);
    return validation_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> phases_;
  std::shared_ptr<const engine::ValidationProgress> validation_;
  std::shared_ptr<const ChangeProgress> progress_;
};

/// A task that runs in a thread of its own until it is stopped or ends.
class RunningTask {
 public:
  explicit RunningTask(const TaskRequest& request, const Logger& log = {})
      : outcome_(make_error(ErrorKind::kInternal, "test.running", "it has not ended")),
        thread_([this, request, log] {
          OpContext context{stop_.get_token(), std::chrono::steady_clock::time_point::max(), log};
          outcome_ = run_change_task(context, request, phases);
          has_ended_.set_value();
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
  [[nodiscard]] bool ends_within(std::chrono::milliseconds limit) {
    return end_.wait_for(limit) == std::future_status::ready;
  }
  /// A commit is counted once it has been answered, and the target shows it before that.
  template <class Condition>
  bool becomes_counted(const Condition& is_counted) {
    const auto progress = phases.progress();
    const auto deadline = std::chrono::steady_clock::now() + kChangeDeadline;
    const auto& signal = progress->apply.changes();
    while (!is_counted(*progress)) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      signal.wait(signal.count(), std::chrono::milliseconds(50), {});
    }
    return true;
  }

  WatchedPhases phases;

 private:
  std::stop_source stop_;
  std::promise<void> has_ended_;
  std::future<void> end_ = has_ended_.get_future();
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

}  // namespace wherry::control
