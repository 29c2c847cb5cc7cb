// One binary COPY in one transaction.
#pragma once

#include <memory>
#include <string>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"
#include "connect/postgres/describe.h"
#include "connect/postgres/ledger.h"

namespace wherry::postgres {

/// Where rows that were left out are written down; nowhere when `table` is empty.
struct ExceptionsTable {
  std::string table;      ///< quoted, with its schema
  std::string task_name;  ///< TASK_NAME
};

struct CopyTarget {
  schema::TablePlanPtr plan;
  const NativeTable& table;
  Ledger ledger;
  connect::Segment segment;
  /// The table is emptied in the same transaction and its rows are written frozen, which saves the
  /// vacuum that would follow; nothing else may load that table.
  bool freeze = false;
  bool as_replica = false;  ///< foreign keys are not checked, ordinary triggers do not fire
  ExceptionsTable exceptions = {};
};

Result<std::unique_ptr<connect::LoadSession>> start_load(OpContext& context,
                                                         std::shared_ptr<ConnectionPool> pool,
                                                         std::unique_ptr<Connection> connection,
                                                         CopyTarget target);

}  // namespace wherry::postgres
