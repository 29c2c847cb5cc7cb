// Removes what a task has made besides the tables: at the source what its stream needs, at the
// target its checkpoints and records, and last its state directory. The tables and their rows stay.
#pragma once

#include <string>
#include <vector>

#include "control/task.h"

namespace wherry::control {

/// Something that is still there, and why; the hint says how to remove it.
struct LeftBehind {
  std::string what;
  Error cause;
};

struct ForgetOutcome {
  std::vector<std::string> removed;
  /// Not empty: the state directory is among them, so that the same command can be given again.
  std::vector<LeftBehind> left;
};

/// `with_control_rows`: the task's rows of the control tables (awsdms_…) too. kConfig: the
/// directory has no task, or one of another source or target, or it is running ("forget.running").
Result<ForgetOutcome> forget_task(OpContext& context, const TaskRequest& request,
                                  bool with_control_rows);

}  // namespace wherry::control
