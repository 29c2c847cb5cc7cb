// Keeps what a task with changes must not forget, and what people read of it on the target: the
// state directory, and the control tables awsdms_status, awsdms_history, awsdms_suspended_tables.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "connect/api/connector.h"
#include "control/change_progress.h"
#include "control/task_settings.h"
#include "control/task_state.h"
#include "engine/changes/apply.h"

namespace wherry::control {

/// Writes the control tables while changes are applied; what cannot be written is logged and stops
/// nobody. Thread-safe.
class ChangeRecorder {
 public:
  /// `writer` may be nullptr: then nothing is recorded. Writes the status "CHANGE PROCESSING".
  ChangeRecorder(const OpContext& context, std::shared_ptr<connect::ControlWriter> writer,
                 const ControlTableSettings& settings,
                 std::shared_ptr<const ChangeProgress> progress);
  /// Writes the last slot and the status "NOT RUNNING".
  ~ChangeRecorder();
  ChangeRecorder(const ChangeRecorder&) = delete;
  ChangeRecorder& operator=(const ChangeRecorder&) = delete;

  void suspend(const schema::TableRef& target, const std::string& reason);
  void end_suspension(const schema::TableRef& target);

 private:
  void keep();
  void write_status(std::string_view status);
  void write_slot();
  void note(const Result<void>& written);
  [[nodiscard]] connect::StatusFigures figures() const;

  Logger log_;
  OpContext context_;  ///< of its own: the last words are written after a stop, too
  std::mutex writer_mutex_;
  std::shared_ptr<connect::ControlWriter> writer_;
  const ControlTableSettings settings_;
  std::shared_ptr<const ChangeProgress> progress_;
  std::uint64_t recorded_changes_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_over_ = false;
  std::thread keeper_;
};

/// What the apply tells goes into the state directory before it counts. Thread-safe.
class StateEvents final : public engine::ApplyEvents {
 public:
  StateEvents(TaskState& state, ChangeRecorder& recorder, Logger log)
      : state_(state), recorder_(recorder), log_(std::move(log)) {}
  Result<void> on_suspended(const schema::TablePlan& plan, const Error& error) override;
  Result<void> on_plan(const schema::TableRef& source, const engine::LaterPlan& later) override;
  Result<void> on_reload(const schema::TableRef& source) override;

 private:
  TaskState& state_;
  ChangeRecorder& recorder_;
  const Logger log_;
};

}  // namespace wherry::control
