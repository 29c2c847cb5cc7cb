// The stream of a task: its name, its tables, how it begins and where it goes on.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "connect/api/changes.h"
#include "control/task.h"
#include "control/task_state.h"
#include "engine/changes/apply.h"
#include "engine/planner.h"
#include "engine/source_views.h"

namespace wherry::control {

/// Of slot, publication and checkpoints: the directory's name, and a number for where it lies, so
/// that tasks of one name do not meet. A start that did not get far finds what it left by it.
std::string stream_name(const std::filesystem::path& directory);

/// What the target's part of a task with changes is opened with.
connect::ApplySettings apply_settings_of(const TaskRequest& request,
                                         const std::filesystem::path& directory);

/// What a source is asked for: all tables of the task, those in error too, so that they can be
/// loaded later.
connect::StreamRequest stream_request(const TaskRequest& request, const StreamRecord& stream,
                                      const TableRecords& tables);
/// Whether a stream of these can have values in the engine's own form: nothing looks into them.
bool has_native_form(const TaskRequest& request, const std::vector<schema::TablePlanPtr>& tables);
/// The tables whose changes are applied, by the plans they began with and the task's
/// CharacterSetSettings.
std::vector<engine::ApplyTableTask> apply_tables(const TaskRequest& request,
                                                 const TableRecords& tables, bool is_native);

/// How large a feed's batches are, so that a lane's share of the memory holds several: transactions
/// that share a batch are not committed one by one.
std::size_t feed_batch_bytes(std::uint64_t memory_bytes, std::uint32_t lanes);

/// What is in force of a table's plans at the end of all that is known; nullptr: it has left the
/// task, or is new and not loaded.
schema::TablePlanPtr newest_plan(const TableRecord& record);

/// The checkpoint that counts, of all lanes'.
std::optional<connect::Checkpoint> highest_checkpoint(
    const std::map<std::uint32_t, connect::Checkpoint>& lanes);
/// Up to where the target has the stream for good, from its checkpoint; 0: it has none.
Result<connect::CommitOrder> durable_order(OpContext& context, connect::TargetApply& target,
                                           connect::ChangeSource& source,
                                           const std::string& task_name);
/// kPositionLost: there was one, and there is none.
Error checkpoint_lost();

/// Views of the source that fit its stream: the one that the stream began with, and newer ones
/// where that is lost. Knows what each holds. Outlives the load. Thread-safe.
class AnchoredViews {
 public:
  AnchoredViews(const TaskRequest& request, connect::ChangeSource& source,
                connect::StreamRequest stream)
      : request_(request), source_(source), stream_(std::move(stream)) {}
  /// `view`: what `start` came with; its keeper is kept.
  void add(const Position& view, const connect::StreamStart& start);
  engine::SourceViews::Open opener();
  /// What was committed at or before it is in the view at `position`; empty: in the load's first.
  [[nodiscard]] connect::CommitOrder order_of(const Position& position) const;

 private:
  const TaskRequest& request_;
  connect::ChangeSource& source_;
  const connect::StreamRequest stream_;
  mutable std::mutex mutex_;
  std::map<std::string, connect::CommitOrder> orders_;
  std::vector<std::shared_ptr<void>> keepers_;
};

/// Plans tables whose definition has changed or that are new, by the task's rules.
class ChangePlanner final : public engine::TablePlanner {
 public:
  /// `known`: what is not changed by a new definition keeps what it has there. `is_native`: of the
  /// stream.
  ChangePlanner(const TaskRequest& request, connect::TargetLoader& target,
                const TableRecords& known, bool is_native);
  Result<schema::TablePlanPtr> plan(OpContext& context, const schema::TableDef& table) override;

 private:
  const TaskRequest& request_;
  connect::TargetLoader& target_;
  const bool is_native_;
  std::map<schema::TableRef, schema::TablePlanPtr> known_;
};

}  // namespace wherry::control
