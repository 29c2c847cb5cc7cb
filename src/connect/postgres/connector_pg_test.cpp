// Logging in, looking around, and what goes wrong there.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "connect/postgres/pg_test_support.h"

namespace wherry::postgres::test {
namespace {

using schema::TypeKind;
using ::testing::HasSubstr;
using ::testing::Not;

class Connector : public PostgresTest {
 protected:
  Error probe_error() {
    auto result = connector_->probe(context_, settings_, connect::kTarget);
    EXPECT_FALSE(result.ok());
    return result.ok() ? Error{} : result.error();
  }
};

TEST_F(Connector, ProbesVersionAndPrivileges) {
  auto report = connector_->probe(context_, settings_, connect::kTarget);
  WHERRY_EXPECT_OK(report);
  EXPECT_THAT(report->server_version, ::testing::StartsWith("PostgreSQL 1"));
  EXPECT_TRUE(report->warnings.empty());
  const std::string role = database_ + "_probe";
  run("create role " + role + " login password 'x'");
  settings_.user = role;
  settings_.password = Secret("x");
  report = connector_->probe(context_, settings_, connect::kTarget);
  WHERRY_EXPECT_OK(report);
  ASSERT_EQ(report->warnings.size(), 1U);
  EXPECT_THAT(report->warnings[0], HasSubstr("grant create on database \"" + database_ + "\" to"));
  run("alter database " + database_ + " set default_transaction_read_only = on");
  EXPECT_EQ(probe_error().code, "postgres.read_only");
}

TEST_F(Connector, TellsAWrongPassword) {
  settings_.password = Secret("wr0ng-s3cret");
  const Error error = probe_error();
  EXPECT_EQ(error.kind, ErrorKind::kAuth);
  EXPECT_EQ(error.code, "postgres.wrong_password");
  EXPECT_EQ(error.native_code, "28P01");
  EXPECT_THAT(error.to_paragraph(), HasSubstr("password authentication failed"));
  EXPECT_THAT(error.to_paragraph(), Not(HasSubstr("s3cret")));
  EXPECT_THAT(error.to_paragraph(), Not(HasSubstr("LOCATION")));
}

TEST_F(Connector, TellsAMissingPassword) {
  settings_.password = Secret();
  EXPECT_EQ(probe_error().code, "postgres.password_missing");
}

TEST_F(Connector, TellsAnUnknownUser) {
  settings_.user = "nobody_at_all";
  EXPECT_EQ(probe_error().kind, ErrorKind::kAuth);
}

TEST_F(Connector, TellsAnUnknownDatabase) {
  settings_.url = cluster().url("no_such_database");
  const Error error = probe_error();
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_EQ(error.code, "postgres.unknown_database");
  EXPECT_EQ(error.native_code, "3D000");
}

TEST_F(Connector, TellsThatNobodyListens) {
  settings_.url = "postgresql://wherry@127.0.0.1:1/postgres";
  const Error error = probe_error();
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
  EXPECT_EQ(error.code, "postgres.unreachable");
  EXPECT_THAT(error.to_paragraph(), HasSubstr("onnection refused"));
}

TEST_F(Connector, TellsALostServerFromAWrongAddress) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener, generic, size), 0);
  ASSERT_EQ(getsockname(listener, generic, &size), 0);
  ASSERT_EQ(listen(listener, 5), 0);
  std::thread server([listener] {
    for (int client = 0; client >= 0;) {  // until the listener is shut
      client = accept(listener, nullptr, nullptr);
      if (client >= 0) close(client);
    }
  });
  settings_.url =
      "postgresql://wherry@127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/postgres";
  const Error error = probe_error();
  shutdown(listener, SHUT_RDWR);
  server.join();
  close(listener);
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
  EXPECT_EQ(error.code, "postgres.connection_lost");
}

