#include "connect/oracle/changes/log_retention.h"

#include <algorithm>
#include <array>
#include <string>

#include "connect/oracle/text_number.h"

namespace wherry::oracle {
namespace {

// A log has a copy for each destination, and is there as long as one of them is.
constexpr const char* kEarlierLogs =
    "select thread#, sum(size_bytes), sum(is_gone) from (select thread#, sequence#, "
    "max(case when deleted = 'NO' and status = 'A' then blocks * block_size else 0 end) "
    "size_bytes, min(case when deleted = 'NO' and status = 'A' then 0 else 1 end) is_gone "
    "from v$archived_log where resetlogs_change# = :1 and next_change# <= :2 and archived = 'YES' "
    "and standby_dest = 'NO' group by thread#, sequence#) group by thread#";

}  // namespace

Result<std::optional<std::uint64_t>> bytes_until_lost(OpContext& context, Session& session,
                                                      const RedoPosition& position) {
  const std::array binds = {Bind::number(std::to_string(position.resetlogs_scn)),
                            Bind::number(std::to_string(position.floor_scn))};
  WHERRY_ASSIGN(const auto rows, session.rows(context, kEarlierLogs, binds));
  std::optional<std::uint64_t> least;
  for (const TextRow& row : rows) {
    if (number_in(row.at(2)) == 0) continue;
    const std::uint64_t left = number_in(row.at(1));
    least = std::min(least.value_or(left), left);
  }
  return least;
}

}  // namespace wherry::oracle
