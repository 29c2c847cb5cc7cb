// Reads from Oracle's dictionary how a table is stored, as far as the account may see it, and cuts
// it into chunks.
#pragma once

#include <vector>

#include "connect/api/connector.h"
#include "connect/oracle/client.h"

namespace wherry::oracle {

/// Small tables, index-organized and clustered ones and views are one chunk. Where the account may
/// not see DBA_EXTENTS (SELECT_CATALOG_ROLE or SELECT ANY DICTIONARY), a sample of the table's
/// blocks takes their place.
Result<std::vector<connect::Chunk>> plan_chunks(OpContext& context, Session& session,
                                                const schema::TableDef& table,
                                                const connect::ChunkHints& hints);

}  // namespace wherry::oracle
