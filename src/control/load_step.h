// The full load as a part of a task: what a run finds of earlier ones, and the load itself.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "control/start_retry.h"
#include "control/state_journal.h"
#include "control/task.h"
#include "control/task_plan.h"
#include "control/task_state.h"
#include "engine/full_load.h"
#include "engine/source_views.h"

namespace wherry::control {

/// kConfig where the start type does not fit what the task has done.
Result<void> check_start(StartType start, const TaskState& state);

/// kConfig when the task was begun as one of another type, and goes on.
Result<void> check_type(const TaskRequest& request, const TaskState& state);

/// The request with what the run itself adds: where values spill to, where control tables are.
TaskRequest with_own_settings(const TaskRequest& request, const TaskState& state);

/// Makes the control tables. Who may not, and did not ask for any, loads without them.
Result<std::unique_ptr<connect::ControlWriter>> open_control(OpContext& context,
                                                             connect::TargetLoader& loader,
                                                             const TaskSettings& settings,
                                                             const TaskState& state);

/// Whether the run goes on with what the state has, rather than beginning anew.
bool resumes(const TaskRequest& request, const TaskState& state);
/// What is to be known of the planned tables: of all when the run begins anew, of those that are
/// new or untouched when it goes on.
Result<TableRecords> table_records(OpContext& context, const TaskRequest& request,
                                   const engine::TaskPlan& plan, const TaskState& state,
                                   StartRetry& retry);

/// `load_id`: in the target's ledger; empty: there is none.
engine::LoadOptions load_options(const TaskSettings& settings, const std::string& load_id);

engine::SourceViews::Open source_opener(const TaskRequest& request);

/// What a load works with; all of it outlives the call.
struct LoadParts {
  Prepared& prepared;
  TaskState& state;
  engine::SourceViews& views;
  StateJournal& journal;
  std::shared_ptr<connect::ControlWriter> control;  ///< nullptr: there are no control tables
  bool is_followed = false;                         ///< by changes: the task does not end with it
};
/// Loads what is not complete. An error is fatal for the task; table errors are in `outcome` and in
/// the observer's progress. `load_before`: the load that this one takes the place of.
Result<void> run_load(OpContext& context, const TaskRequest& request, const LoadParts& parts,
                      StartRetry& retry, TaskObserver& observer, const std::string& load_before,
                      LoadOutcome& outcome);

}  // namespace wherry::control
