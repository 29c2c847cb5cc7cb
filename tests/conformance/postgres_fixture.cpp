// PostgreSQL in a private cluster: one for the program, a database for each test; the tests that
// kill the server start a cluster of their own.
#include "connect/postgres/connection.h"
#include "connect/postgres/connector.h"
#include "connect/postgres/settings.h"
#include "schema/postgres_ddl.h"
#include "tests/conformance/fixture.h"
#include "tests/support/pg_cluster.h"

namespace wherry::conformance {
namespace {

using test::PgCluster;

/// Of the table of the change suite: a whole number or text.
std::string literal(const schema::ColumnDef& column, const Value& value) {
  if (value.is_null) return "null";
  return schema::cell_kind_of(column.type) == CellKind::kInt64 ? std::to_string(value.i64)
                                                               : schema::quote_literal(value.bytes);
}

/// "a" = 1, "b" = 'x': the first columns of a row, joined.
std::string pairs(const schema::TableDef& table, const Row& row, std::string_view between) {
  std::string out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i != 0) out += between;
    out += *schema::quote_identifier(table.columns[i].name) + " = " +
           literal(table.columns[i], row[i]);
  }
  return out;
}

/// The key is the first column.
std::string statement(const schema::TableDef& table, const RowWrite& write) {
  const std::string name = *schema::quote_table(table.table);
  const std::string where = " where " + pairs(table, write.key, " and ");
  if (write.row.empty()) return "delete from " + name + where;
  if (!write.key.empty()) return "update " + name + " set " + pairs(table, write.row, ", ") + where;
  std::string values;
  for (std::size_t i = 0; i < write.row.size(); ++i) {
    values += (i == 0 ? "" : ", ") + literal(table.columns[i], write.row[i]);
  }
  return "insert into " + name + " values (" + values + ")";
}

class PostgresFixture final : public ConnectorFixture {
 public:
  PostgresFixture()
      : connector_(postgres::make_connector()), database_(cluster().make_database()) {}

  connect::Connector& connector() override { return *connector_; }
  connect::Settings settings() override {
    connect::Settings settings;
    settings.url = cluster().url(database_);
    settings.user = "wherry";
    settings.password = Secret(cluster().password());
    settings.options["CaptureDdls"] = "false";
    return settings;
  }
  connect::Settings wrong_password() override {
    connect::Settings wrong = settings();
    wrong.password = Secret("not-The-Word-1");
    return wrong;
  }
  std::string schema() override { return "app"; }
  void create(const SourceTable& table) override { load(table, connect::ExistingTable::kDrop); }
  void append(const SourceTable& table) override { load(table, connect::ExistingTable::kKeep); }
  void transact(const schema::TableDef& table, const std::vector<RowWrite>& writes) override {
    if (writer_ == nullptr || !writer_->is_reusable()) writer_ = connect();
    std::string sql = "begin";
    for (const RowWrite& write : writes) sql += "; " + statement(table, write);
    run(*writer_, sql + "; commit");
  }
  std::vector<TypeSample> types() override { return all_types(); }
  std::vector<std::string> odd_names() override {
    return {"select",  "MixedCase", "a b", "quote\"d",          "it's",
            "ünïcödé", "a.b",       "$1",  std::string(63, 'x')};
  }
  void block_reads(const schema::TableRef& table) override {
    blocker_ = connect();
    run(*blocker_, "begin");
    run(*blocker_, "lock table \"" + table.schema + "\".\"" + table.name + "\"");
  }
  bool wait_until_blocked(std::chrono::seconds limit) override {
    const auto admin = connect();
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < deadline) {
      // The server answers after a moment at most: this is a wait for its event, not a sleep.
      auto rows = admin->query(context_, "test",
                               "select pg_sleep(0.01), exists (select from pg_locks l "
                               "join pg_database d on d.oid = l.database "
                               "where not granted and datname = current_database())");
      if (rows.ok() && rows->text(0, 1) == "t") return true;
    }
    return false;
  }
  void unblock() override { blocker_.reset(); }
  void shut_down() override {
    writer_.reset();
    cluster().stop();
  }
  void start_up() override { cluster().start(); }

 private:
  static PgCluster& cluster() { return PgCluster::shared(); }

  std::unique_ptr<postgres::Connection> connect() {
    auto read = postgres::read_settings(settings());
    EXPECT_TRUE(read.ok());
    auto connection = postgres::Connection::open(context_, *read);
    EXPECT_TRUE(connection.ok()) << connection.error().to_paragraph();
    return *std::move(connection);
  }
  void run(postgres::Connection& connection, const std::string& sql) {
    const auto done = connection.execute(context_, "test", sql);
    EXPECT_TRUE(done.ok()) << done.error().to_paragraph();
  }
  void load(const SourceTable& table, connect::ExistingTable existing) {
    auto loader = connector_->open_loader(context_, settings());
    ASSERT_TRUE(loader.ok()) << loader.error().to_paragraph();
    const auto loaded = load_table(context_, **loader, table, existing);
    ASSERT_TRUE(loaded.ok()) << loaded.error().to_paragraph();
  }

  OpContext context_;
  std::unique_ptr<connect::Connector> connector_;
  std::string database_;
  std::unique_ptr<postgres::Connection> blocker_;
  std::unique_ptr<postgres::Connection> writer_;
};

std::unique_ptr<ConnectorFixture> make() {
  return std::make_unique<PostgresFixture>();
}

}  // namespace

WHERRY_CONFORMS(Postgres, &make);
WHERRY_CHANGES_CONFORM(Postgres, &make);

}  // namespace wherry::conformance
