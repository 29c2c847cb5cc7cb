// Plans between two PostgreSQL databases: which columns keep their type, so that their values need
// not be understood, and in which form rows travel.
#pragma once

#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// Settles TablePlan::is_native and is_native_text of matches whose columns are native, by what the
/// target's catalogue says of their types; refuses a table whose type is missing there. Set-wise.
Result<void> settle_native_plans(OpContext& context, Connection& connection,
                                 std::vector<connect::TargetMatch>& matches);

}  // namespace wherry::postgres
