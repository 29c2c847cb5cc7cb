// SQL that takes foreign keys, triggers and secondary indexes of the target out of the way of a
// load, and SQL that brings them back exactly as they were.
#pragma once

#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// Reads the catalogue and changes nothing. `schemas` empty: all that are not the system's. What
/// belongs to an extension is left alone. Exact as pg_dump -s sees it: definitions, NOT VALID,
/// deferrability, states of triggers, storage parameters, tablespaces, partitions of indexes, marks
/// of CLUSTER and REPLICA IDENTITY, statistics targets, comments.
Result<connect::TargetScripts> write_scripts(OpContext& context, Connection& connection,
                                             const connect::ScriptOptions& options);

}  // namespace wherry::postgres
