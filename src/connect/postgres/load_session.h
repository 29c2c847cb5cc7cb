// One binary COPY in one transaction.
#pragma once

#include <memory>
#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"
#include "connect/postgres/describe.h"

namespace wherry::postgres {

/// `freeze`: the table is emptied in the same transaction and its rows are written frozen, which
/// saves the vacuum that would follow; nothing else may load that table.
Result<std::unique_ptr<connect::LoadSession>> start_load(OpContext& context,
                                                         std::shared_ptr<ConnectionPool> pool,
                                                         std::unique_ptr<Connection> connection,
                                                         schema::TablePlanPtr plan,
                                                         const NativeTable& table, bool freeze);

}  // namespace wherry::postgres
