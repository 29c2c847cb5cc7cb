// Task settings as one request takes them over.
#pragma once

#include "control/task.h"
#include "core/log.h"

namespace wherry::control {

/// Sets request.settings. The rules and the log heed what concerns them (TargetSchema,
/// LogComponents), and what means nothing to such a task is added to without_effect. REQUIRES: the
/// request's type and endpoints are set.
void take_settings(TaskRequest& request, TaskSettings settings, const Logger& log);

}  // namespace wherry::control
