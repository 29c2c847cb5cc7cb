// What a task-settings document says about ongoing replication, for task_settings.cpp.
#pragma once

#include "control/settings_values.h"
#include "control/task_settings.h"

namespace wherry::control {

ChangeProcessing read_change_settings(const SettingsValues& values);

}  // namespace wherry::control
