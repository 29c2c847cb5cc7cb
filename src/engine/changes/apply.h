// Applies a source's committed changes to a target, each exactly once: maps tables and columns,
// gathers whole source transactions into target transactions, folds what happens to one row, gives
// independent transactions to parallel lanes, and keeps the checkpoint with the rows. Connections
// that break are made again, and the apply goes on where the target is.
//
//   feed ─► run_apply(): map, fold, assign ─► lanes (a thread and a TargetApplier each) ─► target
//
// docs/design/apply.md says how; the settings are in apply_options.h.
#pragma once

#include <atomic>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "engine/changes/apply_options.h"
#include "engine/changes/apply_progress.h"
#include "engine/changes/feed.h"

namespace wherry::engine {

/// A plan that counts from a transaction on, whose DDL has made it.
struct LaterPlan {
  connect::CommitPoint since;
  schema::TablePlanPtr plan;  ///< nullptr: the table has left the task
  /// The table is new, and its changes do not come yet: it is to be loaded first.
  bool is_new = false;
  /// It has new columns, whose values rows got as the source had them at this place of the stream.
  connect::CommitOrder filled_until = 0;
};

/// A table whose changes are applied.
struct ApplyTableTask {
  schema::TablePlanPtr plan;
  /// What on_plan() has told of it in earlier runs, in that order. The target's checkpoint decides
  /// which one counts.
  std::vector<LaterPlan> later;
  /// The point that the table was loaded at: changes of transactions at or before it are on the
  /// target already, and are skipped. 0: all changes count.
  connect::CommitOrder loaded_at = 0;
  bool is_suspended = false;  ///< by an earlier run: its changes are skipped
};

/// What becomes of tables whose definition changes. Used by one thread.
class TablePlanner {
 public:
  virtual ~TablePlanner() = default;
  /// The plan by the task's rules; nullptr: the rules do not select the table.
  virtual Result<schema::TablePlanPtr> plan(OpContext&, const schema::TableDef&) = 0;
};

/// Told what must not be forgotten. Thread-safe. An error ends the apply; nothing is committed that
/// depends on what could not be told.
class ApplyEvents {
 public:
  virtual ~ApplyEvents() = default;
  /// The table's changes are given up from here on. Told before the transaction is committed that
  /// leaves them out, perhaps again after a restart.
  virtual Result<void> on_suspended(const schema::TablePlan&, const Error&) { return {}; }
  /// A change was left out; committed together with the checkpoint that passes it.
  virtual void on_exception(const connect::ApplyException&) {}
  /// The plan of the table `source` (a name of the task's start; of a new table its first one) is
  /// another one from here on: to be kept as a LaterPlan. Told before the DDL is committed.
  virtual Result<void> on_plan(const schema::TableRef& /*source*/, const LaterPlan&) { return {}; }
  /// The table has to be loaded again once what is being applied is committed: what its rows have
  /// become cannot be said otherwise. Perhaps told again after a restart.
  virtual Result<void> on_reload(const schema::TableRef& /*source*/) { return {}; }
};

/// Ends a running apply at a point of the stream. Thread-safe.
class ApplyLimit {
 public:
  /// Everything at or before `order` is applied and nothing after it; then the apply ends.
  void stop_after(connect::CommitOrder order) { order_ = order; }
  [[nodiscard]] connect::CommitOrder order() const { return order_; }
  static constexpr connect::CommitOrder kNever = std::numeric_limits<connect::CommitOrder>::max();

 private:
  std::atomic<connect::CommitOrder> order_{kNever};
};

/// What run_apply() works with; all of it outlives the call.
struct ApplyJob {
  ChangeFeed& feed;
  connect::TargetApply& target;
  std::vector<ApplyTableTask> tables;
  /// Where the stream begins when the target has no checkpoint yet.
  Position start;
  connect::CommitOrder start_order = 0;
  TablePlanner* planner = nullptr;  ///< nullptr: changed definitions are a table error
  ApplyEvents& events;
  ApplyLimit& limit;
  ApplyProgress& progress;
  /// Asked for the values of columns that are added with one for each row; nullptr: those stay NULL
  /// in rows that the target has.
  connect::ChangeSource* source = nullptr;
};

/// Runs until the limit is reached (ok), stop is requested (ok, after what was begun is committed
/// or rolled back), or something fails that waiting cannot mend: the feed, a policy that stops the
/// task ("apply.stopped_by_policy"), all tries of a connection used up.
Result<void> run_apply(OpContext& context, const ApplyJob& job, const ApplyOptions& options);

}  // namespace wherry::engine
