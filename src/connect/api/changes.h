// Changes on their way from a source's log to a target: what a ChangeStream delivers, and what a
// TargetApplier is given. Between the two the engine holds back, maps, folds and orders them; it
// alone decides when a position is a checkpoint.
//
// Threads: each object is used by one thread at a time. Destructors never block on the network.
// Every call obeys OpContext::stop within a second and then returns a kCancelled error.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/arena.h"
#include "core/cell.h"
#include "core/op_context.h"
#include "core/position.h"
#include "core/result.h"
#include "schema/table_def.h"
#include "schema/table_plan.h"

namespace wherry::connect {

/// A place in the order of a source's commits: an LSN, an SCN. Two commits may have the same one;
/// they then stay in the order in which the stream delivers them.
using CommitOrder = std::uint64_t;

/// What rows that are there already get in a column that is added to their table.
struct ColumnFill {
  enum class Kind : std::uint8_t {
    kNull,
    kValue,  ///< all of them `value`
    kByRow,  ///< each its own, perhaps: ChangeSource::read_values()
  };
  Kind kind = Kind::kNull;
  std::string value;  ///< as text
};

/// What the rows of a change look like: the table as its log has it from here on, until another
/// shape of the same table comes. Cell i of a row belongs to columns[i].
struct RowShape {
  /// new_shape_id(): no two shapes of a process have the same, whichever stream or file they come
  /// from; a new one for every change of a definition.
  std::uint32_t id = 0;
  schema::TableRef source;  ///< the table of the request; definition has its name now
  schema::TableDef definition;
  /// Indexes into the columns that identify a row in the log: a row before its change has these at
  /// least. Empty: updates and deletes do not say which row they mean, or have it whole.
  std::vector<std::size_t> identity;
  bool has_whole_before = false;  ///< rows before their change come with all columns
  std::uint64_t table_id = 0;     ///< the source's own number of the table; 0: unknown
  /// By column, for those that this shape is the first to have; empty: NULL in all.
  std::vector<ColumnFill> fills;
};
using RowShapePtr = std::shared_ptr<const RowShape>;
inline std::uint32_t new_shape_id() {
  static std::atomic<std::uint32_t> last{0};
  return ++last;
}

enum class ChangeKind : std::uint8_t {
  kBegin,   ///< of a transaction; every change up to kCommit belongs to it
  kInsert,  ///< after
  kUpdate,  ///< after, with cells kUnchanged where the log has no value; before when it has
            ///< another identity, or when the shape has_whole_before
  kDelete,  ///< before
  /// shape; `cascades`, `restarts_identity`. Tables of one statement come one after another.
  kTruncate,
  /// The definition of a table is another than that of the request or of the last shape: shape is
  /// the new one. A stream that was started again may say once more what was known.
  kShape,
  kDdl,  ///< `text`: a statement that the source has kept for us; shape when it is known
  kCommit,
  /// Outside of transactions: everything at or before `position` has been delivered.
  kHeartbeat,
};

/// What a kDdl does that no shape could tell.
enum class DdlKind : std::uint8_t {
  kOther,        ///< for the log and the statistics; a change of columns comes as kShape besides
  kCreateTable,  ///< shape: the new table
  kDropTable,    ///< shape: the last one of the table
  /// shape: a new table whose rows do not come before ChangeSource::include() was called for it.
  kNewTable,
  /// shape: the log does not tell what became of some rows of the table, and `text` says why: the
  /// table must be loaded again.
  kRowsUnknown,
};

/// One record of a stream. Cells and text live in the batch.
struct Change {
  ChangeKind kind = ChangeKind::kBegin;
  DdlKind ddl = DdlKind::kOther;                     ///< kDdl
  bool cascades = false, restarts_identity = false;  ///< kTruncate
  const RowShape* shape = nullptr;                   ///< kept alive by the batch
  const Cell* before = nullptr;  ///< shape->columns.size() cells, or nullptr; columns that the log
                                 ///< does not have are kUnchanged
  const Cell* after = nullptr;   ///< likewise
  std::string_view text;         ///< kDdl
  static constexpr std::uint32_t kNoCommit = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t commit = kNoCommit;  ///< kBegin, kCommit, kHeartbeat: ChangeBatch::commit()

