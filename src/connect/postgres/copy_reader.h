// Reads one binary COPY TO STDOUT into batches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/wire/decoder.h"

namespace wherry::postgres {

/// Text and bytes above this go to a spill file.
inline constexpr std::size_t kInlineBytes = 64 * 1024;

/// REQUIRES: `connection` is in COPY OUT of a query with one column for each decoder.
std::unique_ptr<connect::ChunkReader> make_copy_reader(std::unique_ptr<Connection> connection,
                                                       schema::TablePlanPtr plan,
                                                       std::vector<wire::ColumnDecoder> decoders,
                                                       std::string spill_directory);

}  // namespace wherry::postgres
