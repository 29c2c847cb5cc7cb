// Oracle read as of one SCN: flashback queries on as many sessions as the engine reads with
// at once.
#pragma once

#include <memory>

#include "connect/api/connector.h"
#include "connect/oracle/chunk_plan.h"
#include "connect/oracle/settings.h"

namespace wherry::oracle {

/// At `at` ("scn:123"), or at the SCN of now when it is empty.
Result<std::unique_ptr<connect::SnapshotSource>> make_snapshot(OpContext& context,
                                                               const EndpointOptions& options,
                                                               const Position& at);

/// The query that reads a plan's columns as of `scn`, with binds for part.from and part.to where
/// they are set; pure, for tests.
std::string select_text(const schema::TablePlan& plan, const ChunkText& part,
                        connect::RowOrder order, const std::string& scn);

}  // namespace wherry::oracle
