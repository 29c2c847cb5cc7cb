// The closing table: one line a table.
#pragma once

#include <string>

#include "control/task.h"

namespace wherry::app {

std::string load_summary(const engine::LoadProgress& progress,
                         const std::vector<engine::RefusedTable>& refused);
std::string validation_summary(const std::deque<engine::TableValidation>& tables);

}  // namespace wherry::app
