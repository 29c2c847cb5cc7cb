// One binary COPY in one transaction.
#pragma once

#include <memory>
#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"
#include "connect/postgres/describe.h"
#include "connect/postgres/ledger.h"

namespace wherry::postgres {

struct CopyTarget {
  schema::TablePlanPtr plan;
  const NativeTable& table;
  Ledger ledger;
  connect::Segment segment;
  /// The table is emptied in the same transaction and its rows are written frozen, which saves the
  /// vacuum that would follow; nothing else may load that table.
  bool freeze = false;
};

Result<std::unique_ptr<connect::LoadSession>> start_load(OpContext& context,
                                                         std::shared_ptr<ConnectionPool> pool,
                                                         std::unique_ptr<Connection> connection,
                                                         CopyTarget target);

}  // namespace wherry::postgres
