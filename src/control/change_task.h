// A task that takes the source's changes over to the target, after a full load or without one.
//
//   slot ─► full load            ─► cached changes ─► ongoing replication
//           (changes are cached)
//
// Where the stream begins is made at the source, and durable, before the first row is read. While
// tables are loaded their changes go into one cache on disk, in commit order; each table then skips
// what its own rows hold already. Whatever ends a run, the next one goes on where the target is.
#pragma once

#include <string>

#include "control/change_progress.h"
#include "control/task.h"

namespace wherry::control {

struct ChangeOutcome {
  LoadOutcome load;
  Position position;               ///< everything at or before it is on the target
  const char* stop_reason = "";    ///< DMS: "Stop Reason STOPPED_AFTER_FULL_LOAD", …
  bool has_table_errors = false;   ///< tables not loaded, or whose changes are given up
  bool is_wanted_by_user = false;  ///< stopped by request, from outside
};

/// `request.type` is kCdc or kFullLoadAndCdc. kPositionLost when the source no longer has what the
/// task needs: all tables must then be loaded again. A stop that comes while tables are loaded is
/// kCancelled, later it is a normal end.
Result<ChangeOutcome> run_change_task(OpContext& context, const TaskRequest& request,
                                      TaskObserver& observer);

}  // namespace wherry::control
