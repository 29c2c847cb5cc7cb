// A place in the order of a database's commits, with what a restart from there needs: how far back
// each thread's redo must be read, because transactions were open, and which commits are not to be
// delivered again. Facts: reference oracle-cdc, 10.4, 11.2 and 2.3.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "connect/oracle/logminer/mined_row.h"
#include "core/position.h"
#include "core/result.h"

namespace wherry::oracle {

struct RedoPosition {
  std::uint64_t database_id = 0;    ///< V$DATABASE.DBID
  std::uint64_t resetlogs_scn = 0;  ///< of the incarnation
  /// SCN of the last commit that was delivered; of a start, that of the load.
  std::uint64_t commit_scn = 0;
  /// Commits at or below it are in the load.
  std::uint64_t load_scn = 0;
  /// Threads that are not in `threads` are read from the log that holds it.
  std::uint64_t floor_scn = 0;
  struct Thread {
    /// The first record that must be read again.
    RedoAddress floor;
    /// Of the last commit that was delivered; unknown: none was.
    RedoAddress commit;
    bool operator==(const Thread&) const = default;
  };
  std::map<std::uint32_t, Thread> threads;
  /// Transactions that were open when the load began, while no later commit was delivered.
  struct OpenTransaction {
    TransactionKey key;
    std::uint64_t start_scn = 0;
    bool operator==(const OpenTransaction&) const = default;
  };
  std::vector<OpenTransaction> open;
  bool operator==(const RedoPosition&) const = default;
};

/// "redo:v1:DBID:RESETLOGS:COMMIT:LOAD:FLOOR:THREAD=FLOOR/COMMIT,…:CONTAINER.XID@SCN,…"
Position to_position(const RedoPosition& position);
/// kConfig "oracle.bad_position" when it is none of these.
Result<RedoPosition> read_position(const Position& position);

}  // namespace wherry::oracle
