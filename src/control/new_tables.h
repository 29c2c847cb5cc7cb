// Tables that the source's DDL makes while its changes are followed: they are taken into the
// stream, then loaded beside the others (table_reload.h) and join them.
#pragma once

#include <vector>

#include "connect/api/changes.h"
#include "control/change_recorder.h"
#include "control/task.h"
#include "control/task_state.h"

namespace wherry::control {

/// What it works with; all of it outlives the call.
struct NewTableParts {
  const TaskRequest& request;
  TaskState& state;
  connect::ChangeSource& source;
  connect::TargetApply& target;
  connect::TargetLoader& loader;
};

/// Those that are due once everything up to `applied` is; their changes are in the stream when it
/// returns. One that is gone by now leaves the task; one that cannot be followed is suspended. What
/// the target has of `asked` already may be emptied.
/// REQUIRES: nothing is applied.
Result<std::vector<schema::TableRef>> take_new_tables(OpContext& context,
                                                      const NewTableParts& parts,
                                                      connect::CommitOrder applied,
                                                      const std::vector<schema::TableRef>& asked,
                                                      ChangeRecorder& recorder);

}  // namespace wherry::control
