// The closing table: one line a table.
#pragma once

#include <string>

#include "control/task.h"

namespace wherry::app {

/// `outcome` is nullptr when the load did not end: tables that were not reached are listed too.
std::string load_summary(const engine::LoadProgress& progress, const control::LoadOutcome* outcome);
std::string validation_summary(const engine::ValidationProgress& progress,
                               const control::ValidationOutcome* outcome);

}  // namespace wherry::app
