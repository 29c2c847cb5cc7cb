// Committed changes from Oracle's redo, in commit order: mines step by step, puts transactions
// together, and tells of them with where a restart goes on.
#pragma once

#include <memory>

#include "connect/api/changes.h"
#include "connect/oracle/changes/included_tables.h"
#include "connect/oracle/settings.h"

namespace wherry::oracle {

std::unique_ptr<connect::ChangeStream> make_change_stream(EndpointOptions options,
                                                          connect::StreamRequest request,
                                                          std::shared_ptr<IncludedTables> included);

}  // namespace wherry::oracle
