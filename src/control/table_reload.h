// Tables that are loaded again while the changes of the others go on: with a slot, a cache and a
// checkpoint of their own, until they are as far as the others and join them.
//
//   main   ── without the tables ──────────────────────┐ stops at W          ┌─ with them, after V
//   reload   slot at R ─► load at R ─► changes after R ─┴─► changes up to V ≥ W
//
// A run that ends meanwhile leaves them marked in the state, and the next one begins anew with
// them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "connect/api/changes.h"
#include "control/change_progress.h"
#include "control/change_stream.h"
#include "control/task.h"
#include "control/task_plan.h"
#include "control/task_state.h"
#include "engine/changes/apply.h"
#include "engine/changes/stream_feed.h"

namespace wherry::control {

/// What a reload works with; all of it outlives the object.
struct ReloadParts {
  const TaskRequest& request;
  TaskState& state;
  connect::ChangeSource& source;
  connect::TargetLoader& loader;
  const connect::ApplySettings& apply_settings;
};

class TableReload {
 public:
  /// Marks the tables in the state and begins. REQUIRES: the state knows them, and nobody applies
  /// their changes.
  static Result<std::unique_ptr<TableReload>> begin(const OpContext& context,
                                                    const ReloadParts& parts,
                                                    std::vector<schema::TableRef> tables);
  /// Stops it, where it has not come to its end.
  ~TableReload();
  TableReload(const TableReload&) = delete;
  TableReload& operator=(const TableReload&) = delete;

  /// The tables are loaded, and as far as `order`.
  [[nodiscard]] bool is_near(connect::CommitOrder order) const;
  /// The tables are loaded, and have had more time since than the load took, and some: changes come
  /// as fast as they are applied, or faster, so the tables come near only while the others wait.
  [[nodiscard]] bool is_overdue() const;
  /// Why it has ended without success.
  [[nodiscard]] std::optional<Error> failure() const;
  /// Brings the tables to `order`, or further, and makes them complete in the state as they are
  /// then; removes what the reload had at the source. Whoever goes on with their changes begins
  /// after what it returns. Takes as long as the changes up to `order` take. kCancelled when the
  /// caller's stop came before. REQUIRES: is_near() was true of some order, or is_overdue().
  Result<connect::CommitOrder> finish(const OpContext& caller, connect::CommitOrder order);
  /// The tables are suspended with its failure(); what the reload had at the source is removed.
  /// Without this they stay marked in the state, and another object can begin with them anew.
  Result<void> give_up();
  [[nodiscard]] const std::vector<schema::TableRef>& tables() const { return tables_; }
  /// What it has counted; nothing changes there once finish() has returned.
  [[nodiscard]] const engine::ApplyProgress& changes() const { return progress_.apply; }

  /// Removes what a reload has left that was cut off when it was over.
  static void clean_up(OpContext& context, const ReloadParts& parts);

 private:
  TableReload(const OpContext& context, const ReloadParts& parts,
              std::vector<schema::TableRef> tables);
  Result<void> mark();
  Result<void> run(OpContext& context);
  Result<void> attempt(OpContext& context);
  Result<void> plan(OpContext& context);
  Result<SourceTables> find_tables(OpContext& context) const;
  Result<void> leave_out_gone(OpContext& context, const std::vector<schema::TableDef>& found);
  Result<void> drop_target(OpContext& context, const schema::TablePlanPtr& plan);
  Result<std::string> begin_ledger(OpContext& context);
  Result<void> load(OpContext& context, const connect::StreamStart& start);
  Result<void> apply(OpContext& context, const connect::StreamStart& start);
  void note_loaded();
  [[nodiscard]] static std::filesystem::path directory_of(const TaskState& state);
  [[nodiscard]] static std::string name_of(const TaskState& state);
  [[nodiscard]] static std::string load_id_of(const TaskState& state);

  const ReloadParts parts_;
  std::vector<schema::TableRef> tables_;
  const Logger log_;
  std::vector<engine::TableTask> tasks_;
  /// Not the others': who waits for the lanes of an earlier run must not take theirs for its own.
  std::unique_ptr<connect::TargetApply> target_;
  std::optional<AnchoredViews> views_;
  ChangeProgress progress_;
  std::unique_ptr<engine::StreamFeed> feed_;
  engine::ApplyLimit limit_;
  std::atomic<bool> is_loaded_{false};
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;  ///< guards overdue_at_ and failure_
  std::optional<std::chrono::steady_clock::time_point> overdue_at_;
  std::optional<Error> failure_;
  std::jthread thread_;
};

}  // namespace wherry::control
