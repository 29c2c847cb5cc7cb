// Reads one binary COPY TO STDOUT into batches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"
#include "connect/postgres/large_values.h"
#include "connect/postgres/wire/decoder.h"

namespace wherry::postgres {

/// Text and bytes above this go to a spill file.
inline constexpr std::size_t kInlineBytes = 64 * 1024;

/// A column whose values may be too large to come with the row.
struct LargeColumn {
  std::size_t index = 0;  ///< of the plan
  std::string name;       ///< quoted
};

/// What a query delivers: one field for each decoder; when there are large columns, then also the
/// length of each one's value (NULL: it came with the row), and the row's tableoid and ctid.
struct CopyShape {
  std::vector<wire::ColumnDecoder> decoders;
  std::vector<LargeColumn> large;
};

/// REQUIRES: `connection` is in COPY OUT of a query of that shape. It goes back to `pool` at the
/// end.
std::unique_ptr<connect::ChunkReader> make_copy_reader(std::shared_ptr<ConnectionPool> pool,
                                                       std::unique_ptr<Connection> connection,
                                                       schema::TablePlanPtr plan, CopyShape shape,
                                                       LargeValueReader large_values);

}  // namespace wherry::postgres
