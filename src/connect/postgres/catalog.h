// PostgreSQL's catalogue in the connectors' common terms.
#pragma once

#include <memory>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"

namespace wherry::postgres {

/// `shows_leaves`: partitions that hold rows are tables, and partitioned tables are not.
std::unique_ptr<connect::Catalog> make_catalog(std::unique_ptr<ConnectionPool> pool,
                                               bool shows_leaves);

}  // namespace wherry::postgres
