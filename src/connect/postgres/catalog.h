// PostgreSQL's catalogue in the connectors' common terms.
#pragma once

#include <memory>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"

namespace wherry::postgres {

std::unique_ptr<connect::Catalog> make_catalog(std::unique_ptr<ConnectionPool> pool);

}  // namespace wherry::postgres
