// What some rows of a table look like, before it is moved: how large its values are, and which of
// them the target would refuse. Reads, and changes nothing.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "engine/full_load.h"

namespace wherry::engine {

/// Upper bounds of the histogram's classes, in bytes; the last class is above all.
inline constexpr std::array<std::uint64_t, 6> kSizeClasses = {1'024,     8'192,      65'536,
                                                              1'048'576, 16'777'216, 1'073'741'824};

/// Values that the target would refuse for one reason.
struct RefusedValues {
  std::uint64_t count = 0;
  std::vector<std::string> keys;  ///< of the first ones, "ID=42"
};

struct ColumnSample {
  std::uint64_t values = 0;  ///< that are not NULL
  std::uint64_t nulls = 0;
  std::uint64_t empty = 0;                                     ///< texts and bytes of length 0
  int most_digits = 0;                                         ///< of numbers, before the point
  int most_scale = 0;                                          ///< … and after it
  std::uint64_t most_bytes = 0;                                ///< of texts and bytes
  std::uint64_t most_characters = 0;                           ///< of texts that are in memory
  std::array<std::uint64_t, kSizeClasses.size() + 1> sizes{};  ///< of texts and bytes
  std::map<std::string, RefusedValues> refused;                ///< by reason
};

struct TableSample {
  std::uint64_t rows = 0;
  bool is_whole = false;              ///< the table has no more
  std::vector<ColumnSample> columns;  ///< of the plan
};

/// Reads up to `most_rows` rows, from several places of a large table, as they would be loaded.
Result<TableSample> sample_table(OpContext& context, connect::SnapshotSource& source,
                                 connect::TargetLoader& target, const TableTask& task,
                                 std::uint64_t most_rows);

}  // namespace wherry::engine
