// What a task remembers between runs: the load's position and how far each table has come. A JSON
// file, replaced as a whole (written beside, flushed, renamed), and a journal of what has happened
// since, flushed line by line: a crash at any instant loses at most what had not returned yet. The
// directory is locked while a task uses it. Format: docs/design/task-state.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "core/position.h"
#include "core/result.h"
#include "schema/table_def.h"

namespace wherry::control {

enum class TablePhase : std::uint8_t {
  kPlanned,
  kStarted,     ///< planned in chunks; the target's ledger knows which of them are durable
  kCommitting,  ///< without a ledger: the rows may be durable on the target, or not
  kLoaded,      ///< the rows are durable, the key is missing
  kComplete,
};

struct TableRecord {
  TablePhase phase = TablePhase::kPlanned;
  bool target_existed = false;  ///< before this task made anything
  bool was_empty = false;       ///< it existed without a row
  bool may_double = false;      ///< engine::TableTask::may_double
  std::uint64_t rows = 0;       ///< these three: from kLoaded on
  std::uint64_t refused_rows = 0;
  std::uint64_t truncated_values = 0;
  std::uint64_t attempt = 1;                ///< counts how often the table was begun anew
  Position position = {};                   ///< of its own; empty: the load's
  std::vector<connect::Chunk> chunks = {};  ///< from kStarted on, until kLoaded
};
using TableRecords = std::map<schema::TableRef, TableRecord>;  ///< by the source's name

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
  /// Names this load in the target's ledger: unlike any other load's name.
  [[nodiscard]] const std::string& load_id() const { return load_id_; }
  /// nullopt for a table that the task did not know when it began.
  [[nodiscard]] std::optional<TableRecord> find(const schema::TableRef& table) const;
  /// kConfig "state.other_task" when the directory belongs to another source or target.
  Result<void> check_identity(const std::string& source, const std::string& target) const;
  /// Forgets everything and begins a load of `tables` at `position`; durable when it returns.
  Result<void> begin(const std::string& source, const std::string& target, const Position& position,
                     TableRecords tables);
  /// Adds tables, or replaces what is known of them; durable when it returns.
  Result<void> add(const TableRecords& tables);
  /// Records how far a known table has come; durable when it returns. Thread-safe.
  Result<void> record(const schema::TableRef& table, TableRecord record);

 private:
  TaskState(std::filesystem::path directory, int lock_fd)
      : directory_(std::move(directory)), lock_fd_(lock_fd) {}
  Result<void> load();
  Result<void> replay();
  Result<void> save();
  Result<void> open_journal();

  std::filesystem::path directory_;
  int lock_fd_;
  int journal_fd_ = -1;
  mutable std::mutex mutex_;
  std::string source_, target_;
  Position position_;
  std::string load_id_;
  std::uint64_t generation_ = 0;  ///< counts begin(); lines of the journal bear it
  TableRecords tables_;
};

}  // namespace wherry::control
