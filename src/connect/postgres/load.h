// PostgreSQL as the target of a full load.
#pragma once

#include <memory>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"

namespace wherry::postgres {

std::unique_ptr<connect::TargetLoader> make_loader(ConnectionSettings settings,
                                                   std::shared_ptr<SessionLot> lot);

}  // namespace wherry::postgres
