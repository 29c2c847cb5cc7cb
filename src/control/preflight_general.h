// Assessments that follow from a plan alone, whatever the engines are. Names: DMS's (AWS DMS User
// Guide, "Assessments for all endpoint types"); reference dms-assessments, section 2.
#pragma once

#include "connect/api/preflight.h"
#include "control/task.h"

namespace wherry::control {

connect::Assessments assess_plan(const engine::TaskPlan& plan, const TaskRequest& request);
/// The directory for the task's state and spilled changes can be written, and has room.
connect::Assessment assess_state_directory(const TaskRequest& request);
/// DMS names some questions to a target by the engine of the source.
std::string name_for(std::string name, std::string_view source_engine);

}  // namespace wherry::control
