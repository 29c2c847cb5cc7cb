// What a load does to the target besides the rows: tables, keys, transactions, and what it says
// when something is wrong.
#include <filesystem>
#include <thread>

#include "connect/postgres/pg_test_support.h"

namespace wherry::postgres::test {
namespace {

using connect::ExistingTable;
using schema::TypeKind;
using ::testing::HasSubstr;
using ::testing::Not;

class Load : public PostgresTest {
 protected:
  static std::shared_ptr<schema::TablePlan> simple_plan() {
    schema::LogicalType text = logical(TypeKind::kText);
    text.length_chars = 10;
    return plan_of("orders", {{"id", logical(TypeKind::kInt32)}, {"name", text}});
  }
  /// Ids from `first` on.
  static std::unique_ptr<RowBatch> rows(int first, int count, const std::string& name = "n") {
    auto batch = std::make_unique<RowBatch>();
    batch->reset(2);
    for (int i = 0; i < count; ++i) {
      Cell* row = batch->append_row();
      set_integer(row[0], first + i);
      set_text(row[1], name, batch->arena());
    }
    return batch;
  }
  Error load_error(const schema::TablePlanPtr& plan, const RowBatch& batch,
                   ExistingTable existing = ExistingTable::kDrop) {
    auto result = load(plan, {&batch}, existing);
    EXPECT_FALSE(result.ok());
    return result.ok() ? Error{} : result.error();
  }
};

TEST_F(Load, CreatesSchemaTableAndKey) {
  const auto plan = simple_plan();
  const auto batch = rows(1, 1000);
  WHERRY_EXPECT_OK(load(plan, {batch.get()}));
  EXPECT_EQ(value("select count(*) from app.orders"), "1000");
  EXPECT_EQ(
      value("select pg_get_constraintdef(oid) from pg_constraint where conname = 'orders_pkey'"),
      "PRIMARY KEY (id)");
  EXPECT_EQ(value("select reltuples from pg_class where relname = 'orders'"), "1000");
  // Again over what exists.
  WHERRY_EXPECT_OK(load(plan, {batch.get()}));
  EXPECT_EQ(value("select count(*) from app.orders"), "1000");
}

TEST_F(Load, LoadsAnEmptyTable) {
  const auto batch = rows(1, 0);
  auto report = load(simple_plan(), {batch.get()});
  WHERRY_EXPECT_OK(report);
  EXPECT_EQ(report->rows, 0U);
  EXPECT_EQ(value("select count(*) from app.orders"), "0");
}

TEST_F(Load, ShowsNothingBeforeFinishAndNothingWhenAbandoned) {
  const auto plan = simple_plan();
  const auto target = loader();
  WHERRY_EXPECT_OK(target->prepare(context_, *plan, ExistingTable::kDrop));
  connect::Segment part;
  part.is_whole_table = false;  // a whole table is emptied and locked, a part is not
  {
    auto session = target->begin(context_, plan, part);
    WHERRY_EXPECT_OK(session);
    const auto batch = rows(1, 50'000);
    WHERRY_EXPECT_OK((*session)->write(context_, *batch));
    EXPECT_EQ(value("select count(*) from app.orders"), "0");
  }
  // Waits until the abandoned session is gone.
  run("begin; lock table app.orders in access exclusive mode; commit");
  EXPECT_EQ(value("select count(*) from app.orders"), "0");
}

TEST_F(Load, TruncatesOrKeepsWhatExists) {
  run("create schema app; create table app.orders (id integer primary key, name varchar(10), "
      "extra integer default 7); insert into app.orders values (-1, 'old')");
  const auto batch = rows(1, 3);
  WHERRY_EXPECT_OK(load(simple_plan(), {batch.get()}, ExistingTable::kTruncate));
  EXPECT_EQ(value("select count(*) || ' ' || min(extra) from app.orders"), "3 7");
  const auto more = rows(4, 3);
  WHERRY_EXPECT_OK(load(simple_plan(), {more.get()}, ExistingTable::kKeep));
  EXPECT_EQ(value("select count(*) from app.orders"), "6");
}

TEST_F(Load, NamesWhatHindersATruncate) {
  run("create schema app; create table app.orders (id integer primary key, name text); "
      "create table app.lines (order_id integer constraint lines_orders_fk references app.orders)");
  const auto batch = rows(1, 1);
  const Error error = load_error(simple_plan(), *batch, ExistingTable::kTruncate);
  EXPECT_EQ(error.kind, ErrorKind::kSchema);
  EXPECT_THAT(error.to_paragraph(), HasSubstr("lines_orders_fk on app.lines"));
  EXPECT_THAT(error.to_paragraph(), HasSubstr("app.orders"));
}

TEST_F(Load, NeverDropsWhatOthersDependOn) {
  run("create schema app; create table app.orders (id integer); insert into app.orders values (5); "
      "create view app.v as select * from app.orders");
  const auto batch = rows(1, 1);
  const Error error = load_error(simple_plan(), *batch);
  EXPECT_EQ(error.code, "postgres.dependent_objects");
  EXPECT_EQ(error.native_code, "2BP01");
  EXPECT_THAT(error.to_paragraph(), HasSubstr("view app.v depends on table app.orders"));
  EXPECT_EQ(value("select id from app.v"), "5");
  run("drop table app.orders cascade; create view app.orders as select 1 as id");
  EXPECT_EQ(load_error(simple_plan(), *batch).code, "postgres.name_taken");
}

TEST_F(Load, NamesMissingAndGeneratedColumns) {
  run("create schema app; create table app.orders (id integer)");
  const auto batch = rows(1, 1);
  EXPECT_THAT(load_error(simple_plan(), *batch, ExistingTable::kKeep).to_paragraph(),
              HasSubstr("lacks columns: name"));
  run("alter table app.orders add name text generated always as (id::text) stored");
  const Error error = load_error(simple_plan(), *batch, ExistingTable::kKeep);
  EXPECT_EQ(error.code, "postgres.generated_column");
  EXPECT_THAT(error.to_paragraph(), HasSubstr("column name"));
}

TEST_F(Load, NamesTheRowThatDoesNotFit) {
  const auto plan = simple_plan();
  const auto batch = rows(1, 100);
  set_text(batch->row(41)[1], "eleven char", batch->arena());
  const Error error = load_error(plan, *batch);
  EXPECT_EQ(error.kind, ErrorKind::kData);
  EXPECT_EQ(error.code, "postgres.value_too_long");
  const std::string text = error.to_paragraph();
  for (const char* part : {"app.orders", "column name", "varchar(10)", "row 42", "key id=42"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("eleven")));
  EXPECT_EQ(value("select count(*) from app.orders"), "0");
}

TEST_F(Load, PassesOnWhatTheServerRefuses) {
  run("create schema app; create table app.orders (id integer primary key, name varchar(10) "
      "constraint short_name check (name <> 'bad'))");
  const auto plan = simple_plan();
  auto batch = rows(1, 10);
  set_integer(batch->row(9)[0], 3);
  Error error = load_error(plan, *batch, ExistingTable::kKeep);
  EXPECT_EQ(error.code, "postgres.duplicate_key");
  EXPECT_EQ(error.native_code, "23505");
  EXPECT_THAT(error.to_paragraph(), HasSubstr("Key (id)=(3)"));
  EXPECT_THAT(error.to_paragraph(), HasSubstr("row 10"));

  batch = rows(1, 10);
  set_text(batch->row(4)[1], "bad", batch->arena());
  error = load_error(plan, *batch, ExistingTable::kKeep);
  EXPECT_EQ(error.code, "postgres.check_violated");
  EXPECT_THAT(error.to_paragraph(), HasSubstr("constraint short_name"));
}

TEST_F(Load, LearnsOfARefusalBeforeTheEndOfTheData) {
  run("create schema app; create table app.orders (id integer, name text check (name <> 'bad'))");
  auto plan = simple_plan();
  plan->columns[1].type.length_chars = 0;
  const auto target = loader();
  WHERRY_EXPECT_OK(target->prepare(context_, *plan, ExistingTable::kKeep));
  auto session = target->begin(context_, plan, connect::Segment{});
  WHERRY_EXPECT_OK(session);
  const auto bad = rows(1, 1, "bad");
  WHERRY_EXPECT_OK((*session)->write(context_, *bad));
  const auto good = rows(2, 10'000, std::string(500, 'x'));
  // 5 MB a batch: the server must be heard long before 5 GB have gone.
  Result<void> written;
  for (int i = 0; i < 1000 && written.ok(); ++i) written = (*session)->write(context_, *good);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, "postgres.check_violated");
}

TEST_F(Load, NoticesDoNotEndACopy) {
  settings_.options["session_replication_role"] = "origin";
  run("create schema app; create table app.orders (id integer, name text); "
      "create function app.talk() returns trigger language plpgsql as "
      "$$begin raise notice 'row %', new.id; return new; end$$; "
      "create trigger talk before insert on app.orders for each row execute function app.talk()");
  const auto batch = rows(1, 20'000);
  auto report = load(simple_plan(), {batch.get(), batch.get(), batch.get()}, ExistingTable::kKeep);
  WHERRY_EXPECT_OK(report);
  EXPECT_EQ(value("select count(*) from app.orders"), "60000");
}

TEST_F(Load, TellsThatATriggerDropsRows) {
  settings_.options["session_replication_role"] = "origin";
  run("create schema app; create table app.orders (id integer, name text); "
      "create function app.eat() returns trigger language plpgsql as "
      "$$begin return case when new.id = 2 then null else new end; end$$; "
      "create trigger eat before insert on app.orders for each row execute function app.eat()");
  const auto batch = rows(1, 3);
  const Error error = load_error(simple_plan(), *batch, ExistingTable::kKeep);
  EXPECT_EQ(error.code, "postgres.rows_dropped");
  EXPECT_EQ(value("select count(*) from app.orders"), "0");
}

TEST_F(Load, TriggersAndForeignKeysAreOffWhereTheUserMaySwitchThemOff) {
  run("create schema app; create table app.parents (id integer primary key); "
      "create table app.orders (id integer references app.parents, name text); "
      "create function app.eat() returns trigger language plpgsql as $$begin return null; end$$; "
      "create trigger eat before insert on app.orders for each row execute function app.eat()");
  const auto batch = rows(1, 3);
  WHERRY_EXPECT_OK(load(simple_plan(), {batch.get()}, ExistingTable::kKeep));
  EXPECT_EQ(value("select count(*) from app.orders"), "3");
  auto matches = loader()->match(context_, {simple_plan()}, ExistingTable::kKeep);
  WHERRY_EXPECT_OK(matches);
  EXPECT_TRUE(matches->front().plan->warnings.empty());
  run("alter table app.orders enable always trigger eat");
  matches = loader()->match(context_, {simple_plan()}, ExistingTable::kKeep);
  EXPECT_THAT(matches->front().plan->warnings.back().text,
              HasSubstr("fire for the loaded rows: eat"));

  run("create role " + database_ + "_plain login password 'x'; grant usage on schema app to " +
      database_ + "_plain; grant insert on app.orders to " + database_ + "_plain");
  settings_.user = database_ + "_plain";
  settings_.password = Secret("x");
  matches = loader()->match(context_, {simple_plan()}, ExistingTable::kKeep);
  WHERRY_EXPECT_OK(matches);
  EXPECT_THAT(matches->front().plan->warnings[0].text, HasSubstr("orders_id_fkey"));
  EXPECT_THAT(matches->front().plan->warnings[0].text, HasSubstr("wherry scripts"));
  EXPECT_EQ(load_error(simple_plan(), *batch, ExistingTable::kKeep).code, "postgres.rows_dropped");
}

TEST_F(Load, SurvivesAKilledBackendAsATransientError) {
  const auto plan = simple_plan();
  const auto target = loader();
  WHERRY_EXPECT_OK(target->prepare(context_, *plan, ExistingTable::kDrop));
  auto session = target->begin(context_, plan, connect::Segment{});
  WHERRY_EXPECT_OK(session);
  const auto batch = rows(1, 20'000);
  WHERRY_EXPECT_OK((*session)->write(context_, *batch));
  EXPECT_EQ(value("select count(pg_terminate_backend(pid))::text from pg_stat_activity "
                  "where application_name = 'wherry' and datname = current_database() "
                  "and query like '%copy%' and pid <> pg_backend_pid()"),
            "1");
  Result<void> written;
  for (int i = 0; i < 1000 && written.ok(); ++i) written = (*session)->write(context_, *batch);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, ErrorKind::kTransient) << written.error().to_paragraph();
  EXPECT_FALSE(written.error().hint.empty());
  // The loader goes on with a new session, from the beginning.
  auto again = target->begin(context_, plan, connect::Segment{});
  WHERRY_EXPECT_OK(again);
  WHERRY_EXPECT_OK((*again)->write(context_, *batch));
  WHERRY_EXPECT_OK((*again)->finish(context_));
  EXPECT_EQ(value("select count(*) from app.orders"), "20000");
}

TEST_F(Load, TheLedgerWaitsForAnEarlierSessionOfTheWorker) {
  settings_.options["lock_timeout"] = "1";
  const auto plan = simple_plan();
  const auto target = loader();
  WHERRY_EXPECT_OK(target->prepare(context_, *plan, ExistingTable::kDrop));
  WHERRY_EXPECT_OK(target->done_chunks(context_, "load", std::nullopt));
  auto session = target->begin(context_, plan, {"load", 1, 3, false});
  WHERRY_EXPECT_OK(session);
  for (const std::optional<std::uint32_t> worker : {std::optional<std::uint32_t>(3), {}}) {
    const auto early = target->done_chunks(context_, "load", worker);
    ASSERT_FALSE(early.ok());
    EXPECT_EQ(early.error().code, "load.still_running");
    EXPECT_EQ(early.error().kind, ErrorKind::kTransient);
  }
  WHERRY_EXPECT_OK(target->done_chunks(context_, "load", 4));
  WHERRY_EXPECT_OK(target->done_chunks(context_, "another", std::nullopt));
  const std::vector<connect::DoneChunk> chunks = {{plan->source, 1, 0, 0, 0}};
  WHERRY_EXPECT_OK((*session)->finish(context_, chunks));
  EXPECT_EQ(target->done_chunks(context_, "load", 3)->size(), 1U);
}

TEST_F(Load, TheLedgerKeepsWhatWasLeftOutAndTakesTheTableOfAnEarlierVersion) {
  run("create table public.wherry_load_progress (load_id text not null, source_schema text not "
      "null, "
      "source_table text not null, attempt bigint not null, chunk bigint not null, "
      "row_count bigint not null, byte_count bigint not null, finished_at timestamptz not null "
      "default clock_timestamp(), primary key (load_id, source_schema, source_table, attempt, "
      "chunk)); insert into public.wherry_load_progress values ('load', '', '', 0, 0, 0, 0), "
      "('load', 'APP', 'ORDERS', 1, 0, 5, 100)");
  const auto plan = simple_plan();
  const auto target = loader();
  WHERRY_EXPECT_OK(target->prepare(context_, *plan, ExistingTable::kDrop));
  WHERRY_EXPECT_OK(target->done_chunks(context_, "load", std::nullopt));
  auto session = target->begin(context_, plan, {"load", 1, 3, false});
  WHERRY_EXPECT_OK(session);
  const std::vector<connect::DoneChunk> chunks = {{plan->source, 1, 1, 0, 9, 3, 4},
                                                  {plan->source, 1, 2, 0, 9}};
  WHERRY_EXPECT_OK((*session)->finish(context_, chunks));
  auto done = target->done_chunks(context_, "load", std::nullopt);
  WHERRY_EXPECT_OK(done);
  std::sort(done->begin(), done->end(),
            [](const auto& a, const auto& b) { return a.chunk < b.chunk; });
  ASSERT_EQ(done->size(), 3U);
  EXPECT_EQ((*done)[0].rows, 5U);
  EXPECT_EQ((*done)[0].refused_rows, 0U);
  EXPECT_EQ((*done)[1].refused_rows, 3U);
  EXPECT_EQ((*done)[1].truncated_values, 4U);
  EXPECT_EQ((*done)[2].refused_rows, 0U);
}

TEST_F(Load, TheKeyComesWithTheTableOrAfterTheRows) {
  constexpr const char* kKeys =
      "select count(*) from pg_constraint where contype = 'p' and conrelid = "
      "'app.orders'::regclass";
  for (const bool comes_first : {false, true}) {
    auto changed = *simple_plan();
    changed.key_comes_first = comes_first;
    const auto plan = std::make_shared<const schema::TablePlan>(changed);
    const auto target = loader();
    WHERRY_EXPECT_OK(target->prepare(context_, *plan, ExistingTable::kDrop));
    EXPECT_EQ(value(kKeys), comes_first ? "1" : "0");
    auto session = target->begin(context_, plan, connect::Segment{});
    WHERRY_EXPECT_OK(session);
    const auto batch = rows(1, 100);
    WHERRY_EXPECT_OK((*session)->write(context_, *batch));
    WHERRY_EXPECT_OK((*session)->finish(context_));
    WHERRY_EXPECT_OK(target->complete(context_, *plan));
    EXPECT_EQ(value(kKeys), "1");
    EXPECT_EQ(value("select count(*) from app.orders"), "100");
  }
}

TEST_F(Load, TheLedgerLivesInTheControlSchema) {
  settings_.control_schema = "Control";
  WHERRY_EXPECT_OK(loader()->done_chunks(context_, "load", std::nullopt));
  EXPECT_EQ(value("select attempt from \"Control\".wherry_load_progress"), "0");
  // It goes with the last load that needs it.
  WHERRY_EXPECT_OK(loader()->done_chunks(context_, "other", std::nullopt));
  WHERRY_EXPECT_OK(loader()->forget(context_, "load"));
  EXPECT_EQ(value("select load_id from \"Control\".wherry_load_progress"), "other");
  WHERRY_EXPECT_OK(loader()->forget(context_, "other"));
  EXPECT_EQ(value("select to_regclass('\"Control\".wherry_load_progress')"), "NULL");
  WHERRY_EXPECT_OK(loader()->forget(context_, "other"));
  run("create role " + database_ +
      "_reader login password 'x'; "
      "revoke create on schema public from public");
  settings_.control_schema.clear();
  settings_.user = database_ + "_reader";
  settings_.password = Secret("x");
  const auto refused = loader()->done_chunks(context_, "load", std::nullopt);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kPermission) << refused.error().to_paragraph();
  EXPECT_NE(refused.error().hint.find("ControlSchema"), std::string::npos);
}

TEST_F(Load, StopsWithinASecondWhileItWaitsForALock) {
  const auto plan = simple_plan();
  const auto target = loader();
  WHERRY_EXPECT_OK(target->prepare(context_, *plan, ExistingTable::kDrop));
  run("begin; lock table app.orders");
  std::stop_source stop;
  OpContext stoppable;
  stoppable.stop = stop.get_token();
  Result<std::unique_ptr<connect::LoadSession>> session{std::unique_ptr<connect::LoadSession>()};
  std::chrono::steady_clock::time_point ended;
  std::thread worker([&] {
    session = target->begin(stoppable, plan, connect::Segment{});
    ended = std::chrono::steady_clock::now();
  });
  while (value("select count(*) from pg_locks where not granted") == "0") std::this_thread::yield();
  const auto asked = std::chrono::steady_clock::now();
  stop.request_stop();
  worker.join();
  run("rollback");
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.error().kind, ErrorKind::kCancelled);
  EXPECT_LT(ended - asked, std::chrono::seconds(1));
}

TEST_F(Load, NamesAMissingPrivilege) {
  run("create schema app; create table app.orders (id integer, name text)");
  run("create role " + database_ + "_user login password 'x'");
  settings_.user = database_ + "_user";
  settings_.password = Secret("x");
  const auto batch = rows(1, 1);
  const Error dropping = load_error(simple_plan(), *batch);
  EXPECT_EQ(dropping.kind, ErrorKind::kPermission);
  EXPECT_EQ(dropping.native_code, "42501");
  EXPECT_THAT(dropping.to_paragraph(), HasSubstr("app.orders"));
  auto elsewhere = simple_plan();
  elsewhere->target.schema = "fresh";
  const Error creating = load_error(elsewhere, *batch);
  EXPECT_EQ(creating.kind, ErrorKind::kPermission);
  EXPECT_THAT(creating.to_paragraph(), HasSubstr("cannot create the schema fresh"));
}

TEST_F(Load, CountsReplacedZerosInTheLog) {
  const std::string path = ::testing::TempDir() + "/wherry-zeros-" + database_ + ".log";
  Logger::Options options;
  options.file = path;
  auto log = Logger::open(options);
  WHERRY_EXPECT_OK(log);
  context_.log = *log;
  const auto batch = rows(1, 3, std::string("a\0b", 3));
  WHERRY_EXPECT_OK(load(simple_plan(), {batch.get()}));
  EXPECT_EQ(value("select count(*) from app.orders where name = 'a b'"), "3");
  std::FILE* file = std::fopen(path.c_str(), "r");
  ASSERT_NE(file, nullptr);
  char line[1000] = "";
  ASSERT_NE(std::fgets(line, sizeof line, file), nullptr);
  EXPECT_THAT(line, HasSubstr("U+0000"));
  EXPECT_THAT(line, HasSubstr("column: name"));
  EXPECT_THAT(line, HasSubstr("count: 3"));
  EXPECT_EQ(std::fgets(line, sizeof line, file), nullptr);
  std::fclose(file);
  std::filesystem::remove(path);
}

TEST_F(Load, FreezesTheRowsOfATableItLoadsWhole) {
  const auto batch = rows(1, 1000);
  WHERRY_EXPECT_OK(load(simple_plan(), {batch.get()}));
  if (major_version() >= 14) {  // an older one freezes rows and does not mark their pages
    EXPECT_EQ(value("select relallvisible = relpages from pg_class where relname = 'orders'"), "t");
  }
  run("create extension pageinspect schema public");
  EXPECT_EQ(value("select bool_and(t_infomask & 768 = 768) from "
                  "public.heap_page_items(public.get_raw_page('app.orders', 0))"),
            "t");
}

TEST_F(Load, BuildsKeysWithTheMemoryThatTheOptionGives) {
  run("create table public.seen (what text, memory text);"
      "create function public.note() returns event_trigger language plpgsql as $$ begin "
      "insert into public.seen values (tg_tag, current_setting('maintenance_work_mem')); end $$;"
      "create event trigger note on ddl_command_end when tag in ('ALTER TABLE') "
      "execute function public.note()");
  const auto batch = rows(1, 10);
  WHERRY_EXPECT_OK(load(simple_plan(), {batch.get()}));
  EXPECT_EQ(value("select string_agg(distinct memory, ',') from public.seen"), "256MB");
  run("truncate public.seen");
  settings_.options["key_memory_mb"] = "0";
  WHERRY_EXPECT_OK(load(simple_plan(), {batch.get()}));
  EXPECT_EQ(value("select string_agg(distinct memory, ',') from public.seen"), "64MB");
}

TEST_F(Load, GathersStatisticsUnlessToldNotTo) {
  const std::string analyzed = "select count(*) > 0 from pg_stats where schemaname = 'app'";
  const auto batch = rows(1, 100);
  settings_.options["analyze"] = "false";
  WHERRY_EXPECT_OK(load(simple_plan(), {batch.get()}));
  EXPECT_EQ(value(analyzed), "f");
  settings_.options["analyze"] = "true";
  WHERRY_EXPECT_OK(load(simple_plan(), {batch.get()}));
  EXPECT_EQ(value(analyzed), "t");
}

TEST_F(Load, CompressesLargeValuesWithLz4WhereTheServerCan) {
  const bool has_lz4 = value(
                           "select count(*) from pg_settings where name = "
                           "'default_toast_compression' and 'lz4' = any(enumvals)") == "1";
  auto plan = simple_plan();
  plan->columns[1].type = logical(TypeKind::kClob);
  plan->columns[1].target_type = "text";
  const auto batch = rows(1, 1, std::string(20'000, 'x'));
  WHERRY_EXPECT_OK(load(plan, {batch.get()}));
  EXPECT_EQ(value("select length(name) from app.orders"), "20000");
  if (major_version() < 14) return;  // knows one compression only
  EXPECT_EQ(value("select pg_column_compression(name) from app.orders"), has_lz4 ? "lz4" : "pglz");
  settings_.options["toast_compression"] = "default";
  WHERRY_EXPECT_OK(load(plan, {batch.get()}));
  EXPECT_EQ(value("select pg_column_compression(name) from app.orders"), "pglz");
}

class LoadOfOwnServer : public Load {
 protected:
  PgCluster& cluster() override {
    if (own_ == nullptr) own_ = std::make_unique<PgCluster>();
    return *own_;
  }
  void TearDown() override { admin_.reset(); }
  std::unique_ptr<PgCluster> own_;
};

TEST_F(LoadOfOwnServer, WhatIsLoadedSurvivesACrashWhateverTheServerThinksOfCommits) {
  run("alter system set wal_writer_delay = '10s'");
  run("alter system set synchronous_commit = off");
  run("select pg_reload_conf()");
  run("create schema app");
  run("create table app.forgotten (id int)");
  const auto batch = rows(1, 10);
  const auto other = connect_as(settings_);
  WHERRY_EXPECT_OK(load(simple_plan(), {batch.get()}));
  // Without a wish of ours the server forgets what it had confirmed.
  WHERRY_EXPECT_OK(other->execute(context_, "test", "set synchronous_commit = off"));
  WHERRY_EXPECT_OK(other->execute(context_, "test", "insert into app.forgotten values (1)"));
  cluster().stop();
  cluster().start();
  settings_.url = cluster().url(database_);
  admin_ = connect_as(settings_);
  EXPECT_EQ(value("select count(*) from app.orders"), "10");
  EXPECT_EQ(value("select count(*) from app.forgotten"), "0");
}

}  // namespace
}  // namespace wherry::postgres::test
