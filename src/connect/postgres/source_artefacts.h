// What Wherry keeps in a source database beside slot and publication, under AWS DMS's names: the
// table and the event triggers that tell of DDL, and the table that a heartbeat writes to. Objects
// of these names that are there already, DMS's own say, are used as they are and never removed.
#pragma once

#include <string>

#include "connect/postgres/change_settings.h"
#include "connect/postgres/connection.h"
#include "schema/table_def.h"

namespace wherry::postgres {

inline constexpr std::string_view kDdlAuditTable = "awsdms_ddl_audit";

/// True when table and triggers are there, also when they had to be made: only a superuser may (on
/// RDS rds_superuser). False without an error when the user may not.
Result<bool> make_ddl_artefacts(OpContext& context, Connection& connection,
                                const ChangeSettings& settings);
Result<bool> has_ddl_artefacts(OpContext& context, Connection& connection,
                               const ChangeSettings& settings);
/// Removes what Wherry made, when no publication needs it any more.
Result<void> remove_artefacts(OpContext& context, Connection& connection,
                              const ChangeSettings& settings);

Result<void> make_heartbeat_table(OpContext& context, Connection& connection,
                                  const ChangeSettings& settings);
/// A small transaction, so that the log of an idle database goes on in a busy cluster.
Result<void> beat(OpContext& context, Connection& connection, const ChangeSettings& settings,
                  const std::string& slot);

}  // namespace wherry::postgres
