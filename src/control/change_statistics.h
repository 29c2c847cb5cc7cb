// What a task has counted of its tables' changes, kept in its state directory so that it survives
// the run: table by table, what was captured and what was applied. Format:
// docs/design/task-state.md.
//
// What is counted is on the target, but not every target transaction has its own file: after a kill
// the numbers of the last second or so are missing, and of a commit that a stop has overtaken.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>

#include "control/task_state.h"
#include "core/log.h"
#include "engine/changes/apply_progress.h"

namespace wherry::control {

class ChangeStatistics {
 public:
  /// Gives `progress` what earlier runs of the task have counted. What cannot be read is logged,
  /// and counting begins anew.
  ChangeStatistics(const TaskState& state, engine::ApplyProgress& progress, Logger log);
  /// Saves.
  ~ChangeStatistics();
  ChangeStatistics(const ChangeStatistics&) = delete;
  ChangeStatistics& operator=(const ChangeStatistics&) = delete;

  /// Saves what has changed, once a second at most; failures are logged and stop nobody.
  void save_now_and_then();

 private:
  using Counts = std::map<schema::TableRef, engine::TableApplyCounts>;
  void restore();
  void save();
  [[nodiscard]] Counts counts() const;

  const std::filesystem::path file_;
  const std::uint64_t generation_;
  engine::ApplyProgress& progress_;
  const Logger log_;
  Counts saved_;
  std::chrono::steady_clock::time_point next_save_;
  bool has_failed_ = false;  ///< and the log says so
};

}  // namespace wherry::control
