// Oracle as orasim plays it: a server of its own for each test, with its data in a directory.
#include <stdlib.h>

#include <filesystem>

#include "connect/oracle/client.h"
#include "connect/oracle/connector.h"
#include "tests/conformance/fixture.h"
#include "tests/support/orasim.h"

namespace wherry::conformance {
namespace {

using oracle::Bind;
using oracle::OracleType;
using test::Orasim;

/// A directory that is gone with the fixture.
class DataDirectory {
 public:
  DataDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "wherry-orasim-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~DataDirectory() { std::filesystem::remove_all(path_); }
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string quoted(const std::string& name) {
  return '"' + name + '"';
}

std::string name_of(const schema::TableDef& table) {
  return quoted(table.table.schema) + "." + quoted(table.table.name);
}

OracleType null_type(CellKind kind) {
  switch (kind) {
    case CellKind::kText:
      return OracleType::kVarchar;
    case CellKind::kBytes:
      return OracleType::kRaw;
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz:
      return OracleType::kDate;
    case CellKind::kIntervalYm:
      return OracleType::kIntervalYm;
    case CellKind::kIntervalDs:
      return OracleType::kIntervalDs;
    default:
      return OracleType::kNumber;
  }
}

Bind bind_of(const Value& value, CellKind kind) {
  if (value.is_null) return Bind::null(null_type(kind));
  switch (kind) {
    case CellKind::kDecimal:
      return value.bytes.empty() ? Bind::number(value.i64) : Bind::number(value.bytes);
    case CellKind::kFloat32:
      return Bind::binary_float(static_cast<float>(value.f64));
    case CellKind::kFloat64:
      return Bind::binary_double(value.f64);
    case CellKind::kText:
      return Bind::text(value.bytes);
    case CellKind::kBytes:
      return Bind::bytes(value.bytes);
    case CellKind::kTimestamp:
      return Bind::timestamp(value.i64, value.nanos);
    case CellKind::kTimestampTz:
      return Bind::timestamp_tz(value.i64, value.nanos, value.extra);
    case CellKind::kIntervalYm:
      return Bind::interval_ym(value.i64);
    case CellKind::kIntervalDs:
      return Bind::interval_ds(value.i64, value.extra);
    default:
      return Bind::number(value.i64);
  }
}

/// Oracle's name for a sample of all_types(); none: Oracle 19 has no such column type, or binds
/// cannot fill it.
std::string native_type(const std::string& sample) {
  static const std::pair<const char*, const char*> kNames[] = {
      {"id", "number(18)"},
      {"text", "varchar2(4000)"},
      {"int16", "number(4)"},
      {"int32", "number(9)"},
      {"decimal", "number"},
      {"money", "number(38,10)"},
      {"float32", "binary_float"},
      {"float64", "binary_double"},
      {"bytes", "raw(2000)"},
      {"clob", "clob"},
      {"blob", "blob"},
      {"date", "date"},
      {"timestamp", "timestamp(6)"},
      {"nanos", "timestamp(9)"},
      {"zoned", "timestamp(6) with time zone"},
      {"months", "interval year(9) to month"},
      {"seconds", "interval day(9) to second(9)"}};
  for (const auto& [name, native] : kNames) {
    if (name == sample) return native;
  }
  return {};
}

/// NUMBER(p) holds decimal digits, not the powers of two of an integer type.
void fit_to_digits(TypeSample& sample) {
  const auto limits = [&](std::int64_t largest) {
    sample.values = {Value::integer(-largest), Value::integer(0), Value::integer(largest)};
  };
  if (sample.name == "int16") limits(9999);
  if (sample.name == "int32") limits(999'999'999);
  if (sample.name != "id") return;
  sample.type.kind = schema::TypeKind::kDecimal;
  sample.type.precision = 18;
  sample.values = {Value::decimal("-999999999999999999"), Value::decimal("999999999999999999")};
}

class OracleFixture final : public ConnectorFixture {
 public:
  connect::Connector& connector() override { return *connector_; }
  connect::Settings settings() override {
    connect::Settings settings;
    settings.url = server_.url();
    settings.user = std::string(Orasim::kUser);
    settings.password = Secret(std::string(Orasim::kPassword));
    return settings;
  }
  connect::Settings wrong_password() override {
    connect::Settings wrong = settings();
    wrong.password = Secret("not-The-Word-1");
    return wrong;
  }
  std::string schema() override { return "HR"; }

