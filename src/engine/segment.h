// One segment of a table: a reader thread fills batches, the calling thread writes them.
#pragma once

#include <functional>

#include "connect/api/connector.h"
#include "engine/full_load.h"

namespace wherry::engine {

/// Reads `chunk` and loads it; durable when it returns without an error. Counts into `table`.
/// `before_commit` is called when all rows are sent; its error gives the segment up.
Result<void> load_segment(OpContext& context, connect::SnapshotSource& source,
                          connect::TargetLoader& target, const connect::Chunk& chunk,
                          const LoadOptions& options, TableProgress& table,
                          const std::function<Result<void>()>& before_commit);

}  // namespace wherry::engine
