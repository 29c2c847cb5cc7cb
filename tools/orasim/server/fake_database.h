// A database for the server's own tests: a handful of statements with fixed behaviour, so that the
// wire is tested without the SQL engine. Header-only; used by tests.
#pragma once

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/session.h"
#include "wire/sql_scan.h"

namespace orasim::server::fake {

inline ColumnInfo column(std::string name, Type type, std::uint32_t bytes = 0,
                         bool national = false) {
  ColumnInfo info;
  info.name = std::move(name);
  info.type.type = type;
  info.type.size_bytes = bytes;
  info.type.size_chars = national ? bytes / 2 : bytes;
  info.type.national = national;
  if (type == Type::kTimestamp || type == Type::kTimestampTz || type == Type::kTimestampLtz) {
    info.type.scale = 9;
  }
  return info;
}

inline Value lob(Type type, std::string content, bool national = false) {
  return Value{type, national, std::make_shared<const LobData>(LobData{std::move(content)})};
}

class ListStream : public RowStream {
 public:
  explicit ListStream(std::vector<Row> rows) : rows_(std::move(rows)) {}
  bool next(Row& row) override {
    if (at_ == rows_.size()) return false;
    row = rows_[at_++];
    return true;
  }

 private:
  std::vector<Row> rows_;
  std::size_t at_ = 0;
};

/// Counts from 1; the text repeats in runs of three so that bit vectors appear.
class CountStream : public RowStream {
 public:
  CountStream(std::int64_t rows, const std::atomic<bool>& cancelled)
      : rows_(rows), cancelled_(cancelled) {}
  bool next(Row& row) override {
    if (cancelled_) throw OraError(1013, "user requested cancel of current operation");
    if (at_ == rows_) return false;
    ++at_;
    row = {make_int(at_), make_text("text number " + std::to_string(at_ / 3)),
           make_null(Type::kDate)};
    return true;
  }

 private:
  std::int64_t rows_;
  std::int64_t at_ = 0;
  const std::atomic<bool>& cancelled_;
};

struct State {
  std::mutex mutex;
  std::map<std::string, UserInfo> users;
  std::condition_variable changed;
  int stale_generation = 0;
};

class FakeStatement : public Statement {
 public:
  FakeStatement(State& state, std::atomic<bool>& cancelled, bool& in_transaction, std::string sql)
      : state_(state),
        cancelled_(cancelled),
        in_transaction_(in_transaction),
        sql_(std::move(sql)),
        generation_(state.stale_generation) {
    for (const bool returning : wire::scan_sql(sql_).returning) {
      binds_.push_back({"B" + std::to_string(binds_.size() + 1), returning, true, true});
    }
    resolve();
  }
  [[nodiscard]] StatementKind kind() const override { return kind_; }
  [[nodiscard]] const std::string& sql() const override { return sql_; }
  [[nodiscard]] const std::vector<BindInfo>& binds() const override { return binds_; }
  [[nodiscard]] const std::vector<ColumnInfo>& columns() const override { return columns_; }
  [[nodiscard]] bool is_stale() const override { return generation_ != state_.stale_generation; }

  ExecuteResult execute(const std::vector<Row>& rows, const ExecuteOptions& options) override {
    ExecuteResult result;
    if (kind_ == StatementKind::kQuery) {
      result.rows = query(rows);
    } else if (kind_ == StatementKind::kPlsql) {
      block(rows, result);
    } else if (kind_ == StatementKind::kDml) {
      dml(rows, options, result);
      in_transaction_ = !options.commit_on_success;
    }
    return result;
  }

 private:
  [[nodiscard]] bool starts(std::string_view text) const { return sql_.starts_with(text); }
  [[nodiscard]] std::int64_t number_at(std::size_t from) const {
    std::int64_t n = 0;
    std::from_chars(sql_.data() + from, sql_.data() + sql_.size(), n);
    return n;
  }

