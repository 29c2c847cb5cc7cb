// Moves the rows of many tables from one snapshot to one target: segments in parallel, each with a
// reader thread and a writer thread joined by a short queue of recycled batches.
//
// A segment is atomic at the target. A table in error does not stop the others; an error that no
// other table would survive (connection gone after retries, disk full, stop asked for) ends the
// load.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "connect/api/connector.h"
#include "engine/change_signal.h"

namespace wherry::engine {

/// As DMS names them ("Table statistics", TableState).
enum class TableState : std::uint8_t {
  kBeforeLoad,
  kFullLoad,
  kTableCompleted,
  kTableError,
  kTableCancelled,
};
/// "Before load", "Full load", "Table completed", "Table error", "Table cancelled".
std::string_view name_of(TableState state);

/// One table's progress; written by the load, read by anyone at any time.
struct TableProgress {
  schema::TablePlanPtr plan;
  std::atomic<TableState> state{TableState::kBeforeLoad};
  std::atomic<std::uint64_t> rows{0};           ///< sent to the target
  std::atomic<std::uint64_t> bytes{0};          ///< of cells and values read
  std::atomic<std::int64_t> wait_input_ns{0};   ///< writer without a batch: the source is slow
  std::atomic<std::int64_t> wait_output_ns{0};  ///< reader without a free batch: the target is slow
  std::atomic<std::int64_t> started_ns{0};      ///< of the steady clock; 0: not yet
  std::atomic<std::int64_t> elapsed_ns{0};      ///< 0 until the table has ended
  std::optional<Error> error;                   ///< set before state becomes kTableError
  /// Up to now while the table is loaded, in all afterwards.
  [[nodiscard]] std::chrono::nanoseconds elapsed() const;
};

/// All tables of a load. The deque keeps addresses; it does not change once the load has begun.
class LoadProgress {
 public:
  TableProgress& add(schema::TablePlanPtr plan);
  [[nodiscard]] const std::deque<TableProgress>& tables() const { return tables_; }
  [[nodiscard]] std::deque<TableProgress>& tables() { return tables_; }
  void set_state(TableProgress& table, TableState state);
  /// Tells every change of a table's state.
  [[nodiscard]] const ChangeSignal& changes() const { return changes_; }

 private:
  std::deque<TableProgress> tables_;
  ChangeSignal changes_;
};

struct LoadOptions {
  std::uint32_t max_subtasks = 8;  ///< MaxFullLoadSubTasks
  std::size_t batch_bytes = 512 * 1024;
  std::size_t batch_rows = 10'000;  ///< CommitRate: a buffer holds no more rows than that
  std::size_t batches_per_segment = 4;
  connect::ExistingTable existing = connect::ExistingTable::kDrop;
  std::uint32_t max_attempts = 3;              ///< of a table, on transient errors
  std::chrono::milliseconds retry_delay{500};  ///< doubles with every attempt
};

/// A table to load and what the source's catalogue said of it.
struct TableTask {
  schema::TablePlanPtr plan;
  schema::TableDef definition;
  /// The target table was there before this task touched it, so what is in it may be somebody
  /// else's. Matters for ExistingTable::kKeep only, where it forbids to clean up before a new try.
  bool target_existed = true;
  /// An earlier run has begun with the table, so a target table that did not exist before is its
  /// own.
  bool was_started = false;
  /// An earlier run has made all rows durable; only the key is missing.
  bool is_loaded = false;
};

/// Told of the milestones of each table, so that a later run knows what is on the target.
/// Thread-safe; an error is fatal for the load.
class LoadJournal {
 public:
  virtual ~LoadJournal() = default;
  /// The target table is about to be touched.
  virtual Result<void> on_start(const TableTask& task) = 0;
  /// The rows are about to become durable: after a crash nobody knows whether they did.
  virtual Result<void> on_commit(const TableTask& task) = 0;
  /// All rows are durable.
  virtual Result<void> on_loaded(const TableTask& task, std::uint64_t rows) = 0;
  /// The table has its key as well: nothing is left to do.
  virtual Result<void> on_complete(const TableTask& task, std::uint64_t rows) = 0;
};

/// Loads `tasks` in their order. `progress` must hold one entry a task, in the same order. The
/// result is the fatal error, if any; table errors are in `progress`. REQUIRES: max_subtasks > 0.
Result<void> run_full_load(OpContext& context, connect::SnapshotSource& source,
                           connect::TargetLoader& target, const std::vector<TableTask>& tasks,
                           const LoadOptions& options, LoadProgress& progress,
                           LoadJournal& journal);

/// True for errors that concern one table only.
bool is_table_error(const Error& error);

}  // namespace wherry::engine
