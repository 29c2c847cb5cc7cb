// Where tables of a PostgreSQL database lie, and whether a plan's may lie where its rules want
// them.
#pragma once

#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// Sets the tablespaces of tables and of the indexes of their keys, but the database's default. Two
/// queries.
Result<void> read_tablespaces(OpContext& context, Connection& connection,
                              std::vector<schema::TableDef>& tables);
/// A tablespace that is not there becomes the target's default, with warning "plan.no_tablespace";
/// one that the user may not use is kPermission in the match, with the GRANT. One query, where a
/// plan has one at all.
Result<void> settle_tablespaces(OpContext& context, Connection& connection,
                                std::vector<connect::TargetMatch>& matches);

}  // namespace wherry::postgres
