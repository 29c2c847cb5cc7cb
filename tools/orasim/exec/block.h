// Anonymous PL/SQL blocks, as far as migrations send them: SQL statements, variables, assignments,
// loops, conditions, exception handlers that swallow or re-raise, and a few supplied packages.
#pragma once

#include <string_view>
#include <vector>

#include "engine/session.h"
#include "exec/runner.h"

namespace orasim {

/// The binds of a block, one a name; ORA-06550 with line and column for a syntax error.
std::vector<BindInfo> block_binds(std::string_view sql);

/// Runs the block on the runner's binds. A run-time error carries Oracle's own number and text,
/// followed by "ORA-06512: at line n".
void run_block(std::string_view sql, StatementRunner& runner);

}  // namespace orasim
