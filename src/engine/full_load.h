// Moves the rows of many tables from a source to one target: segments in parallel, each with a
// reader thread and a writer thread joined by a short queue of recycled batches.
//
// A table is a list of chunks; a segment is some chunks that one worker loads in one target
// transaction, together with their rows in the target's ledger. So the load goes on where it was,
// inside a table, whatever ended it. A table in error does not stop the others; an error that no
// other table would survive (connection gone after all tries, disk full, stop asked for) ends the
// load.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/api/connector.h"
#include "engine/change_signal.h"
#include "engine/error_policy.h"
#include "engine/retry.h"
#include "engine/source_views.h"

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
  std::atomic<std::uint64_t> rows{0};  ///< sent to the target; those of earlier runs too
  // Left out by the error policy, and LOBs cut at their limit; those of earlier runs too.
  std::atomic<std::uint64_t> refused_rows{0};
  std::atomic<std::uint64_t> truncated_values{0};
  /// Read in this run, and not taken by the filter: what the source has not evaluated of it.
  std::atomic<std::uint64_t> filtered_rows{0};
  std::atomic<std::uint64_t> bytes{0};          ///< of cells and values read
  std::atomic<std::int64_t> wait_input_ns{0};   ///< writer without a batch: the source is slow
  std::atomic<std::int64_t> wait_output_ns{0};  ///< reader without a free batch: the target is slow
  std::atomic<std::int64_t> started_ns{0};      ///< of the steady clock; 0: not yet
  std::atomic<std::int64_t> elapsed_ns{0};      ///< 0 until the table has ended
  std::atomic<std::uint32_t> chunks{0};         ///< the table is cut into; 0: not yet
  std::atomic<std::uint32_t> chunks_done{0};    ///< durable
  std::atomic<std::uint64_t> size_bytes{0};     ///< at the source, as its catalogue or extents say
  std::atomic<std::uint64_t> done_bytes{0};     ///< the part of it that is durable
  std::atomic<std::uint64_t> durable_bytes{0};  ///< the part of `bytes` that is durable
  std::atomic<std::uint64_t> rows_before{0};    ///< of `rows`: moved by an earlier run
  std::atomic<std::uint64_t> bytes_before{0};   ///< of `bytes`: moved by an earlier run
  std::optional<Error> error;                   ///< set before state becomes kTableError
  mutable std::mutex refusal_mutex;             ///< guards first_refusal
  std::optional<Error> first_refusal;           ///< of a row that was left out
  /// Up to now while the table is loaded, in all afterwards.
  [[nodiscard]] std::chrono::nanoseconds elapsed() const;
};

/// A connection that broke and is tried again.
struct Interruption {
  std::string side;   ///< "source" or "target"
  std::string cause;  ///< without row data
  std::int64_t tries = 0;
  std::chrono::steady_clock::time_point next_try;
};

/// All tables of a load. The deque keeps addresses; it does not change once the load has begun.
class LoadProgress {
 public:
  TableProgress& add(schema::TablePlanPtr plan);
  [[nodiscard]] const std::deque<TableProgress>& tables() const { return tables_; }
  [[nodiscard]] std::deque<TableProgress>& tables() { return tables_; }
  void set_state(TableProgress& table, TableState state);
  /// Tells every change of a table's state, every interruption and its end.
  [[nodiscard]] const ChangeSignal& changes() const { return changes_; }
  /// Workers that wait for their next try, by their number; empty: all connections are well.
  [[nodiscard]] std::map<std::uint32_t, Interruption> interruptions() const;
  void set_interruption(std::uint32_t worker, std::optional<Interruption> interruption);

 private:
  std::deque<TableProgress> tables_;
  ChangeSignal changes_;
  mutable std::mutex mutex_;
  std::map<std::uint32_t, Interruption> interruptions_;
};

