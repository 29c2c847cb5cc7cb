// What the target does to rows on their way in: foreign keys that are checked, triggers that fire.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "connect/postgres/connection.h"
#include "schema/table_def.h"

namespace wherry::postgres {

/// Names, separated by commas; empty: there is none.
struct Hindrances {
  std::string foreign_keys;  ///< of the table, checked row by row
  std::string triggers;      ///< that fire for rows of a load
  std::string references;    ///< foreign keys of other tables that forbid to truncate this one
};

/// Whether the session may set session_replication_role: a superuser, or from version 15 on a user
/// with SET on it.
Result<bool> may_load_as_replica(OpContext& context, Connection& connection);

/// Of the tables of `schemas`, in one query. `as_replica`: under session_replication_role = replica
/// no foreign key is checked and only triggers that were enabled for it fire.
Result<std::map<schema::TableRef, Hindrances>> read_hindrances(
    OpContext& context, Connection& connection, const std::vector<std::string>& schemas,
    bool as_replica);

}  // namespace wherry::postgres
