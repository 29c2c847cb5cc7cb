// What a source says of the changes of a task's tables before anything is made there.
#pragma once

#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "control/start_retry.h"
#include "engine/planner.h"

namespace wherry::control {

/// Tables whose changes cannot be had are refused: they are not loaded either. What the source
/// warns of tables is among their plans' warnings, the rest is returned; all of it is logged.
Result<schema::PlanWarnings> examine_changes(OpContext& context, connect::ChangeSource& source,
                                             const std::string& stream_name, StartRetry& retry,
                                             engine::TaskPlan& plan);

}  // namespace wherry::control