TEST_F(Connector, DescribesTables) {
  run("create schema app; create domain app.cents as numeric(12,2);"
      "create table app.t (b bigint generated always as identity, a integer not null, "
      "  price app.cents, txt varchar(20), big text, c char(3), ts timestamp(3), tz timestamptz, "
      "  twice integer generated always as (a * 2) stored, gone integer, j jsonb, ip inet, "
      "  primary key (b, a), unique (txt) include (big));"
      "alter table app.t drop column gone;"
      "create unique index partial on app.t (price) where a > 1;"
      "create table app.empty (); create view app.v as select a from app.t;"
      "create table app.parted (id integer) partition by range (id);"
      "create table app.part partition of app.parted for values from (1) to (9);"
      "insert into app.t (a) select generate_series(1, 100); analyze app.t");
  auto catalog = connector_->open_catalog(context_, settings_);
  WHERRY_EXPECT_OK(catalog);
  auto tables = (*catalog)->describe_tables(context_, connect::TableFilter{{"app"}, true});
  WHERRY_EXPECT_OK(tables);
  std::vector<std::string> names;
  for (const auto& table : *tables) names.push_back(table.table.name);
  EXPECT_THAT(names, ::testing::ElementsAre("empty", "parted", "t", "v"));
  const schema::TableDef& t = (*tables)[2];
  EXPECT_EQ(t.estimated_rows, 100U);
  EXPECT_EQ(t.estimated_bytes, 8192U);
  EXPECT_EQ(t.kind, schema::TableKind::kTable);
  EXPECT_EQ((*tables)[3].kind, schema::TableKind::kView);
  std::string text;
  for (const auto& column : t.columns) {
    text += column.name + " " + column.native_type + " " + describe(column.type) +
            (column.nullable ? "" : " not null") + (column.is_generated ? " generated" : "") +
            (column.is_identity ? " identity" : "") + "\n";
  }
  EXPECT_EQ(text,
            "b bigint int64 not null identity\n"
            "a integer int32 not null\n"
            "price app.cents decimal(12,2)\n"
            "txt character varying(20) text(20)\n"
            "big text clob\n"
            "c character(3) text(3)\n"
            "ts timestamp(3) without time zone timestamp(3)\n"
            "tz timestamp with time zone timestamp_ltz(6)\n"
            "twice integer int32 generated\n"
            "j jsonb json\n"
            "ip inet native\n");
  ASSERT_EQ(t.keys.size(), 2U);
  EXPECT_TRUE(t.keys[0].is_primary);
  EXPECT_THAT(t.keys[0].columns, ::testing::ElementsAre("b", "a"));
  EXPECT_THAT(t.keys[1].columns, ::testing::ElementsAre("txt"));
  auto all = (*catalog)->describe_tables(context_, connect::TableFilter{});
  WHERRY_EXPECT_OK(all);
  EXPECT_EQ(all->size(), 3U) << "views are not asked for";
  WHERRY_EXPECT_OK((*catalog)->execute_ddl(context_, "create schema \"Odd \"\"name\"\"\""));
  EXPECT_FALSE((*catalog)->execute_ddl(context_, "create nonsense").ok());
}

TEST_F(Connector, ReadsOddNamesAndTypesWithoutABinaryForm) {
  run("create schema \"We \"\"ird\"; create table \"We \"\"ird\".\"Ta'ble\" "
      "(\"K\" integer primary key, \"c;ol\" inet); "
      "insert into \"We \"\"ird\".\"Ta'ble\" values (1, '10.0.0.1/8'), (2, null)");
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = {"We \"ird", "Ta'ble"};
  plan->columns.resize(2);
  plan->columns[0].source_name = "K";
  plan->columns[0].type = logical(TypeKind::kInt32);
  plan->columns[1].source_name = "c;ol";
  plan->columns[1].type = logical(TypeKind::kClob);
  plan->key = {0};
  auto snapshot = connector_->open_snapshot(context_, settings_, Position{});
  WHERRY_EXPECT_OK(snapshot);
  auto reader = (*snapshot)->open(context_, plan, connect::Chunk{}, connect::RowOrder::kByKey);
  WHERRY_EXPECT_OK(reader);
  RowBatch batch;
  WHERRY_EXPECT_OK((*reader)->read(context_, batch));
  ASSERT_EQ(batch.row_count(), 2U);
  EXPECT_EQ(batch.at(0, 1).bytes(), "10.0.0.1/8");
  EXPECT_TRUE(batch.at(1, 1).is_null());
}

