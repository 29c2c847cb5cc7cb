// One moment of a task with changes, seen from both ends: the source as it was right after some
// commit, and the target when it had everything up to that commit and nothing after it. Rows that
// are on their way are in neither view, so whatever differs is a difference.
//
// A running task holds its changes for that (apply_hold.h), for as long as it takes to make the two
// views; both then stay as they are, while it goes on. Of a stopped one the target stands still
// where it is, and tables that the source has changed since are told apart.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "connect/api/changes.h"
#include "control/task.h"
#include "control/task_state.h"

namespace wherry::control {

struct ComparedMoment {
  connect::StreamStart start;  ///< its position is where the source is seen
  std::unique_ptr<connect::SnapshotSource> source, target;
  TableRecords tables;  ///< as the task had them then
  std::string load_id;  ///< of the start that had loaded them
  /// Why tables of the task cannot be compared, by the names in `tables`.
  std::map<schema::TableRef, Error> left_out;
};

/// `request`: with its own settings; its directory has a task with changes. Waits for `patience`
/// until the task is so far and the source gives a view; kTransient "validate.not_in_time" says
/// what was waited for. kConfig where a stopped task has to be run on first.
Result<ComparedMoment> find_compared_moment(OpContext& context, const TaskRequest& request,
                                            std::chrono::seconds patience);

}  // namespace wherry::control
