#include "connect/oracle/logminer/mining_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "connect/oracle/errors.h"
#include "connect/oracle/text_number.h"

namespace wherry::oracle {
namespace {

constexpr int kNewList = 1, kAddFile = 3;  // DBMS_LOGMNR.NEW, ADDFILE
// DICT_FROM_ONLINE_CATALOG, NO_SQL_DELIMITER, NO_ROWID_IN_STMT
constexpr int kStartOptions = 16 + 64 + 2048;

struct SessionFormat {
  const char* name;
  const char* value;
};
/// Names as NLS_SESSION_PARAMETERS has them.
constexpr std::array<SessionFormat, 7> kFormats = {{
    {"NLS_LANGUAGE", "AMERICAN"},
    {"NLS_CALENDAR", "GREGORIAN"},
    {"NLS_NUMERIC_CHARACTERS", ".,"},
    {"NLS_DATE_LANGUAGE", "AMERICAN"},
    {"NLS_DATE_FORMAT", "SYYYY-MM-DD HH24:MI:SS"},
    {"NLS_TIMESTAMP_FORMAT", "SYYYY-MM-DD HH24:MI:SS.FF9"},
    {"NLS_TIMESTAMP_TZ_FORMAT", "SYYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM"},
}};
constexpr const char* kZone = "+00:00";

/// What next() makes of the columns, in their order.
enum Column : std::size_t {
  kScn,
  kTimestamp,
  kThread,
  kRsId,
  kSsn,
  kContainer,
  kSegment,
  kSlot,
  kSequence,
  kOperation,
  kUndo,
  kCsf,
  kStatus,
  kOwner,
  kTable,
  kRowId,
  kInfo,
  kSqlRedo,
  kUser,  ///< where it is asked for: the last one
  kColumnCount,
};
/// But for the container's number.
constexpr const char* kColumns =
    "scn, timestamp, thread#, rs_id, ssn, {}, xidusn, xidslt, xidsqn, operation_code, rollback, "
    "csf, status, seg_owner, table_name, row_id, info, sql_redo";
/// A pluggable database can be mined from within from 19.10 on.
constexpr int kMinableRelease = 19, kMinableUpdate = 10;

/// The files of the plan are others by now, or not all that the range needs.
Error with_changed_logs(Error error) {
  for (const int code : {310, 334, 1281, 1284, 1289, 1291, 308, 27037}) {
    if (error.native_code != ora_code(code)) continue;
    error.kind = ErrorKind::kTransient;
    error.code = "oracle.log_changed";
    error.hint = "The logs are looked for again";
    break;
  }
  return error;
}

/// "+02:30"
std::int64_t offset_micros(const std::string& text) {
  int hours = 0, minutes = 0;
  if (text.size() != 6) return 0;
  std::from_chars(text.data() + 1, text.data() + 3, hours);
  std::from_chars(text.data() + 4, text.data() + 6, minutes);
  const std::int64_t seconds = std::int64_t{hours} * 3600 + minutes * 60;
  return (text[0] == '-' ? -seconds : seconds) * 1'000'000;
}

/// "19.22.0.0.0"
bool can_be_mined_within(const std::string& version) {
  int release = 0, update = 0;
  const char* const end = version.data() + version.size();
  const auto read = std::from_chars(version.data(), end, release);
  if (read.ptr != end) std::from_chars(read.ptr + 1, end, update);
  return release > kMinableRelease || (release == kMinableRelease && update >= kMinableUpdate);
}

std::string_view text_at(const Cell* row, Column column) {
  const Cell& cell = row[column];
  if (cell.state != CellState::kSet) return {};
  return {static_cast<const char*>(static_cast<const void*>(cell.payload.ptr)), cell.size_bytes};
}
/// A session that began before the mined redo is nobody's.
std::string_view user_at(const Cell* row) {
  const std::string_view user = text_at(row, kUser);
  return user == "UNKNOWN" ? std::string_view() : user;
}
template <class Number>
Number number_at(const Cell* row, Column column) {
  return row[column].state == CellState::kSet ? static_cast<Number>(row[column].payload.i64) : 0;
}

std::array<CellKind, kColumnCount> wanted_kinds() {
  std::array<CellKind, kColumnCount> out{};
  out.fill(CellKind::kInt64);
  out[kTimestamp] = CellKind::kTimestamp;
  for (const Column text : {kRsId, kOwner, kTable, kRowId, kInfo, kSqlRedo, kUser}) {
    out[text] = CellKind::kText;
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<MiningSession>> MiningSession::open(OpContext& context,
                                                           const ConnectOptions& options) {
  ConnectOptions outside = options;
  outside.pluggable_database.clear();
  WHERRY_ASSIGN(auto session, Session::connect(context, outside));
  std::unique_ptr<MiningSession> out(new MiningSession(std::move(session)));
  WHERRY_TRY(out->set_formats(context));
  WHERRY_TRY(out->find_database(context, options.pluggable_database));
  return out;
}

Result<void> MiningSession::find_database(OpContext& context,
                                          const std::string& pluggable_database) {
  if (!session_->server().has_containers()) return {};
  WHERRY_ASSIGN(const auto rows,
                session_->rows(context,
                               "select cdb, sys_context('USERENV', 'CON_NAME'), "
                               "sys_context('USERENV', 'CON_ID') from v$database"));
  if (rows.at(0).at(0) != "YES") return {};
  const std::string name = rows[0].at(1).value_or("");
  if (name == "CDB$ROOT") {
    database_.kind = MinedDatabase::Kind::kRoot;
    return find_container(context, pluggable_database);
  }
  database_ = {MinedDatabase::Kind::kPluggable, number_in<std::uint32_t>(rows[0].at(2))};
  const std::string& version = session_->server().version;
  if (can_be_mined_within(version)) return {};
  return make_error(
      ErrorKind::kConfig, "oracle.pdb_not_minable",
      fmt::format("LogMiner runs within a pluggable database from release {}.{} on; {} is of {}",
                  kMinableRelease, kMinableUpdate, name, version),
      fmt::format("Let the endpoint name the root's service and a common user (C##…), with the "
                  "setting PluggableDatabase={}",
                  name));
}

Result<void> MiningSession::find_container(OpContext& context,
                                           const std::string& pluggable_database) {
  const std::array binds = {Bind::text(pluggable_database)};
  WHERRY_ASSIGN(
      const auto rows,
      session_->rows(context, "select con_id from v$containers where name = upper(:1)", binds));
  database_.container = rows.empty() ? 0 : number_in<std::uint32_t>(rows[0].at(0));
  if (database_.container != 0) return {};
  return make_error(ErrorKind::kConfig, "oracle.no_pdb",
                    pluggable_database.empty()
                        ? "the endpoint's service is the root of a container database"
                        : "there is no pluggable database " + pluggable_database,
                    "Name the pluggable database that has the tables (PluggableDatabase=…)");
}

Result<void> MiningSession::set_formats(OpContext& context) {
  std::string sql = fmt::format("alter session set time_zone = '{}'", kZone);
  for (const SessionFormat& format : kFormats) {
    sql += fmt::format(" {} = '{}'", format.name, format.value);
  }
  WHERRY_TRY(session_->execute(context, sql));
  WHERRY_ASSIGN(auto found,
                session_->rows(context, "select parameter, value from nls_session_parameters"));
  WHERRY_ASSIGN(const auto zone, session_->rows(context, "select sessiontimezone from dual"));
  found.push_back({"TIME_ZONE", zone.at(0).at(0)});
  WHERRY_ASSIGN(const auto host,
                session_->rows(context, "select to_char(systimestamp, 'TZH:TZM') from dual"));
  host_offset_micros_ = offset_micros(host.at(0).at(0).value_or("+00:00"));
  const auto check = [&](const char* name, const char* value) -> Result<void> {
    for (const TextRow& row : found) {
      if (row[0] == name && row[1] == value) return {};
    }
    return make_error(ErrorKind::kConfig, "oracle.session_format",
                      fmt::format("the session's {} is not \"{}\", so that values of the log would "
                                  "be misread",
                                  name, value),
                      "Look for a logon trigger that changes sessions of this user");
  };
  for (const SessionFormat& format : kFormats) WHERRY_TRY(check(format.name, format.value));
  return check("TIME_ZONE", kZone);
}

Result<RedoView> MiningSession::view(OpContext& context, std::uint64_t low_scn) {
  RedoView out;
  // A log moves from the online ones to the archived ones: whoever reads them in that order sees it
  // in one of them at least.
  WHERRY_TRY(read_database(context, out));
  WHERRY_TRY(read_threads(context, out));
  WHERRY_TRY(read_online_logs(context, out));
  WHERRY_TRY(read_archived_logs(context, low_scn, out));
  return out;
}

Result<void> MiningSession::read_database(OpContext& context, RedoView& out) {
  WHERRY_ASSIGN(
      const auto rows,
      session_->rows(context, "select dbid, resetlogs_change#, current_scn from v$database"));
  out.database_id = number_in(rows.at(0).at(0));
  out.resetlogs_scn = number_in(rows.at(0).at(1));
  out.current_scn = number_in(rows.at(0).at(2));
  return {};
}

Result<void> MiningSession::read_threads(OpContext& context, RedoView& out) {
  WHERRY_ASSIGN(
      const auto rows,
      session_->rows(context,
                     "select thread#, status, enabled, enable_change#, disable_change#, sequence#, "
                     "last_redo_change#, last_redo_block from v$thread order by thread#"));
  for (const TextRow& row : rows) {
    RedoThread& thread = out.threads.emplace_back();
    thread.number = number_in<std::uint32_t>(row[0]);
    thread.is_open = row[1] == "OPEN";
    thread.use = row[2] == "PUBLIC"    ? RedoThread::Use::kPublic
                 : row[2] == "PRIVATE" ? RedoThread::Use::kPrivate
                                       : RedoThread::Use::kDisabled;
    thread.enable_scn = number_in(row[3]);
    thread.disable_scn = number_in(row[4]);
    thread.sequence = number_in<std::uint32_t>(row[5]);
    thread.last_redo_scn = number_in(row[6]);
    thread.last_redo_block = number_in<std::uint32_t>(row[7]);
  }
  return {};
}

Result<void> MiningSession::read_online_logs(OpContext& context, RedoView& out) {
  WHERRY_ASSIGN(
      const auto rows,
      session_->rows(context,
                     "select l.thread#, l.sequence#, l.first_change#, l.next_change#, l.bytes, "
                     "l.status, f.member from v$log l, v$logfile f where f.group# = l.group# and "
                     "f.type = 'ONLINE' and f.status is null and "
                     "l.status in ('CURRENT', 'ACTIVE', 'INACTIVE') order by l.thread#, "
                     "l.sequence#, f.member"));
  for (const TextRow& row : rows) {
    RedoLog& log = out.logs.emplace_back();
    log.thread = number_in<std::uint32_t>(row[0]);
    log.sequence = number_in<std::uint32_t>(row[1]);
    log.first_scn = number_in(row[2]);
    log.next_scn = next_scn_of(number_in(row[3]), row[5] == "CURRENT");
    log.size_bytes = number_in(row[4]);
    log.name = row[6].value_or("");
    log.is_online = true;
  }
  return {};
}

Result<void> MiningSession::read_archived_logs(OpContext& context, std::uint64_t low_scn,
                                               RedoView& out) {
  const std::array binds = {Bind::number(std::to_string(out.resetlogs_scn)),
                            Bind::number(std::to_string(low_scn))};
  WHERRY_ASSIGN(
      const auto rows,
      session_->rows(context,
                     "select thread#, sequence#, first_change#, next_change#, "
                     "blocks * block_size, name, deleted, status from v$archived_log "
                     "where resetlogs_change# = :1 and next_change# > :2 and archived = 'YES' "
                     "and standby_dest = 'NO' order by thread#, sequence#, dest_id",
                     binds));
  for (const TextRow& row : rows) {
    RedoLog& log = out.logs.emplace_back();
    log.thread = number_in<std::uint32_t>(row[0]);
    log.sequence = number_in<std::uint32_t>(row[1]);
    log.first_scn = number_in(row[2]);
    log.next_scn = next_scn_of(number_in(row[3]), false);
    log.size_bytes = number_in(row[4]);
    log.name = row[5].value_or("");
    log.is_deleted = row[6] != "NO" || row[7] != "A";
  }
  return {};
}

Result<void> MiningSession::add_logs(OpContext& context, const MiningPlan& plan) {
  int option = kNewList;
  for (const RedoLog& log : plan.logs) {
    const std::array binds = {Bind::text(log.name), Bind::number(option)};
    auto added = session_->execute(
        context, "begin sys.dbms_logmnr.add_logfile(logfilename => :1, options => :2); end;",
        binds);
    if (!added) return with_changed_logs(std::move(added).error()).with("log", log.name);
    option = kAddFile;
  }
  return {};
}

/// Control and DDL; columns that are equal in all pieces of a text only.
std::string MiningSession::query_text(const WantedRows& rows) const {
  std::string list = "'UNKNOWN'";
  for (std::size_t i = 1; i <= rows.owners.size(); ++i) list += fmt::format(", :{}", i);
  const bool has_containers = session_->server().has_containers();
  const std::string columns =
      fmt::format(fmt::runtime(kColumns), has_containers ? "src_con_id" : "0") +
      (rows.with_users ? ", username" : "");
  const std::string own = fmt::format("operation_code = 5 or seg_owner in ({})", list);
  const std::string wanted = database_.kind == MinedDatabase::Kind::kRoot
                                 ? fmt::format("src_con_id = {} and ({})", database_.container, own)
                                 : own;
  return fmt::format(
      "select {} from v$logmnr_contents where operation_code in (6, 7, 27, 34, 36) or ({})",
      columns, wanted);
}

Result<void> MiningSession::begin(OpContext& context, const MiningPlan& plan,
                                  const WantedRows& wanted) {
  query_.reset();
  if (database_.kind != MinedDatabase::Kind::kPluggable) WHERRY_TRY(add_logs(context, plan));
  const std::array binds = {Bind::number(std::to_string(plan.start_scn)),
                            Bind::number(std::to_string(plan.end_scn)),
                            Bind::number(kStartOptions)};
  auto started = session_->execute(
      context,
      "begin sys.dbms_logmnr.start_logmnr(startscn => :1, endscn => :2, options => :3); end;",
      binds);
  if (!started) return with_changed_logs(std::move(started).error());
  std::vector<Bind> names;
  for (const std::string& owner : wanted.owners) names.push_back(Bind::text(owner));
  auto query = session_->query(context, query_text(wanted), names);
  if (!query) return with_changed_logs(std::move(query).error());
  query_ = std::move(*query);
  has_users_ = wanted.with_users;
  batch_.reset(column_count());
  next_row_ = 0;
  is_last_batch_ = false;
  return {};
}

std::size_t MiningSession::column_count() const {
  return has_users_ ? std::size_t{kColumnCount} : std::size_t{kUser};
}

Result<void> MiningSession::fetch(OpContext& context) {
  static const auto kKinds = wanted_kinds();
  auto state = query_->fetch(context, std::span(kKinds).first(column_count()), batch_);
  if (!state) return with_changed_logs(std::move(state).error());
  is_last_batch_ = *state == FetchState::kEnd;
  next_row_ = 0;
  return {};
}

Result<bool> MiningSession::next(OpContext& context, MinedRow& out) {
  while (next_row_ == batch_.row_count()) {
    if (is_last_batch_) {
      query_.reset();
      return false;
    }
    WHERRY_TRY(fetch(context));
  }
  const Cell* const row = batch_.row(next_row_++);
  out.scn = number_at<std::uint64_t>(row, kScn);
  out.time_micros = number_at<std::int64_t>(row, kTimestamp) - host_offset_micros_;
  out.thread = number_at<std::uint32_t>(row, kThread);
  out.address = parse_redo_address(text_at(row, kRsId)).value_or(RedoAddress{});
  out.ssn = number_at<std::uint64_t>(row, kSsn);
  out.transaction = {number_at<std::uint32_t>(row, kContainer),
                     number_at<std::uint32_t>(row, kSegment), number_at<std::uint32_t>(row, kSlot),
                     number_at<std::uint32_t>(row, kSequence)};
  out.operation_code = number_at<int>(row, kOperation);
  out.is_undo = number_at<int>(row, kUndo) != 0;
  out.goes_on = number_at<int>(row, kCsf) != 0;
  out.status = number_at<int>(row, kStatus);
  out.owner = text_at(row, kOwner);
  out.table = text_at(row, kTable);
  out.row_id = text_at(row, kRowId);
  out.info = text_at(row, kInfo);
  out.sql_redo = text_at(row, kSqlRedo);
  out.user = has_users_ ? user_at(row) : std::string_view();
  return true;
}

}  // namespace wherry::oracle
