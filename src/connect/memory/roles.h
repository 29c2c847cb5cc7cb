// The roles of the in-process connector, made by connector.cpp.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "connect/api/connector.h"
#include "connect/memory/database.h"

namespace wherry::memory {

struct ReadOptions {
  std::size_t inline_limit_bytes = 65536;
  std::size_t batch_rows = std::numeric_limits<std::size_t>::max();
  bool is_order_wrong = false;
  std::string spill_directory;
};

/// kPositionLost when `at` is forgotten.
Result<std::unique_ptr<connect::SnapshotSource>> make_snapshot(Database& database,
                                                               ReadOptions options,
                                                               const Position& at);
std::unique_ptr<connect::TargetLoader> make_loader(Database& database);
std::unique_ptr<connect::TargetApply> make_apply(Database& database);

}  // namespace wherry::memory