  void create(const SourceTable& table) override {
    std::string sql = "create table " + name_of(table.definition) + " (";
    for (const schema::ColumnDef& column : table.definition.columns) {
      sql += quoted(column.name) + " " + column.native_type;
      sql += column.nullable ? ", " : " not null, ";
    }
    for (const schema::KeyDef& key : table.definition.keys) {
      sql += "constraint " + quoted(key.name) + " primary key (";
      for (const std::string& name : key.columns) sql += quoted(name) + ", ";
      sql.replace(sql.size() - 2, 2, "), ");
    }
    sql.replace(sql.size() - 2, 2, ")");
    const auto session = connect();
    const auto done = session->execute(context_, sql);
    ASSERT_TRUE(done.ok()) << done.error().to_paragraph() << sql;
    insert(*session, table);
    run(*session, "alter database add supplemental log data");
    run(*session,
        "alter table " + name_of(table.definition) + " add supplemental log data (all) columns");
  }
  void transact(const schema::TableDef& table, const std::vector<RowWrite>& writes) override {
    const auto session = connect();
    for (const RowWrite& write : writes) change(*session, table, write);
    const auto done = session->commit(context_);
    ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
  }
  void append(const SourceTable& table) override { insert(*connect(), table); }

  std::vector<TypeSample> types() override {
    std::vector<TypeSample> samples;
    for (TypeSample& sample : all_types()) {
      sample.native_type = native_type(sample.name);
      if (sample.native_type.empty()) continue;
      fit_to_digits(sample);
      samples.push_back(std::move(sample));
    }
    return samples;
  }
  std::vector<std::string> odd_names() override {
    return {"select", "MixedCase", "a b", "it's", "ünïcödé", "a.b", "$1", std::string(128, 'x')};
  }
  /// A query waits for no lock in Oracle, so the whole server is made to stand still.
  void block_reads(const schema::TableRef&) override { server_.freeze(); }
  bool wait_until_blocked(std::chrono::seconds limit) override {
    return server_.has_unread_bytes(limit);
  }
  void unblock() override { server_.thaw(); }
  void shut_down() override { server_.kill(); }
  void start_up() override { server_.restart(); }

 private:
  std::unique_ptr<oracle::Session> connect() {
    oracle::ConnectOptions options;
    options.connect_string = server_.easy_connect();
    options.user = std::string(Orasim::kUser);
    options.password = Secret(std::string(Orasim::kPassword));
    auto session = oracle::Session::connect(context_, options);
    EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
    return *std::move(session);
  }

  void run(oracle::Session& session, const std::string& sql) {
    const auto done = session.execute(context_, sql);
    ASSERT_TRUE(done.ok()) << done.error().to_paragraph() << sql;
  }

  /// Of a table with a key of one column, its first.
  void change(oracle::Session& session, const schema::TableDef& table, const RowWrite& write) {
    const auto& columns = table.columns;
    std::string list;
    std::vector<Bind> binds;
    for (std::size_t i = 0; i < write.row.size(); ++i) {
      binds.push_back(bind_of(write.row[i], schema::cell_kind_of(columns[i].type)));
      list += (i == 0 ? "" : ", ") + (write.key.empty() ? "" : quoted(columns[i].name) + " = ") +
              ":" + std::to_string(binds.size());
    }
    std::string sql;
    if (write.key.empty()) {
      sql = "insert into " + name_of(table) + " values (" + list + ")";
    } else {
      sql = write.row.empty() ? "delete from " + name_of(table)
                              : "update " + name_of(table) + " set " + list;
      binds.push_back(bind_of(write.key[0], schema::cell_kind_of(columns[0].type)));
      sql += " where " + quoted(columns[0].name) + " = :" + std::to_string(binds.size());
    }
    const auto done = session.execute(context_, sql, binds);
    ASSERT_TRUE(done.ok()) << done.error().to_paragraph() << sql;
  }

  void insert(oracle::Session& session, const SourceTable& table) {
    if (table.rows.empty()) return;
    const auto& columns = table.definition.columns;
    std::string sql = "insert into " + name_of(table.definition) + " values (";
    for (std::size_t i = 0; i < columns.size(); ++i) sql += ":" + std::to_string(i + 1) + ", ";
    sql.replace(sql.size() - 2, 2, ")");
    std::vector<oracle::BindRow> rows;
    for (const Row& row : table.rows) {
      oracle::BindRow& binds = rows.emplace_back();
      for (std::size_t i = 0; i < row.size(); ++i) {
        binds.push_back(bind_of(row[i], schema::cell_kind_of(columns[i].type)));
      }
    }
    oracle::ExecuteOptions options;
    options.commit = true;
    const auto done = session.execute_array(context_, sql, rows, options);
    ASSERT_TRUE(done.ok()) << done.error().to_paragraph() << sql;
  }

  OpContext context_;
  std::unique_ptr<connect::Connector> connector_ = oracle::make_connector();
  DataDirectory data_;
  Orasim server_{{"--data", data_.path()}};
};

std::unique_ptr<ConnectorFixture> make() {
  return std::make_unique<OracleFixture>();
}

}  // namespace

WHERRY_CONFORMS(Oracle, &make);
WHERRY_CHANGES_CONFORM(Oracle, &make);

}  // namespace wherry::conformance