  [[nodiscard]] bool has_commit() const { return commit != kNoCommit; }
};

/// A transaction as its commit record has it.
struct CommitInfo {
  CommitOrder order = 0;  ///< of kBegin the same as of its kCommit
  /// A stream started here delivers what comes after this transaction. Empty in kBegin.
  Position position;
  std::chrono::system_clock::time_point time;  ///< at which the source committed it
  std::string transaction_id;                  ///< for messages: the source's own name for it
  /// Who made it, of kBegin where TablePlan::needs_user asks; empty: the log does not tell.
  std::string user = {};
};

/// Some records of a stream, in order. A transaction may span many batches: nobody holds a large
/// one in memory. Filled by one thread, handed over whole, read by another, recycled.
class ChangeBatch {
 public:
  explicit ChangeBatch(std::size_t budget_bytes = 256 * 1024) : budget_bytes_(budget_bytes) {}
  ChangeBatch(const ChangeBatch&) = delete;
  ChangeBatch& operator=(const ChangeBatch&) = delete;

  /// Empties the batch; memory is kept.
  void reset() {
    changes_.clear();
    commits_.clear();
    kept_.clear();
    arena_.reset();
  }
  Change& add(ChangeKind kind) {
    changes_.emplace_back().kind = kind;
    return changes_.back();
  }
  /// Adds kCommit or kHeartbeat; kBegin too, as far as the log knows the commit beforehand.
  void add(ChangeKind kind, CommitInfo info) {
    add(kind).commit = static_cast<std::uint32_t>(commits_.size());
    commits_.push_back(std::move(info));
  }
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  /// For whoever fills the batch: one that was added already. REQUIRES: index < changes().size().
  [[nodiscard]] Change& change(std::size_t index) { return changes_[index]; }
  /// REQUIRES: `change` is of this batch and has_commit().
  [[nodiscard]] const CommitInfo& commit(const Change& change) const {
    return commits_[change.commit];
  }
  /// `count` cells for the caller to fill; they stay where they are until reset().
  Cell* allocate_cells(std::size_t count) {
    return reinterpret_cast<Cell*>(arena_.allocate(count * sizeof(Cell)));
  }
  [[nodiscard]] Arena& arena() { return arena_; }
  /// Keeps a shape or a spill file alive until the batch is reset.
  void keep(std::shared_ptr<const void> resource) {
    if (kept_.empty() || kept_.back() != resource) kept_.push_back(std::move(resource));
  }

  [[nodiscard]] bool empty() const { return changes_.empty(); }
  [[nodiscard]] std::size_t used_bytes() const {
    return changes_.size() * sizeof(Change) + arena_.used_bytes();
  }
  /// The budget is used up; or a transaction has ended and half of it is, or the batch had begun
  /// inside that transaction: whole transactions can be passed on.
  [[nodiscard]] bool is_full() const {
    const std::size_t used = used_bytes();
    if (used >= budget_bytes_) return true;
    if (changes_.empty() || changes_.back().kind != ChangeKind::kCommit) return false;
    const ChangeKind first = changes_.front().kind;
    return used >= budget_bytes_ / 2 ||
           (first != ChangeKind::kBegin && first != ChangeKind::kHeartbeat);
  }

