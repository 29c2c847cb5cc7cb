// Options of a PostgreSQL source whose changes are read; the names are AWS DMS's
// (PostgreSQLSettings and extra connection attributes), without regard to case.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace wherry::postgres {

struct ChangeSettings {
  /// SlotName: an existing slot of plug-in pgoutput, used instead of one of the task's own.
  std::string slot_name;
  /// PublicationName (Wherry's own): an existing publication, used as it is.
  std::string publication_name;
  bool captures_ddl = true;           ///< CaptureDdls
  std::string ddl_schema = "public";  ///< DdlArtifactsSchema
  bool has_heartbeat = false;         ///< HeartbeatEnable
  std::string heartbeat_schema = "public";
  std::chrono::minutes heartbeat_interval{5};  ///< HeartbeatFrequency, in minutes
  /// CatchUpMegabytes (Wherry's own): a backlog that is longer than this is read with SQL, in parts
  /// for which the source needs temporary files. 0: never.
  std::uint64_t catch_up_bytes = std::uint64_t{64} << 20;
  /// PartitionedTables (Wherry's own): "root" (a partitioned table is one table) or "leaf" (each
  /// partition that holds rows is one). Changes of roots need version 13.
  bool shows_leaves = false;
};

/// Their names, for "did you mean".
const std::vector<std::string>& change_option_names();
/// False when `key` is none of them; kConfig "postgres.bad_option" for a value that is none.
Result<bool> apply_change_option(ChangeSettings& out, std::string_view key,
                                 const std::string& value);

}  // namespace wherry::postgres
