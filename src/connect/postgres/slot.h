// The replication slot of a task: its name, its state, and how it is taken away from a session that
// still holds it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connect/postgres/connection.h"
#include "connect/postgres/log_position.h"

namespace wherry::postgres {

/// System identifier, timeline and where the log ends now. `session` is a walsender's.
Result<LogPosition> identify_system(OpContext& context, Connection& session);

/// "wherry_" and the task's name as a slot's may be: lower case, digits, underscores, 63 bytes;
/// with a hash when that lost something.
std::string slot_name_for(std::string_view task_name);

struct SlotState {
  std::string plugin;
  std::string database;
  bool is_logical = true;
  std::int32_t active_pid = 0;  ///< 0: nobody uses it
  wire::Lsn restart_lsn = 0;
  wire::Lsn confirmed_lsn = 0;
  std::string wal_status;     ///< reserved, extended, unreserved, lost; empty before version 13
  std::string lost_reason;    ///< why it is lost, see pg_replication_slots; empty before version 17
  bool is_two_phase = false;  ///< decodes transactions when they are prepared
  std::optional<std::uint64_t> safe_bytes;  ///< what may be written before it is lost
};
/// What to do about a lost slot before the tables are loaded again.
std::string_view advice_on_loss(std::string_view lost_reason);
/// nullopt: there is no slot of that name. `connection` may be a walsender's.
Result<std::optional<SlotState>> find_slot(OpContext& context, Connection& connection,
                                           const std::string& slot);

/// Waits until nobody uses the slot: a walsender whose client was killed needs a moment, one behind
/// a dead network is ended when it has heard nothing for half a minute. kTransient
/// "postgres.slot_in_use" names the session that still uses it.
Result<void> await_free_slot(OpContext& context, Connection& connection, const std::string& slot);

/// Drops a slot that nobody uses, see await_free_slot(); none there is no error.
Result<void> drop_slot(OpContext& context, Connection& connection, const std::string& slot);

}  // namespace wherry::postgres
