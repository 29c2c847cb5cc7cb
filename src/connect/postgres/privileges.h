// What Wherry's user may do with the tables of a load, asked before anything is changed.
#pragma once

#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// kPermission "postgres.privilege_missing" with the statements that grant what is missing. One
/// query, whatever the number of tables.
Result<void> check_privileges(OpContext& context, Connection& connection,
                              const std::vector<schema::TablePlanPtr>& plans,
                              connect::ExistingTable existing);

}  // namespace wherry::postgres
