// One lane: a session that changes the target.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "connect/api/changes.h"
#include "connect/postgres/checkpoint.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

struct LaneSettings {
  std::string task_name;
  std::uint32_t lane = 0;
  std::size_t statement_cache = 50;
  bool as_replica = false;  ///< what the session is
  bool refuses_null_characters = false;
  std::string exceptions_table;  ///< quoted
  CheckpointTable checkpoints;
  std::shared_ptr<void> presence;  ///< kept as long as the lane lives
};

/// REQUIRES: the session holds the lane's lock (CheckpointTable::enter).
Result<std::unique_ptr<connect::TargetApplier>> make_lane(OpContext& context,
                                                          std::unique_ptr<Connection> connection,
                                                          LaneSettings settings);

}  // namespace wherry::postgres
