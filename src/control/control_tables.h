// Keeps the control tables of a full load up to date on the target while it runs: status, history,
// suspended tables. What cannot be written after the start is logged and stops nobody.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "connect/api/connector.h"
#include "control/task_settings.h"
#include "engine/full_load.h"

namespace wherry::control {

/// What the connector is to keep; the task is named after its state directory.
connect::ControlTables control_tables_of(const TaskSettings& settings,
                                         const std::string& task_name);

class LoadRecorder {
 public:
  /// `writer` may be nullptr: then nothing is recorded. Writes the status "FULL LOAD".
  LoadRecorder(OpContext& context, std::shared_ptr<connect::ControlWriter> writer,
               const ControlTableSettings& settings,
               std::shared_ptr<const engine::LoadProgress> progress, bool is_followed = false);
  /// Writes the last slot, the suspended tables and, unless changes follow, "NOT RUNNING".
  ~LoadRecorder();
  LoadRecorder(const LoadRecorder&) = delete;
  LoadRecorder& operator=(const LoadRecorder&) = delete;

 private:
  void keep_history();
  void write_slot();
  void write_tables();
  void note(const Result<void>& written);

  Logger log_;
  OpContext context_;  ///< of its own: the last words are written after a stop, too
  std::shared_ptr<connect::ControlWriter> writer_;
  const bool is_followed_;
  const std::uint32_t slot_minutes_;
  std::shared_ptr<const engine::LoadProgress> progress_;
  std::uint64_t recorded_rows_ = 0;
  std::uint64_t recorded_bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_over_ = false;
  std::thread history_;
};

}  // namespace wherry::control
