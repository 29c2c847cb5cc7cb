// How a user wants one table cut (DMS table-settings rule, "parallel-load").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wherry::schema {

enum class ParallelLoadType : std::uint8_t {
  kNone,               ///< "none": one chunk
  kPartitionsAuto,     ///< "partitions-auto": one chunk a partition
  kSubpartitionsAuto,  ///< "subpartitions-auto"
  kPartitionsList,     ///< "partitions-list": the named ones, and nothing else
  kRanges,             ///< "ranges": between boundaries of columns
};

struct ParallelLoad {
  ParallelLoadType type = ParallelLoadType::kNone;
  std::vector<std::string> partitions, subpartitions;  ///< kPartitionsList
  std::vector<std::string> columns;                    ///< kRanges, most significant first
  /// kRanges: ascending, each an exclusive upper bound, as many values as columns.
  std::vector<std::vector<std::string>> boundaries;
};

}  // namespace wherry::schema
