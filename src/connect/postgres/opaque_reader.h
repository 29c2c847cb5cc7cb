// Reads one COPY TO STDOUT as the server sends it, for a target that takes it as it is.
#pragma once

#include <memory>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"

namespace wherry::postgres {

/// Batches are opaque: rows without COPY's header and trailer, in binary form or, with
/// plan->is_native_text, in text form.
/// REQUIRES: `connection` is in COPY OUT in that form. It goes back to `pool` at the end.
std::unique_ptr<connect::ChunkReader> make_opaque_reader(std::shared_ptr<ConnectionPool> pool,
                                                         std::unique_ptr<Connection> connection,
                                                         schema::TablePlanPtr plan);

}  // namespace wherry::postgres
