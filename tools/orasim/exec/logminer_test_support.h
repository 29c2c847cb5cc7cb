// A database with supplemental logging whose redo tests mine.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/session.h"

namespace orasim {

/// A row of V$LOGMNR_CONTENTS with its pieces joined.
struct Mined {
  std::string operation, sql_redo, row_id, owner, table, info, rs_id, xid, sql_undo;
  std::int64_t code = 0, rollback = 0, status = 0, scn = 0, pieces = 1;
};

class MiningTest : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }

  void open(const std::string& data_dir, const std::string& version = "19.22.0.0.0") {
    sessions_.clear();
    database_.reset();
    DatabaseOptions options;
    options.data_dir = data_dir;
    options.version = version;
    options.emulate = version.substr(0, version.find('.'));
    database_ = Database::open(options);
    database_->ensure_user("APP", "App-Secret-1");
    sessions_.push_back(connect());
  }
  std::unique_ptr<Session> connect() {
    SessionIdentity identity;
    identity.user = "APP";
    identity.session_id = 100 + static_cast<std::uint32_t>(sessions_.size());
    return database_->connect(identity);
  }
  Session& session() { return *sessions_.front(); }

  static std::vector<Row> query(Session& session, const std::string& sql) {
    auto statement = session.prepare(sql);
    auto result = statement->execute({}, {});
    std::vector<Row> rows;
    Row row;
    while (result.rows && result.rows->next(row)) rows.push_back(row);
    return rows;
  }
  std::vector<Row> query(const std::string& sql) { return query(session(), sql); }
  void run(const std::string& sql) { query(sql); }
  /// The ORA- number; 0 when it succeeded.
  int error_of(const std::string& sql) {
    try {
      query(sql);
      return 0;
    } catch (const OraError& error) {
      return error.code();
    }
  }
  static std::string text(const Value& v) { return v.is_null() ? std::string() : v.text(); }
  static std::int64_t integer(const Value& v) {
    return v.is_null() ? 0 : v.number().to_int().value_or(-1);
  }

  void use_iso_formats() {
    run("alter session set nls_date_format = 'YYYY-MM-DD HH24:MI:SS' "
        "nls_timestamp_format = 'YYYY-MM-DD HH24:MI:SS.FF9' "
        "nls_timestamp_tz_format = 'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM' time_zone = '+00:00'");
  }
  std::int64_t current_scn() {
    return integer(query("select current_scn from v$database").at(0)[0]);
  }

  /// Adds all logs there are, archived ones by their archived copy.
  void add_all_logs() {
    run("declare first pls_integer := 1; begin "
        "for f in (select member name from v$log l join v$logfile m on m.group# = l.group# "
        "where l.status = 'CURRENT' union all "
        "select name from v$archived_log where deleted = 'NO') loop "
        "dbms_logmnr.add_logfile(f.name, first); first := 3; end loop; end;");
  }
  void start(const std::string& options, std::int64_t from = 0) {
    const std::string bound = from == 0 ? "" : "startscn => " + std::to_string(from) + ", ";
    run("begin dbms_logmnr.start_logmnr(" + bound +
        "options => dbms_logmnr.dict_from_online_catalog" + (options.empty() ? "" : " + ") +
        options + "); end;");
  }
  std::vector<Mined> contents(const std::string& where = "1 = 1") {
    std::vector<Mined> out;
    bool goes_on = false;
    for (const Row& r :
         query("select operation, sql_redo, row_id, seg_owner, table_name, info, rs_id, "
               "rawtohex(xid), sql_undo, operation_code, rollback, status, scn, csf "
               "from v$logmnr_contents where " +
               where)) {
      if (goes_on) {
        out.back().sql_redo += text(r[1]);
        out.back().sql_undo += text(r[8]);
        ++out.back().pieces;
      } else {
        out.push_back({text(r[0]), text(r[1]), text(r[2]), text(r[3]), text(r[4]), text(r[5]),
                       text(r[6]), text(r[7]), text(r[8]), integer(r[9]), integer(r[10]),
                       integer(r[11]), integer(r[12])});
      }
      goes_on = integer(r[13]) == 1;
    }
    return out;
  }
  /// All that is in the logs from `from` on.
  std::vector<Mined> mine(const std::string& options, std::int64_t from = 0) {
    add_all_logs();
    start(options, from);
    std::vector<Mined> out = contents();
    run("begin dbms_logmnr.end_logmnr; end;");
    return out;
  }

  std::unique_ptr<Database> database_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

inline constexpr const char* kPlainText =
    "dbms_logmnr.no_sql_delimiter + dbms_logmnr.no_rowid_in_stmt";

}  // namespace orasim
