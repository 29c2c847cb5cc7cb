// Reads one COPY TO STDOUT as the server sends it, for a target that takes it as it is.
#pragma once

#include <memory>

#include "connect/api/connector.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// Batches are opaque: rows without COPY's header and trailer, in binary form or, with
/// plan->is_native_text, in text form.
/// REQUIRES: `connection` is in COPY OUT in that form.
std::unique_ptr<connect::ChunkReader> make_opaque_reader(std::unique_ptr<Connection> connection,
                                                         schema::TablePlanPtr plan);

}  // namespace wherry::postgres
