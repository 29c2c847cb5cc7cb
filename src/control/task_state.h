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
#include <string_view>
#include <vector>

#include "connect/api/connector.h"
#include "core/position.h"
#include "core/result.h"
#include "engine/changes/apply.h"
#include "schema/table_def.h"

namespace wherry::control {

enum class MigrationType : std::uint8_t { kFullLoad, kCdc, kFullLoadAndCdc };
/// "full-load", "cdc", "full-load-and-cdc".
std::string_view name_of(MigrationType type);

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
  // Of a task with changes:
  connect::CommitOrder order = 0;  ///< the rows hold what was committed at or before it
  schema::TablePlanPtr plan = {};  ///< its changes are applied by, until one of `later` counts
  std::vector<engine::LaterPlan> later = {};
  std::string suspended = {};  ///< why its changes are given up; empty: they are not
  bool is_reloading = false;   ///< it is being loaded again, beside the others' changes
};
/// DDL of the source has made it, and it is still to be loaded.
bool is_new_table(const TableRecord& record);
/// … once everything up to `until` is applied.
bool is_due_new_table(const TableRecord& record, connect::CommitOrder until);
using TableRecords = std::map<schema::TableRef, TableRecord>;  ///< by the source's name

/// How far a task with changes has come.
enum class TaskStage : std::uint8_t {
  kLoading,
  kLoaded,      ///< every table that can be is loaded
  kConsistent,  ///< the target has everything up to StreamRecord::cached_until
};
/// What a task with changes knows of its stream.
struct StreamRecord {
  MigrationType type = MigrationType::kFullLoad;  ///< kFullLoad: it has none
  std::string name;                               ///< of slot, publication and checkpoints
  Position position;                              ///< the stream begins after
  connect::CommitOrder order = 0;                 ///< there
  TaskStage stage = TaskStage::kLoading;
  /// From kLoaded on: changes up to here were cached while the tables were loaded.
  connect::CommitOrder cached_until = 0;
  bool has_checkpoint = false;  ///< the target has had one
};

class TaskState {
 public:
  /// Creates the directory when missing and takes its lock. kConfig "state.in_use" when another
  /// process holds it, "state.damaged" when the file cannot be read; kResource for I/O.
  static Result<std::unique_ptr<TaskState>> open(const std::filesystem::path& directory);
  /// What is known of the task, without its lock: for whoever only asks, while it may be running.
  /// REQUIRES: nothing is written through it.
  static Result<std::unique_ptr<TaskState>> read(const std::filesystem::path& directory);
  /// The tables alone.
  static Result<TableRecords> read_tables(const std::filesystem::path& directory);
  /// Whether a process is working with the directory.
  static bool is_in_use(const std::filesystem::path& directory);
  ~TaskState();
  TaskState(const TaskState&) = delete;
  TaskState& operator=(const TaskState&) = delete;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] bool is_fresh() const { return position_.empty(); }
  [[nodiscard]] const Position& position() const { return position_; }
  /// Names this load in the target's ledger: unlike any other load's name.
  [[nodiscard]] const std::string& load_id() const { return load_id_; }
  /// Counts the fresh starts of the directory.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// nullopt for a table that the task did not know when it began.
  [[nodiscard]] std::optional<TableRecord> find(const schema::TableRef& table) const;
  [[nodiscard]] TableRecords tables() const;
  [[nodiscard]] StreamRecord stream() const;
  /// is_due_new_table() of any.
  [[nodiscard]] bool has_new_table(connect::CommitOrder until) const;
  /// kConfig "state.other_task" when the directory belongs to another source or target.
  Result<void> check_identity(const std::string& source, const std::string& target) const;
  /// Forgets everything and begins a load of `tables` at `position`; durable when it returns.
  Result<void> begin(const std::string& source, const std::string& target, const Position& position,
                     TableRecords tables, StreamRecord stream = {});
  /// Adds tables, or replaces what is known of them; durable when it returns.
  Result<void> add(const TableRecords& tables);
  /// Records how far a known table has come; durable when it returns. Thread-safe.
  Result<void> record(const schema::TableRef& table, TableRecord record);
  // As record():
  Result<void> set_stage(TaskStage stage, connect::CommitOrder cached_until);
  Result<void> note_checkpoint();
  /// `reason`: not empty.
  Result<void> suspend(const schema::TableRef& table, const std::string& reason);
  /// Of a table that the task may not know yet: DDL has made it.
  Result<void> add_plan(const schema::TableRef& table, const engine::LaterPlan& later);

 private:
  TaskState(std::filesystem::path directory, int lock_fd)
      : directory_(std::move(directory)), lock_fd_(lock_fd) {}
  Result<void> load();
  Result<void> replay();
  Result<void> save();
  Result<void> open_journal();
  /// REQUIRES: mutex_ is held.
  Result<void> append(const std::string& line);

  std::filesystem::path directory_;
  int lock_fd_;
  int journal_fd_ = -1;
  mutable std::mutex mutex_;
  std::string source_, target_;
  Position position_;
  std::string load_id_;
  std::uint64_t generation_ = 0;  ///< counts begin(); lines of the journal bear it
  TableRecords tables_;
  StreamRecord stream_;
};

}  // namespace wherry::control
