// A publication that somebody else made: whether it has all that a task needs of it.
#pragma once

#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// Adds to the tables of `out`, which are those of `plans`, what the publication leaves out of
/// them: whole tables and columns are refused, kinds of changes and rows are warned of. kConfig
/// "postgres.no_publication" when there is none of that name.
Result<void> check_publication(OpContext& context, Connection& connection, const std::string& name,
                               const std::vector<schema::TablePlanPtr>& plans,
                               connect::StreamAdvice& out);

}  // namespace wherry::postgres