 private:
  std::size_t budget_bytes_;
  std::vector<Change> changes_;
  std::vector<CommitInfo> commits_;
  std::vector<std::shared_ptr<const void>> kept_;
  Arena arena_;
};

enum class StreamState : std::uint8_t {
  kMore,     ///< the batch holds records, and more are there already
  kBacklog,  ///< … and the source keeps them until they are read: nothing is won by hurry
  kIdle,     ///< the batch holds records or none; the source has nothing more at the moment
};

/// A transaction of the source that has changed rows and has not ended: a restart reads the log
/// from its first change on.
struct OpenTransaction {
  std::string id;       ///< the source's own name for it
  std::string session;  ///< whose it is, for people; empty: not known
  std::chrono::system_clock::time_point begun;
  std::uint64_t changes = 0;  ///< so far, of tables that are read
};

/// Where a source's log ends, for latencies and for "caught up".
struct SourceHead {
  CommitOrder order = 0;
  Position position;
  std::chrono::system_clock::time_point time;  ///< of the source's clock
  /// What the source still keeps for this stream; empty: unknown or nothing.
  std::optional<std::uint64_t> kept_bytes;
  /// What may still be written before the source throws away what the stream needs.
  std::optional<std::uint64_t> bytes_until_lost;
  /// The oldest of those whose changes wait for their end, where the stream puts transactions
  /// together itself.
  std::vector<OpenTransaction> open;
};

/// Committed changes, in commit order, of the tables that it was opened for.
class ChangeStream {
 public:
  virtual ~ChangeStream() = default;
  /// The first record after `from`. kPositionLost when the log is gone, or of another incarnation.
  virtual Result<void> start(OpContext&, const Position& from) = 0;
  /// Fills `out`, which was reset, up to its budget. Waits for the first record until the deadline
  /// at most: kIdle. Returns at once when no other is at hand. A lost connection is kTransient;
  /// start() again at the last position that is durable. "spill.disk_full": what is in `out`
  /// counts, and the next call goes on when there is room.
  virtual Result<StreamState> read(OpContext&, ChangeBatch& out) = 0;
  /// Everything at or before `durable` may be thrown away by the source. Never waits for it.
  virtual Result<void> confirm(OpContext&, const Position& durable) = 0;
  virtual Result<SourceHead> head(OpContext&) = 0;
};

/// What a stream is opened for.
struct StreamRequest {
  std::string task_name;  ///< names what is made at the source: slots, publications
  /// For what a stream must know again after a restart; empty: it knows no more than its position.
  std::filesystem::path state_directory;
  std::vector<schema::TablePlanPtr> tables;
  /// Values as the target's engine, which is the source's too, has them itself: binary form in
  /// kBytes cells, text form in kText cells.
  bool is_native = false;
  std::uint64_t memory_bytes = 64ULL * 1024 * 1024;  ///< of transactions that have not committed
  /// How long prepare() may wait for transactions that must have ended before
  /// (TransactionConsistencyTimeout).
  std::chrono::seconds consistency_timeout{600};
  std::chrono::milliseconds memory_keep{60'000};  ///< those that are older wait on disk
};

/// What a stream and its first snapshot begin with: made together, so that the snapshot holds
/// exactly what was committed at or before the position.
struct StreamStart {
  Position position;
  CommitOrder order = 0;
  Position snapshot;  ///< for Connector::open_snapshot, as long as this object lives
  std::shared_ptr<void> keeper;
};

/// What a source has, and what its tables lack, for ongoing replication. Nothing is changed.
struct StreamAdvice {
  /// By table of the request; refused: why its changes cannot be had, with the statement that mends
  /// it as the hint.
  struct Table {
    std::optional<Error> refused;
    bool is_gone = false;  ///< refused, because the source has no such table
    std::vector<std::string> warnings;
  };
  std::vector<Table> tables;
  std::vector<std::string> warnings;
};

/// Which values of a table's rows are asked for.
struct ValuesRequest {
  schema::TablePlanPtr plan;  ///< that the changes of the table are applied by
  schema::TableRef source;    ///< RowShape::source of its changes
  std::uint64_t table_id = 0;
  /// A column as a shape has it; its number, where there is one, says which it is by now.
  struct Column {
    std::string name;
    std::uint32_t number = 0;
  };
  std::vector<Column> key;  ///< of every row
  std::vector<Column> columns;
};

/// Rows as they are at one moment after ChangeSource::read_values(). Used by one thread.
class ValueReader {
 public:
  virtual ~ValueReader() = default;
  /// What the rows have in them was committed at or before it.
  [[nodiscard]] virtual CommitOrder order() const = 0;
  /// Fills `out`, which was reset, with kUpdate records up to its budget: the key and the columns
  /// asked for; all other cells are kUnchanged. Empty: that was all.
  virtual Result<void> read(OpContext&, ChangeBatch& out) = 0;
};

/// Makes, uses and removes what a source needs for its changes to be read. Thread-safe.
class ChangeSource {
 public:
  virtual ~ChangeSource() = default;
  /// Looks at the server's settings, the user's privileges and each table; kConfig or kPermission
  /// when no table's changes can be had, with the remedy.
  virtual Result<StreamAdvice> examine(OpContext&, const StreamRequest&) = 0;
  /// Makes what the stream needs (a publication, a slot), before the first row is read; what an
  /// earlier, unfinished start has left is made anew.
  virtual Result<StreamStart> prepare(OpContext&, const StreamRequest&) = 0;
  /// A point of now that tables can be read at, as prepare() gives one, without touching what
  /// prepare() made: for tables whose first view is lost, or that are loaded again.
  virtual Result<StreamStart> anchor(OpContext&, const StreamRequest&) = 0;
  /// Takes tables in that were made after prepare(): what is committed at them after the call
  /// comes in the stream, also in one that is open. Says of each why it cannot be had. `request`
  /// has the stream's name and these tables only.
  virtual Result<StreamAdvice> include(OpContext&, const StreamRequest&) {
    return make_error(ErrorKind::kUnsupported, "connect.no_more_tables",
                      "this source cannot add tables to a stream", "Load all tables again");
  }
  /// A stream over what prepare() made, this time or in an earlier run.
  virtual Result<std::unique_ptr<ChangeStream>> open(OpContext&, const StreamRequest&) = 0;
  /// What rows have in columns that were added with a value for each row, which no log has. Rows
  /// that have NULL in all of them may be left out, and columns that are gone by now are.
  /// kSchema when the key is another by now.
  virtual Result<std::unique_ptr<ValueReader>> read_values(OpContext&, const ValuesRequest&) {
    return make_error(ErrorKind::kUnsupported, "connect.no_values",
                      "this source's rows cannot be read while its changes are applied",
                      "Load the table again");
  }
  /// What a user writes for a position ("16/B374D848", "checkpoint:V1#…", a time) as a position.
  virtual Result<Position> parse_position(OpContext&, std::string_view text) = 0;
  virtual Result<CommitOrder> order_of(const Position&) = 0;
  /// A place in the log as users of the source write it: an SCN, an LSN.
  [[nodiscard]] virtual std::string order_text(CommitOrder order) const {
    return std::to_string(order);
  }
  /// Removes what prepare() made; nothing there is no error.
  virtual Result<void> forget(OpContext&, const std::string& task_name) = 0;
};

/// The code of a kData error of TargetApplier: a row has a value of a unique key that another has.
inline constexpr const char* kDuplicateKey = "apply.duplicate_key";
/// The code of a kTransient error of TargetApplier when the connection is well, a deadlock for one:
/// the transaction, which is rolled back, may be begun again at once.
inline constexpr const char* kTryAgain = "apply.try_again";

/// A unique key of a target table: indexes into TablePlan::columns. A key over other columns,
/// expressions or part of the rows, or of a type whose equal values may differ in their form (1.0
/// and 1.00, collations that take letters for one), has is_plain = false.
struct ApplyKey {
  std::vector<std::size_t> columns;
  bool is_primary = false;
  bool is_plain = true;
};

/// What an applier found of a table on the target.
struct ApplyTable {
  schema::TablePlanPtr plan;  ///< with the target's real names and types
  std::vector<ApplyKey> keys;
  /// Indexes into TablePlan::columns that say which row a change means: a unique key of the target;
  /// empty: the whole row does.
  std::vector<std::size_t> identity;
  /// Equal values of the identity have one form, as those of an ApplyKey with is_plain.
  bool is_identity_plain = true;
  /// Foreign keys to other tables of the task that are enforced while we apply: each one's columns
  /// here and the key's columns there.
  struct ForeignKey {
    std::vector<std::size_t> columns;
    schema::TableRef parent;
    std::vector<std::size_t> parent_columns;
  };
  std::vector<ForeignKey> foreign_keys;
  bool has_triggers = false;  ///< that fire while we apply
  std::vector<std::string> warnings;
  /// The connector's own; nullptr: the table has just been made or changed, and a lane finds out in
  /// its transaction what it needs.
  std::shared_ptr<const void> native;
  std::optional<Error> refused;  ///< kSchema "apply.…": why this table cannot take changes
};

enum class StepKind : std::uint8_t {
  kInsert,
  kUpdate,  ///< rows by identity; cells kUnchanged are left as they are
  kDelete,  ///< rows by identity
  /// Updates that change a unique key: all rows are taken out by what they are before, then put
  /// back changed. A row that is missing before is no row that another was changed to.
  kRekey,
  kReplace,  ///< insert; a row with the same identity is removed before (INSERT_RECORD)
  kTruncate,
  kDdl,  ///< `statement`
};

/// One row of a step. Cells by TablePlan::columns; those that are kUnchanged stay as they are, and
/// get their default in a row that is inserted.
struct ApplyRow {
  const Cell* before = nullptr;  ///< the identity at least; nullptr for inserts
  const Cell* after = nullptr;   ///< nullptr for deletes
};

/// Rows of one table that one set of statements changes. Of kInsert, kUpdate and kDelete no two
/// rows have the same identity; on a table without identity each row counts for itself.
struct ApplyStep {
  StepKind kind = StepKind::kInsert;
  const ApplyTable* table = nullptr;
  std::span<const ApplyRow> rows;
  bool cascades = false, restarts_identity = false;  ///< kTruncate
  std::string statement;                             ///< kDdl, in the target's own language
};

/// What became of a step.
struct StepReport {
  std::uint64_t affected_rows = 0;
  /// Rows of the step, ascending: updates and deletes that found no row.
  std::vector<std::size_t> missing;
};

/// A row that was left out, for awsdms_apply_exceptions.
struct ApplyException {
  schema::TableRef target;
  std::string statement;  ///< without values that the settings want hidden
  std::string error;
};

/// Which transaction of a stream.
struct CommitPoint {
  CommitOrder order = 0;
  std::uint32_t ordinal = 0;  ///< transactions of the same order before it
  friend auto operator<=>(const CommitPoint&, const CommitPoint&) = default;
};

/// Lanes are numbered below this.
inline constexpr std::uint32_t kMaxLanes = 64;

/// How far the target is, kept with its rows. Each lane has its own; the highest `point` of all
/// lanes is what counts, and with it all that is above it in any lane's `applied_above`.
struct Checkpoint {
  Position position;  ///< everything at or before is applied
  CommitPoint point;  ///< the transaction there
  /// Transactions above `point` that this lane has applied, ascending.
  std::vector<CommitPoint> applied_above;
  std::uint64_t sequence = 0;  ///< counts the transactions of the stream since the task began
  std::chrono::system_clock::time_point commit_time;  ///< of the last transaction applied
};
/// `points`, ascending, as one short text, and back: for a column of table wherry_checkpoint.
std::string to_text(const std::vector<CommitPoint>& points);
Result<std::vector<CommitPoint>> parse_commit_points(std::string_view text);

/// A position as awsdms_txn_state has it, and as a user may give it back ("CdcStartPosition").
inline std::string to_checkpoint_text(const Position& position) {
  return position.text.starts_with("checkpoint:") ? position.text
                                                  : "checkpoint:V1#" + position.text;
}

/// What TargetApplier::apply() has done.
struct ApplyOutcome {
  bool is_committed = false;  ///< false: rolled back, because a row was missing
  std::vector<StepReport> reports;
};

/// Changes the target: one object, one connection and one thread for each lane.
///
/// begin(), then execute() any number of times, then commit(). A failed execute() has the
/// transaction rolled back: begin() again; after a mark() it has taken back what came after the
/// mark, and the transaction goes on, unless the error is kTransient or kCancelled. Nothing is
/// visible before commit(), and after it rows and checkpoint are, together. kTransient from
/// commit(): nobody knows; TargetApply::recover() does.
class TargetApplier {
 public:
  virtual ~TargetApplier() = default;
  virtual Result<void> begin(OpContext&) = 0;
  /// All steps in their order, in as few round trips as can be. The error names the step's table,
  /// and has the field "step" when it is known which one failed.
  virtual Result<std::vector<StepReport>> execute(OpContext&, std::span<const ApplyStep>) = 0;
  /// A savepoint, which takes the place of the one before.
  virtual Result<void> mark(OpContext&) = 0;
  /// Takes back what came after the mark, which stays. REQUIRES: mark().
  virtual Result<void> take_back(OpContext&) = 0;
  /// Whether commit() would be refused for what is checked at the end of a transaction only: the
  /// error that it would have. The transaction goes on as it was, unless that is kTransient or
  /// kCancelled; the mark stays.
  virtual Result<void> check(OpContext&) = 0;
  /// A refused one has the transaction rolled back.
  virtual Result<void> commit(OpContext&, const Checkpoint&,
                              std::span<const ApplyException> exceptions) = 0;
  virtual Result<void> rollback(OpContext&) = 0;
  /// begin(), execute() and commit(), in one round trip where that can be: for a small transaction
  /// that somebody waits for. Rolled back when it fails, and when a row is missing.
  virtual Result<ApplyOutcome> apply(OpContext& context, std::span<const ApplyStep> steps,
                                     const Checkpoint& checkpoint) {
    WHERRY_TRY(begin(context));
    WHERRY_ASSIGN(std::vector<StepReport> reports, execute(context, steps));
    for (const StepReport& report : reports) {
      if (report.missing.empty()) continue;
      WHERRY_TRY(rollback(context));
      return ApplyOutcome{false, std::move(reports)};
    }
    WHERRY_TRY(commit(context, checkpoint, {}));
    return ApplyOutcome{true, std::move(reports)};
  }
};

/// What a task's settings say about how its target is changed.
struct ApplySettings {
  std::string task_name;               ///< TASK_NAME of the control tables
  std::string server_name;             ///< SERVER_NAME
  bool has_txn_state = false;          ///< TaskRecoveryTableEnabled: awsdms_txn_state
  std::uint32_t statement_cache = 50;  ///< StatementCacheSize: prepared statements of a lane
};

/// A table that the target must change because the source's has changed.
struct TableAlteration {
  enum class Kind : std::uint8_t { kCreate, kDrop, kAlter };
  Kind kind = Kind::kAlter;
  schema::TablePlanPtr from;  ///< nullptr: kCreate
  schema::TablePlanPtr to;    ///< nullptr: kDrop; another name than `from`: renamed
  /// kAlter: for each column of `to` the column of `from` that it was, or nothing: it is new. Names
  /// and types that differ have changed; columns of `from` that are not in here are dropped.
  std::vector<std::optional<std::size_t>> origins;
  /// kAlter: for each column of `to` what rows that exist get in it when it is new: a value as the
  /// source's text, or nothing: NULL. Empty: nothing for all. Rows to come are not concerned.
  std::vector<std::optional<std::string>> values;
};

/// The target of a task's changes. Thread-safe.
class TargetApply {
 public:
  virtual ~TargetApply() = default;
  /// Looks at the target's tables, in the order of the plans.
  virtual Result<std::vector<ApplyTable>> describe(OpContext&,
                                                   const std::vector<schema::TablePlanPtr>&) = 0;
  /// The checkpoints of a task, by lane, as its rows have them; makes table wherry_checkpoint when
  /// it is missing. Waits first until no transaction of an earlier run can still commit. What it
  /// returns survives a crash of the target, as after flush().
  virtual Result<std::map<std::uint32_t, Checkpoint>> recover(OpContext&,
                                                              const std::string& task_name) = 0;
  virtual Result<std::unique_ptr<TargetApplier>> open_lane(OpContext&, const std::string& task_name,
                                                           std::uint32_t lane) = 0;
  /// Statements of the target's language that do it, to be executed as kDdl steps.
  virtual Result<std::vector<std::string>> alter(const TableAlteration&) = 0;
  /// Waits until everything committed so far survives a crash of the target; then the source may
  /// forget what is at or before `stored`, the highest checkpoint that a lane has committed.
  /// kTransient "apply.checkpoint_lost": the target ended since then, and has it no more.
  virtual Result<void> flush(OpContext&, const std::string& task_name,
                             const Checkpoint& stored) = 0;
  virtual Result<void> forget(OpContext&, const std::string& task_name) = 0;
};

}  // namespace wherry::connect