  void resolve() {
    if (starts("select ")) {
      kind_ = StatementKind::kQuery;
    } else if (starts("SELECT SYSTIMESTAMP")) {  // go-ora, after log-in
      kind_ = StatementKind::kQuery;
      columns_ = {column("SYSTIMESTAMP", Type::kTimestampTz)};
      return;
    } else if (wire::scan_sql(sql_).is_plsql) {
      kind_ = StatementKind::kPlsql;
    } else if (starts("insert") || starts("update")) {
      kind_ = StatementKind::kDml;
    } else if (starts("ALTER SESSION") || starts("alter")) {
      kind_ = StatementKind::kOther;
    } else {
      throw OraError(900, "invalid SQL statement");
    }
    if (kind_ != StatementKind::kQuery) return;
    if (starts("select count ")) {
      columns_ = {column("N", Type::kNumber), column("T", Type::kVarchar2, 40),
                  column("D", Type::kDate)};
    } else if (starts("select lobs")) {
      columns_ = {column("ID", Type::kNumber), column("C", Type::kClob), column("B", Type::kBlob),
                  column("NC", Type::kClob, 0, true)};
    } else if (starts("select bind")) {
      columns_ = {column("V", Type::kVarchar2, 4000)};
    } else if (starts("select wait")) {
      columns_ = {column("V", Type::kNumber)};
    } else if (starts("select types")) {
      type_columns();
    } else if (starts("select 1 from dual")) {
      columns_ = {column("1", Type::kNumber)};
    } else {
      throw OraError(942, "table or view does not exist", 14);
    }
  }

  void type_columns() {
    columns_ = {column("VC", Type::kVarchar2, 100),
                column("CH", Type::kChar, 10),
                column("NV", Type::kVarchar2, 200, true),
                column("NUM", Type::kNumber),
                column("D", Type::kDate),
                column("TS", Type::kTimestamp),
                column("TZ", Type::kTimestampTz),
                column("LTZ", Type::kTimestampLtz),
                column("R", Type::kRaw, 16),
                column("BF", Type::kBinaryFloat),
                column("BD", Type::kBinaryDouble),
                column("DS", Type::kIntervalDs),
                column("RID", Type::kRowid),
                column("URID", Type::kUrowid),
                column("NOTHING", Type::kVarchar2, 0)};
  }

  static Row type_row() {
    const DateTime when{2026, 8, 9, 12, 13, 14, 123456789, 150, 0};
    DateTime whole = when;
    whole.nanosecond = 0;
    return {
        make_text("né 🎉"),
        make_text("abc       ", Type::kChar),
        make_text("né 🎉", Type::kVarchar2, true),
        make_number(*Number::parse("-1234567.89")),
        Value{Type::kDate, false, whole},
        Value{Type::kTimestamp, false, when},
        Value{Type::kTimestampTz, false, when},
        Value{Type::kTimestampLtz, false, whole},
        make_text(std::string("\xDE\xAD\0\xBE", 4), Type::kRaw),
        Value{Type::kBinaryFloat, false, 1.5F},
        Value{Type::kBinaryDouble, false, -2.25},
        Value{Type::kIntervalDs, false, IntervalDs{3 * 86400 + 4 * 3600 + 5 * 60 + 6, 500000000}},
        Value{Type::kRowid, false, RowId{73196, 4, 171, 5}},
        Value{Type::kUrowid, false, RowId{73196, 4, 171, 5}},
        make_null(Type::kVarchar2)};
  }

  std::unique_ptr<RowStream> query(const std::vector<Row>& rows) {
    if (starts("select count ")) {
      return std::make_unique<CountStream>(number_at(13), cancelled_);
    }
    if (starts("select wait")) wait_for_cancel();
    std::vector<Row> result;
    if (starts("select lobs")) {
      result.push_back({make_int(1), lob(Type::kClob, "clöb 🎉 text"),
                        lob(Type::kBlob, std::string("\0\1\2\xFF", 4)),
                        lob(Type::kClob, "nclöb", true)});
      result.push_back(
          {make_int(2), make_null(Type::kClob), make_null(Type::kBlob), make_null(Type::kClob)});
      result.push_back({make_int(3), lob(Type::kClob, std::string(100000, 'x')),
                        lob(Type::kBlob, std::string(100000, '\7')), lob(Type::kClob, "z", true)});
    } else if (starts("select bind")) {
      const Value& v = rows.at(0).at(0);
      result.push_back({v.is_null()           ? make_null(Type::kVarchar2)
                        : v.data.index() == 2 ? make_text(v.number().to_string())
                                              : v});
    } else if (starts("select types")) {
      result = {type_row(), Row(15)};
    } else if (starts("SELECT SYSTIMESTAMP")) {
      result = {{Value{Type::kTimestampTz, false, DateTime{2026, 8, 9, 12, 13, 14, 5, 0, 0}}}};
    } else {
      result = {{make_int(1)}};
    }
    return std::make_unique<ListStream>(std::move(result));
  }

  void wait_for_cancel() {
    std::unique_lock lock(state_.mutex);
    const bool cancelled =
        state_.changed.wait_for(lock, std::chrono::seconds(30), [&] { return cancelled_.load(); });
    if (cancelled) throw OraError(1013, "user requested cancel of current operation");
  }

