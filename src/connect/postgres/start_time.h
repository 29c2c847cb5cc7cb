// Where in the log a time is: PostgreSQL keeps no index of times, but a slot's log has the time of
// every commit.
#pragma once

#include <string>
#include <string_view>

#include "connect/postgres/connection.h"
#include "connect/postgres/wire/pgoutput.h"

namespace wherry::postgres {

struct PublishedSlot {
  std::string slot;         ///< of plug-in pgoutput; nobody reads from it
  std::string publication;  ///< existed at that time
};

/// The place of the first commit at or after `time`, as the server reads it (UTC where it names no
/// zone); the end of the log when there was none since. The server decodes all that the slot has.
/// kConfig "postgres.bad_position": no time, one that lies ahead, or one from before the slot's
/// log, which no commit before it vouches for.
Result<wire::Lsn> find_start_time(OpContext& context, Connection& connection,
                                  const PublishedSlot& from, const std::string& time);

}  // namespace wherry::postgres
