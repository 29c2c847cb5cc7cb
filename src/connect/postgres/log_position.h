// A place in the log of one PostgreSQL system: "lsn:v1:16/B374D848:SYSTEM:TIMELINE". System
// identifier and timeline say whose log it is; a place in another one means nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connect/postgres/wire/pgoutput.h"
#include "core/position.h"
#include "core/result.h"

namespace wherry::postgres {

struct LogPosition {
  wire::Lsn lsn = 0;
  std::string system;  ///< the system identifier, decimal
  std::uint32_t timeline = 0;
};
Position to_position(const LogPosition& position);
/// kConfig "postgres.bad_position" when it is none of these.
Result<LogPosition> read_position(const Position& position);
/// What a user may write: "16/B374D848", or DMS's "checkpoint:V1#1#00000016/B374D848#0#0#*#0#0".
std::optional<wire::Lsn> find_lsn(std::string_view text);

/// Where each timeline of a history file ends: a line for each has its number and that place
/// (PostgreSQL 15, access/transam/timeline.c).
/// The end of `timeline`; nullopt when the history does not know it.
std::optional<wire::Lsn> end_of_timeline(std::string_view history, std::uint32_t timeline);

}  // namespace wherry::postgres
