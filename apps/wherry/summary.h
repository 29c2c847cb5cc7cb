// What is said of a load as a whole, and the closing table: one line a table.
#pragma once

#include <string>

#include "control/task.h"

namespace wherry::app {

/// `outcome` is nullptr when the load did not end: tables that were not reached are listed too.
std::string load_summary(const engine::LoadProgress& progress, const control::LoadOutcome* outcome);
/// "3/20 tables, 1,234 rows, 12.3 MB, 1,000 rows/s, 12s, 43%, 2m left, slowest: source read".
std::string totals_text(const engine::LoadProgress& progress, double elapsed_seconds);
/// "reconnecting to the target in 5s (try 1): …".
std::string reconnecting_text(const engine::Interruption& interruption);
std::string validation_summary(const engine::ValidationProgress& progress,
                               const control::ValidationOutcome* outcome);

}  // namespace wherry::app