  // Every bind comes back as the first one.
  void block(const std::vector<Row>& rows, ExecuteResult& result) const {
    result.row_count = 1;
    if (rows.empty()) return;
    result.out_binds = rows[0];
    result.is_out.assign(rows[0].size(), true);
    result.is_out[0] = false;
    for (std::size_t i = 1; i < rows[0].size(); ++i) result.out_binds[i] = rows[0][0];
  }

  // One row a bind row; a NULL first value is an error; RETURNING gives the first value back.
  void dml(const std::vector<Row>& rows, const ExecuteOptions& options,
           ExecuteResult& result) const {
    const auto returning = std::count_if(binds_.begin(), binds_.end(),
                                         [](const BindInfo& b) { return b.is_returning; });
    const std::size_t executions = std::max<std::size_t>(rows.size(), 1);
    for (std::size_t i = 0; i < executions; ++i) {
      const bool bad = i < rows.size() && !rows[i].empty() && rows[i][0].is_null();
      if (bad && !options.batch_errors) throw OraError(1400, "cannot insert NULL");
      if (bad) {
        result.batch_errors.push_back(
            {static_cast<std::uint32_t>(i), 1400, "ORA-01400: cannot insert NULL"});
      }
      result.row_counts.push_back(bad ? 0 : 1);
      result.row_count += bad ? 0 : 1;
      if (returning > 0) {
        result.returning.emplace_back(static_cast<std::size_t>(returning),
                                      std::vector<Value>{rows.at(i).at(0)});
      }
    }
    result.last_row_id = RowId{73196, 4, 171, 5};
  }

  State& state_;
  std::atomic<bool>& cancelled_;
  bool& in_transaction_;
  std::string sql_;
  int generation_;
  StatementKind kind_ = StatementKind::kOther;
  std::vector<BindInfo> binds_;
  std::vector<ColumnInfo> columns_;
};

class FakeSession : public Session {
 public:
  FakeSession(State& state, SessionIdentity identity)
      : state_(state), identity_(std::move(identity)) {}
  std::unique_ptr<Statement> prepare(std::string_view sql) override {
    return std::make_unique<FakeStatement>(state_, cancelled_, in_transaction_, std::string(sql));
  }
  void commit() override { in_transaction_ = false; }
  void rollback() override { in_transaction_ = false; }
  [[nodiscard]] bool in_transaction() const override { return in_transaction_; }
  void begin_call() override {
    const std::lock_guard lock(state_.mutex);
    cancelled_ = false;
  }
  void end_call() override {}
  void cancel() override {
    const std::lock_guard lock(state_.mutex);
    cancelled_ = true;
    state_.changed.notify_all();
  }
  [[nodiscard]] const SessionIdentity& identity() const override { return identity_; }
  std::string directory_path(std::string_view) override {
    throw OraError(22285, "non-existent directory or file for FILEOPEN operation");
  }
  void set_current_schema(std::string_view) override {}
  [[nodiscard]] const EndToEnd& end_to_end() const override { return end_to_end_; }
  void change_lob(const Lob&, const std::function<Lob(const Lob&)>&) override {
    throw OraError(22920, "row containing the LOB value is not locked");
  }
  void set_end_to_end(EndToEnd values) override { end_to_end_ = std::move(values); }

 private:
  EndToEnd end_to_end_;
  State& state_;
  SessionIdentity identity_;
  std::atomic<bool> cancelled_ = false;
  bool in_transaction_ = false;
};

class FakeDatabase : public Database {
 public:
  explicit FakeDatabase(DatabaseOptions options = {}) : options_(std::move(options)) {}
  std::unique_ptr<Session> connect(SessionIdentity identity) override {
    return std::make_unique<FakeSession>(state_, std::move(identity));
  }
  std::optional<UserInfo> find_user(std::string_view name) override {
    const std::lock_guard lock(state_.mutex);
    const auto found = state_.users.find(std::string(name));
    return found == state_.users.end() ? std::nullopt : std::optional(found->second);
  }
  void ensure_user(std::string_view name, std::string_view password) override {
    const std::lock_guard lock(state_.mutex);
    UserInfo& user = state_.users[std::string(name)];
    user.name = name;
    user.password = password;
  }
  void change_password(std::string_view name, std::string_view password) override {
    ensure_user(name, password);
    user(name).expired = false;
  }
  [[nodiscard]] const DatabaseOptions& options() const override { return options_; }
  [[nodiscard]] std::uint64_t current_scn() const override { return 5000000001; }

  UserInfo& user(std::string_view name) { return state_.users[std::string(name)]; }
  State& state() { return state_; }

 private:
  DatabaseOptions options_;
  State state_;
};

}  // namespace orasim::server::fake
