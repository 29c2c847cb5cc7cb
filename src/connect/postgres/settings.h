// What reaches libpq from a connection's settings, and Wherry's own options for PostgreSQL.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/change_settings.h"
#include "schema/postgres_types.h"

namespace wherry::postgres {

struct ConnectionSettings {
  /// libpq keyword and value, without the password.
  std::vector<std::pair<std::string, std::string>> parameters;
  Secret password;
  int connect_timeout_secs = 30;  ///< option connect_timeout; 0: none
  /// Option lock_timeout: how long a statement waits for a lock that another session holds, in
  /// seconds; 0: for ever.
  int lock_timeout_secs = 30;
  /// Option toast_compression: how the server compresses values above 2 kB that a session of ours
  /// writes. "lz4" where the server has it (three times faster loads of large values), "pglz", or
  /// "default" to leave the server's setting. Columns with a COMPRESSION of their own keep it.
  /// LOB columns of tables that Wherry creates get it as their own.
  std::string toast_compression = "lz4";
  /// Option session_replication_role: "replica" (where the user may set it, foreign keys are not
  /// checked and ordinary triggers do not fire during a load) or "origin" (they work as ever).
  bool loads_as_replica = true;
  /// Option column_types: "lossless", or "dms" for the types that AWS DMS creates.
  schema::TypeStyle column_types = schema::TypeStyle::kLossless;
  /// Option null_characters: "space" (U+0000 in text becomes a space and is counted, as DMS does)
  /// or "error" (the row cannot be loaded).
  bool refuses_null_characters = false;
  /// Option key_memory_mb: least maintenance_work_mem of the session that builds a key after a
  /// load; 0: the server's. The sort of 3 million keys fits, and costs a tenth less than on disk.
  int key_memory_mb = 256;
  /// Option analyze: ANALYZE of each table after its load, so that queries find good plans at once.
  /// Off for who does it for all tables later (vacuumdb --analyze-in-stages).
  bool gathers_statistics = true;
  ChangeSettings changes;  ///< of a source
  /// Option synchronous_commit, of lanes that apply changes: "off" (the source keeps what may be
  /// lost in a crash of the target until it is flushed), or a value of PostgreSQL's, or "default"
  /// for the server's. Each commit then waits for the disk: slower by far for small transactions.
  std::string synchronous_commit = "off";
  std::string spill_directory;
  std::string control_schema = "public";  ///< where Wherry's own tables live; DMS's default
};

/// Host, port, database, user from the URL; all other keys must be libpq's or Wherry's.
/// kConfig "postgres.unknown_option" names the key and the nearest known one.
Result<ConnectionSettings> read_settings(const connect::Settings& settings);

}  // namespace wherry::postgres
