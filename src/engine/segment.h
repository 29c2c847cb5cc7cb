// One segment: a reader thread takes chunk after chunk and fills batches, the calling thread writes
// them in one target transaction.
#pragma once

#include <functional>
#include <vector>

#include "connect/api/connector.h"
#include "engine/full_load.h"
#include "engine/throttle.h"

namespace wherry::engine {

struct SegmentJob {
  connect::SnapshotSource& source;
  connect::TargetLoader& target;
  connect::Segment segment;
  schema::TablePlanPtr plan;
  /// The next chunk of a segment that has read so many bytes; nullptr: it is long enough.
  std::function<const connect::Chunk*(std::uint64_t bytes)> take;
  std::function<Result<void>()> before_commit;  ///< all rows were sent
  Throttle& throttle;
  bool is_careful = false;  ///< rows that only the server refuses are found one by one
};

struct SegmentOutcome {
  std::vector<connect::DoneChunk> chunks;  ///< taken; with their rows once they were read whole
  std::uint64_t rows = 0;                  ///< counted into the table's progress
  std::uint64_t bytes = 0;
  std::uint64_t truncated_values = 0;  ///< counted into the table's progress
  bool may_be_durable = false;         ///< it failed while it was committed
  /// It failed because the target refused some row; a careful one finds out which.
  bool may_isolate = false;
  std::uint64_t refused_rows =
      0;  ///< of `rows`: left out; in the table's progress when it is durable
};

/// Says of a transient error which end it comes from ("source", "target"), unless it does already.
Error with_side(Error error, std::string_view side);
/// What with_side() said; "target" when it said nothing.
std::string side_of(const Error& error);

/// Durable when it returns without an error. Counts into `table` and tells in `outcome` how much,
/// also when it fails. Transient errors bear the field "side".
Result<void> load_segment(OpContext& context, const SegmentJob& job, const LoadOptions& options,
                          TableProgress& table, SegmentOutcome& outcome);

}  // namespace wherry::engine