struct LoadOptions {
  std::uint32_t max_subtasks = 8;  ///< MaxFullLoadSubTasks; each reads on one source connection
  std::size_t batch_bytes = 256 * 1024;
  std::size_t batch_rows = 10'000;  ///< CommitRate: a buffer holds no more rows than that
  std::size_t batches_per_segment = 4;
  connect::ExistingTable existing = connect::ExistingTable::kDrop;
  /// A segment ends with the chunk that brings it here; so much a kill loses, for each subtask.
  std::uint64_t segment_bytes = 64ULL * 1024 * 1024;
  std::uint64_t chunk_bytes = 64ULL * 1024 * 1024;       ///< of a chunk at the source, at most
  std::uint64_t least_chunk_bytes = 8ULL * 1024 * 1024;  ///< a smaller one is not worth its query
  /// A table up to this size whose rows nobody takes apart is not cut: it moves so fast that little
  /// is lost with a kill, and in one transaction its rows can be written frozen.
  std::uint64_t whole_table_bytes = 0;
  /// A table gets helpers when it has taken so long and would take as long again; one with a
  /// parallel-load rule gets them at once.
  std::chrono::milliseconds split_after{0};
  std::uint64_t read_bytes_per_second = 0;  ///< from the source, in all; 0: no limit
  RetryPolicy retry;
  ErrorPolicy errors;
  /// In the target's ledger. Empty: there is none; every table is then loaded in one transaction,
  /// and from its beginning by a later run.
  std::string load_id;
};

/// What became of a table's rows.
struct RowCounts {
  std::uint64_t rows = 0;  ///< on the target
  std::uint64_t refused_rows = 0;
  std::uint64_t truncated_values = 0;
};

/// A column of the source that is not moved; for people.
struct LeftOutColumn {
  std::string name, native_type;
  std::string reason;
  std::vector<std::int64_t> rules;
};

/// A table to load and what is known of it.
struct TableTask {
  schema::TablePlanPtr plan;
  schema::TableDef definition;
  std::optional<schema::ParallelLoad> parallel_load;  ///< the mapping's rule
  std::vector<LeftOutColumn> left_out;
  std::vector<std::int64_t> rules;  ///< ids of those that select and name the table
  bool is_on_target = false;        ///< a table is there, as far as it was looked for
  /// Of TablePlan::shares_target: an earlier run has finished another table of that target.
  bool joins_rows = false;
  /// The target table was there before this task touched it, so what is in it may be somebody
  /// else's. Matters for ExistingTable::kKeep only.
  bool target_existed = true;
  /// With target_existed and kKeep: it was empty then, so whatever is in it is the task's.
  bool was_empty = false;
  /// With target_existed: an earlier load of this task may have left rows among those of others,
  /// and loading again would double them. Matters for kKeep only.
  bool may_double = false;
  /// An earlier run has begun with the table, so a target table that did not exist before is its
  /// own.
  bool was_started = false;
  /// An earlier run has made all rows durable; only the key is missing.
  bool is_loaded = false;
  RowCounts loaded;   ///< then
  Position position;  ///< the table is read at; empty: the load's
  std::uint64_t attempt = 1;
  std::vector<connect::Chunk> chunks;    ///< as planned by an earlier run; empty: not yet
  std::vector<connect::DoneChunk> done;  ///< of this attempt, as the target's ledger has it
};

/// Told of the milestones of each table, so that a later run knows what is on the target.
/// Thread-safe; an error is fatal for the load.
class LoadJournal {
 public:
  virtual ~LoadJournal() = default;
  /// The target table is about to be touched, and then `task.chunks` to be read at task.position.
  virtual Result<void> on_start(const TableTask& task) = 0;
  /// The target table is ready; `task.was_empty` is known.
  virtual Result<void> on_prepared(const TableTask& task) = 0;
  /// Without a ledger, for rows among those of others: they are about to become durable, and after
  /// a crash nobody knows whether they did.
  virtual Result<void> on_commit(const TableTask& task) = 0;
  /// All rows are durable.
  virtual Result<void> on_loaded(const TableTask& task, const RowCounts& counts) = 0;
  /// The table has its key as well: nothing is left to do.
  virtual Result<void> on_complete(const TableTask& task, const RowCounts& counts) = 0;
};

/// Loads `tasks` in their order. `progress` must hold one entry a task, in the same order. The
/// result is the fatal error, if any; table errors are in `progress`. REQUIRES:
/// max_subtasks from 1 to connect::kMaxWorkers.
Result<void> run_full_load(OpContext& context, SourceViews& source, connect::TargetLoader& target,
                           std::vector<TableTask> tasks, const LoadOptions& options,
                           LoadProgress& progress, LoadJournal& journal);

/// True for errors that concern one table only.
bool is_table_error(const Error& error);

}  // namespace wherry::engine