TEST_F(Connector, SharesOneViewAmongItsReaders) {
  run("create schema app; create table app.t (id integer); insert into app.t values (1)");
  const auto plan = plan_of("t", {{"id", logical(TypeKind::kInt32)}});
  auto snapshot = connector_->open_snapshot(context_, settings_, Position{});
  WHERRY_EXPECT_OK(snapshot);
  run("insert into app.t values (2)");
  auto second = connector_->open_snapshot(context_, settings_, (*snapshot)->position());
  WHERRY_EXPECT_OK(second);
  for (auto* source : {snapshot->get(), second->get()}) {
    auto reader = source->open(context_, plan, connect::Chunk{}, connect::RowOrder::kAny);
    WHERRY_EXPECT_OK(reader);
    RowBatch batch;
    WHERRY_EXPECT_OK((*reader)->read(context_, batch));
    EXPECT_EQ(batch.row_count(), 1U);
  }
  const Position lost = (*snapshot)->position();
  snapshot->reset();
  second->reset();
  Result<std::unique_ptr<connect::SnapshotSource>> third{
      std::unique_ptr<connect::SnapshotSource>()};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  do {  // the server notices the closed session in its own time
    third = connector_->open_snapshot(context_, settings_, lost);
  } while (third.ok() && std::chrono::steady_clock::now() < deadline);
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().kind, ErrorKind::kPositionLost);
  EXPECT_EQ(connector_->open_snapshot(context_, settings_, Position{"scn:1"}).error().kind,
            ErrorKind::kConfig);
}

TEST_F(Connector, NamesTheRowItCannotRead) {
  run("create schema app; create table app.t (id integer, n text); "
      "insert into app.t values (1, '2026-01-01 00:00:00'), (2, 'tomorrow')");
  const auto plan =
      plan_of("t", {{"id", logical(TypeKind::kInt32)}, {"n", logical(TypeKind::kTimestamp, 9)}});
  auto snapshot = connector_->open_snapshot(context_, settings_, Position{});
  WHERRY_EXPECT_OK(snapshot);
  auto reader = (*snapshot)->open(context_, plan, connect::Chunk{}, connect::RowOrder::kByKey);
  WHERRY_EXPECT_OK(reader);
  RowBatch batch;
  auto read = (*reader)->read(context_, batch);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, ErrorKind::kData);
  EXPECT_THAT(read.error().to_paragraph(), HasSubstr("column n, row 2"));
  EXPECT_THAT(read.error().to_paragraph(), Not(HasSubstr("tomorrow")));
}

TEST_F(Connector, SetsItsSessionsUp) {
  EXPECT_EQ(value("select current_setting('application_name')"), "wherry");
  EXPECT_EQ(value("select current_setting('search_path')"), "\"\"");
  EXPECT_EQ(value("select current_setting('client_encoding')"), "UTF8");
  EXPECT_EQ(value("select current_setting('synchronous_commit')"), "on");
  EXPECT_EQ(value("select current_setting('TimeZone')"), "UTC");
}

/// A cluster of its own, because it dies.
class DyingServer : public PostgresTest {
 protected:
  PgCluster& cluster() override { return own_; }
  PgCluster own_;
};

TEST_F(DyingServer, IsATransientErrorAndThenReachableAgain) {
  own_.stop();
  auto rows = admin_->query(context_, "test", "select 1");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, ErrorKind::kTransient) << rows.error().to_paragraph();
  EXPECT_EQ(connector_->probe(context_, settings_, connect::kTarget).error().code,
            "postgres.unreachable");
  own_.start();
  settings_.url = own_.url(database_);
  WHERRY_EXPECT_OK(connector_->probe(context_, settings_, connect::kTarget));
}

}  // namespace
}  // namespace wherry::postgres::test
