// Reads from Oracle's dictionary how a table is stored, as far as the account may see it, and cuts
// it into chunks.
#pragma once

#include <vector>

#include "connect/api/connector.h"
#include "connect/oracle/client.h"

namespace wherry::oracle {

/// Small tables, index-organized and clustered ones, views, and tables whose extents nobody shows
/// the account (DBA_EXTENTS needs SELECT_CATALOG_ROLE or SELECT ANY DICTIONARY) and that have no
/// partitions are one chunk.
Result<std::vector<connect::Chunk>> plan_chunks(OpContext& context, Session& session,
                                                const schema::TableDef& table,
                                                const connect::ChunkHints& hints);

}  // namespace wherry::oracle
