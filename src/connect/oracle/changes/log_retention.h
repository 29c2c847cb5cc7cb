// How long a database goes on keeping the redo that a task still needs. It does not say: what can
// be seen is which archived logs it has thrown away, oldest first, and how many lie between those
// and the first that is needed. Facts: reference oracle-cdc, 1.2 and 2.1 (Oracle Database
// Reference, V$ARCHIVED_LOG).
#pragma once

#include <cstdint>
#include <optional>

#include "connect/oracle/client.h"
#include "connect/oracle/logminer/redo_position.h"

namespace wherry::oracle {

/// What is left of archived logs before the first that `position` needs, in bytes; of the thread
/// that has the least. nullopt: the database has thrown none away yet.
Result<std::optional<std::uint64_t>> bytes_until_lost(OpContext& context, Session& session,
                                                      const RedoPosition& position);

}  // namespace wherry::oracle
