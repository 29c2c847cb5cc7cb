// What a task remembers between runs: the load's position and which tables are done. One JSON file,
// replaced as a whole (written beside, flushed, renamed), so that a crash leaves the old or the new.
// The directory is locked while a task uses it. Format: docs/design/task-state.md.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/position.h"
#include "core/result.h"
#include "schema/table_def.h"

namespace wherry::control {

class TaskState {
 public:
  /// Creates the directory when missing and takes its lock. kConfig "state.in_use" when another
  /// process holds it, "state.damaged" when the file cannot be read; kResource for I/O.
  static Result<std::unique_ptr<TaskState>> open(const std::filesystem::path& directory);
  ~TaskState();
  TaskState(const TaskState&) = delete;
  TaskState& operator=(const TaskState&) = delete;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] bool is_fresh() const { return position_.empty(); }
  [[nodiscard]] const Position& position() const { return position_; }
  [[nodiscard]] bool is_complete(const schema::TableRef& table) const;
  /// kConfig "state.other_task" when the directory belongs to another source or target.
  Result<void> check_identity(const std::string& source, const std::string& target) const;
  /// Forgets everything and begins a load at `position`; durable when it returns.
  Result<void> begin(const std::string& source, const std::string& target,
                     const Position& position);
  /// Records a finished table; durable when it returns. Thread-safe.
  Result<void> complete(const schema::TableRef& table, std::uint64_t rows);

 private:
  explicit TaskState(std::filesystem::path directory, int lock_fd)
      : directory_(std::move(directory)), lock_fd_(lock_fd) {}
  Result<void> load();
  Result<void> save() const;

  std::filesystem::path directory_;
  int lock_fd_;
  mutable std::mutex mutex_;
  std::string source_, target_;
  Position position_;
  std::map<schema::TableRef, std::uint64_t> completed_rows_;
};

}  // namespace wherry::control
