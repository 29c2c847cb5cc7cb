// A session that mines the redo of its database with LogMiner, through V$LOGMNR_CONTENTS and the
// views that tell of logs. Facts: reference oracle-cdc, 2.1, 3, 4.1 and 6.1 (Oracle Database
// PL/SQL Packages Reference, DBMS_LOGMNR).
//
// Used by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/oracle/client.h"
#include "connect/oracle/logminer/mined_row.h"
#include "connect/oracle/logminer/mining_plan.h"
#include "connect/oracle/logminer/redo_logs.h"
#include "core/row_batch.h"

namespace wherry::oracle {

/// Which database's redo is mined, and which rows of it are wanted. Facts: reference
/// oracle-cdc, 1.1.
struct MinedDatabase {
  enum class Kind : std::uint8_t {
    kWhole,      ///< one without containers
    kRoot,       ///< CDB$ROOT, whose redo has rows of all containers
    kPluggable,  ///< from within: the server picks the logs itself
  };
  Kind kind = Kind::kWhole;
  std::uint32_t container = 0;  ///< SRC_CON_ID of the tables' rows; kWhole: 0
};

/// Which rows are wanted, and what of them.
struct WantedRows {
  std::vector<std::string> owners;  ///< of the tables
  bool with_users = false;          ///< MinedRow::user
};

class MiningSession {
 public:
  /// Logs in where the service is, not into `options.pluggable_database`, whose rows are wanted
  /// then; and sets what the text of SQL_REDO depends on. kConfig "oracle.session_format" when the
  /// server has another setting afterwards; "oracle.no_pdb" and "oracle.pdb_not_minable" with what
  /// to connect to instead.
  static Result<std::unique_ptr<MiningSession>> open(OpContext& context,
                                                     const ConnectOptions& options);

  /// Of the current incarnation; archived logs only as far as they have SCNs from `low_scn` on.
  Result<RedoView> view(OpContext& context, std::uint64_t low_scn);

  /// Begins a step. Rows of control and DDL come beside those that are wanted, and rows whose owner
  /// the dictionary does not know any more. A log that is no longer what
  /// the plan says is kTransient "oracle.log_changed", from here and from next(): the step is to be
  /// planned again. REQUIRES: the plan has logs.
  Result<void> begin(OpContext& context, const MiningPlan& plan, const WantedRows& wanted);
  /// The next row, with views that are good until the next call; false: that was all.
  Result<bool> next(OpContext& context, MinedRow& out);

 private:
  explicit MiningSession(std::unique_ptr<Session> session) : session_(std::move(session)) {}
  Result<void> set_formats(OpContext& context);
  Result<void> find_database(OpContext& context, const std::string& pluggable_database);
  Result<void> find_container(OpContext& context, const std::string& pluggable_database);
  [[nodiscard]] std::string query_text(const WantedRows& wanted) const;
  Result<void> read_database(OpContext& context, RedoView& out);
  Result<void> read_threads(OpContext& context, RedoView& out);
  Result<void> read_online_logs(OpContext& context, RedoView& out);
  Result<void> read_archived_logs(OpContext& context, std::uint64_t low_scn, RedoView& out);
  Result<void> add_logs(OpContext& context, const MiningPlan& plan);
  [[nodiscard]] std::size_t column_count() const;
  Result<void> fetch(OpContext& context);

  std::unique_ptr<Session> session_;
  MinedDatabase database_;
  std::int64_t host_offset_micros_ = 0;  ///< of the database's host, in whose time rows are
  std::unique_ptr<Query> query_;         ///< of a step
  bool has_users_ = false;               ///< … tells users
  RowBatch batch_;
  std::size_t next_row_ = 0;
  bool is_last_batch_ = false;
};

}  // namespace wherry::oracle
