// DBMS_LOGMNR of one session: the log files that were added, and what START_LOGMNR asked for.
//
// Bounds are inclusive. Errors are Oracle's: ORA-01284 (file cannot be opened), 01289 (added
// already), 01290 (not added), 01291 (a log of the range is missing), 01292 (no file was added),
// 01281 (bounds), 01306 (view read before START), 01307 (END without START), 01371 (no dictionary
// in the logs), 01347 (no supplemental logging for DDL tracking), 44609 (CONTINUOUS_MINE). Threads:
// belongs to its session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/redo_log.h"
#include "store/store.h"

namespace orasim::logminer {

/// Values of the constants of DBMS_LOGMNR.
inline constexpr std::uint32_t kNew = 1, kRemoveFile = 2, kAddFile = 3;
inline constexpr std::uint32_t kCommittedDataOnly = 2, kSkipCorruption = 4, kDdlDictTracking = 8,
                               kDictFromOnlineCatalog = 16, kDictFromRedoLogs = 32,
                               kNoSqlDelimiter = 64, kPrintPrettySql = 512, kContinuousMine = 1024,
                               kNoRowidInStmt = 2048, kStringLiteralsInStmt = 4096;

struct AddedLog {
  std::string name;
  RedoLogFilePtr file;
  std::uint32_t thread = 0, sequence = 0;
  bool is_online = false;
};

struct StartRequest {
  std::optional<std::int64_t> start_scn, end_scn;
  std::optional<std::int64_t> start_unix, end_unix;
  std::uint32_t options = 0;
  bool picks_logs = false;  ///< from within a pluggable database
};

/// What a query of the view reads; immutable.
struct Mining {
  std::vector<AddedLog> logs;  ///< by thread and sequence
  Scn from = 0, to = 0;
  std::uint32_t options = 0;
  [[nodiscard]] bool has(std::uint32_t option) const { return (options & option) != 0; }
};

class LogMinerSession {
 public:
  void add_logfile(Store&, const std::string& name, std::uint32_t option);
  void remove_logfile(const std::string& name);
  /// `release`: major number of the database.
  void start(Store&, const StartRequest&, int release);
  void end();
  /// ORA-01306 before START.
  [[nodiscard]] std::shared_ptr<const Mining> mining() const;
  [[nodiscard]] const std::vector<AddedLog>& logs() const { return logs_; }

 private:
  std::vector<AddedLog> logs_;
  std::shared_ptr<const Mining> mining_;
};

}  // namespace orasim::logminer
