#include <atomic>
#include <random>
#include <thread>

#include "connect/postgres/apply_test_support.h"
#include "core/spill_file.h"

namespace wherry::postgres::test {
namespace {

using schema::TypeKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

schema::TablePlanPtr small_plan(const std::string& name = "t") {
  return plan_of(name, {{"id", logical(TypeKind::kInt64)},
                        {"a", logical(TypeKind::kInt64)},
                        {"b", logical(TypeKind::kClob)}});
}

TEST_F(ApplyTest, ChangesAndCheckpointAreThereTogether) {
  run("create table app.t (id bigint primary key, a bigint, b text, extra text default 'x')");
  const ApplyTable table = describe(small_plan());
  ASSERT_FALSE(table.refused) << table.refused->to_paragraph();
  EXPECT_THAT(table.identity, ElementsAre(0));
  const auto one = lane();
  StepMaker make;
  const auto row = [&](std::vector<std::string> v) { return make.row(table, v); };
  WHERRY_EXPECT_OK(change(*one, {make.step(StepKind::kInsert, table,
                                           {{nullptr, row({"1", "10", "one"})},
                                            {nullptr, row({"2", "20", "NULL"})},
                                            {nullptr, row({"3", "30", "-"})}})}));
  EXPECT_EQ(value("select string_agg(t::text, ' ' order by id) from app.t t"),
            "(1,10,one,x) (2,20,,x) (3,30,,x)");
  const auto changed = change(
      *one, {make.step(StepKind::kUpdate, table,
                       {{row({"1", "-", "-"}), row({"1", "11", "-"})},
                        {row({"7", "-", "-"}), row({"7", "11", "-"})},
                        {nullptr, row({"2", "-", "two"})}}),
             make.step(StepKind::kDelete, table,
                       {{row({"8"}), nullptr}, {row({"3"}), nullptr}, {row({"9"}), nullptr}})});
  WHERRY_EXPECT_OK(changed);
  EXPECT_THAT((*changed)[0].missing, ElementsAre(1));
  EXPECT_EQ((*changed)[0].affected_rows, 2U);
  EXPECT_THAT((*changed)[1].missing, ElementsAre(0, 2));
  EXPECT_EQ(value("select string_agg(t::text, ' ' order by id) from app.t t"),
            "(1,11,one,x) (2,20,two,x)");

  const auto found = apply_->recover(context_, "night");
  WHERRY_EXPECT_OK(found);
  EXPECT_EQ(found->at(0).position.text, "at:2");
  EXPECT_EQ(found->at(0).point, (connect::CommitPoint{20, 0}));
  EXPECT_EQ(found->at(0).sequence, 2U);
  EXPECT_EQ(found->at(0).commit_time.time_since_epoch(), std::chrono::seconds(2));
  EXPECT_EQ(value("select \"SERVER_NAME\" || \"TASK_NAME\" || \"CHECKPOINT\" from "
                  "public.awsdms_txn_state"),
            "herenightcheckpoint:V1#at:2");
  WHERRY_EXPECT_OK(apply_->flush(context_, "night", checkpoint(2)));
  WHERRY_EXPECT_OK(apply_->forget(context_, "night"));
  EXPECT_EQ(value("select count(*) from public.wherry_checkpoint"), "0");
}

TEST_F(ApplyTest, KeysThatMoveOverEachOther) {
  run("create table app.t (id bigint primary key, a bigint, b text, extra text default 'x')");
  run("insert into app.t select i, i * 10, 'b' || i, 'e' || i from generate_series(1, 5) i");
  const ApplyTable table = describe(small_plan());
  const auto one = lane();
  StepMaker make;
  std::vector<ApplyRow> rows;
  for (int i = 1; i <= 6; ++i) {  // k = k + 1; the sixth is not there
    rows.push_back({make.row(table, {std::to_string(i)}),
                    make.row(table, {std::to_string(i + 1), "-", i % 2 == 0 ? "new" : "-"})});
  }
  const auto report = change(*one, {make.step(StepKind::kRekey, table, rows)});
  WHERRY_EXPECT_OK(report);
  EXPECT_THAT(report->front().missing, ElementsAre(5));
  EXPECT_EQ(value("select string_agg(t::text, ' ' order by id) from app.t t"),
            "(2,10,b1,e1) (3,20,new,e2) (4,30,b3,e3) (5,40,new,e4) (6,50,b5,e5)");
  // Twice in one transaction, and a swap.
  const auto swap = [&] {
    return make.step(StepKind::kRekey, table,
                     {{make.row(table, {"2"}), make.row(table, {"3"})},
                      {make.row(table, {"3"}), make.row(table, {"2"})}});
  };
  WHERRY_EXPECT_OK(change(*one, {swap(), swap(), swap()}));
  EXPECT_EQ(value("select string_agg(extra, ' ' order by id) from app.t"), "e2 e1 e3 e4 e5");
}

TEST_F(ApplyTest, AFaultBeforeAnythingIsSentLeavesTheTransactionAtItsMark) {
  run("create table app.t (id bigint primary key, a bigint, b text)");
  const ApplyTable table = describe(small_plan());
  const auto one = lane();
  StepMaker make;
  const auto insert = [&](const std::string& id, CellState state) {
    Cell* const row = const_cast<Cell*>(make.row(table, {id, "1", "x"}));
    row[2].state = state;
    return make.step(StepKind::kInsert, table, {{nullptr, row}});
  };
  const auto unreadable = [&](const std::string& id) { return insert(id, CellState::kUnreadable); };
  const auto good = [&](const std::string& id) { return insert(id, CellState::kSet); };
  WHERRY_EXPECT_OK(one->begin(context_));
  WHERRY_EXPECT_OK(one->mark(context_));
  EXPECT_FALSE(one->execute(context_, std::vector{unreadable("1")}).ok());
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{good("2")}));
  WHERRY_EXPECT_OK(one->mark(context_));
  EXPECT_FALSE(one->execute(context_, std::vector{unreadable("3")}).ok());
  WHERRY_EXPECT_OK(one->take_back(context_));
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{good("4")}));
  WHERRY_EXPECT_OK(one->commit(context_, checkpoint(1), {}));
  EXPECT_EQ(value("select string_agg(id::text, ' ' order by id) from app.t"), "2 4");
}

TEST_F(ApplyTest, AnErrorNamesItsStepAndTakesTheTransactionBack) {
  run("create table app.t (id bigint primary key, a bigint check (a < 100), b text)");
  run("insert into app.t values (1, 1, 'one')");
  const ApplyTable table = describe(small_plan());
  const auto one = lane();
  StepMaker make;
  const auto insert = [&](const std::string& id, const std::string& a) {
    return make.step(StepKind::kInsert, table, {{nullptr, make.row(table, {id, a, "x"})}});
  };
  const auto failed = change(*one, {insert("2", "2"), insert("1", "3"), insert("4", "4")});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, connect::kDuplicateKey);
  EXPECT_EQ(failed.error().kind, ErrorKind::kData);
  EXPECT_THAT(failed.error().to_paragraph(), HasSubstr("step 1"));
  EXPECT_THAT(failed.error().to_paragraph(), HasSubstr("app.t"));
  EXPECT_THAT(failed.error().to_log_text(), ::testing::Not(HasSubstr("(id)=(1)")));
  EXPECT_EQ(value("select count(*) from app.t"), "1");

  // After a mark only what came after it goes.
  WHERRY_EXPECT_OK(one->begin(context_));
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{insert("2", "2")}));
  WHERRY_EXPECT_OK(one->mark(context_));
  EXPECT_FALSE(one->execute(context_, std::vector{insert("3", "3"), insert("4", "400")}).ok());
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{insert("5", "5")}));
  WHERRY_EXPECT_OK(one->mark(context_));
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{insert("6", "6")}));
  WHERRY_EXPECT_OK(one->take_back(context_));
  WHERRY_EXPECT_OK(one->mark(context_));
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{insert("7", "7")}));
  EXPECT_FALSE(one->execute(context_, std::vector{insert("8", "800")}).ok());
  connect::ControlTables control;
  control.task_name = "night";
  WHERRY_EXPECT_OK(loader()->open_control(context_, control));
  const std::vector<connect::ApplyException> exceptions = {
      {{"app", "t"}, "INSERT, 'quoted\\'", "why \"not\""}, {{"app", "u"}, "second", "{x,y}"}};
  WHERRY_EXPECT_OK(one->commit(context_, checkpoint(9), exceptions));
  EXPECT_EQ(value("select string_agg(id::text, ' ' order by id) from app.t"), "1 2 5");
  EXPECT_EQ(value("select string_agg(concat_ws('|', \"TASK_NAME\", \"TABLE_NAME\", \"STATEMENT\", "
                  "\"ERROR\"), ';' order by \"TABLE_NAME\") from public.awsdms_apply_exceptions"),
            "night|t|INSERT, 'quoted\\'|why \"not\";night|u|second|{x,y}");
}

TEST_F(ApplyTest, OneRoundTripCommitsOnlyWhenNothingIsMissing) {
  run("create table app.t (id bigint primary key, a bigint, b text)");
  run("insert into app.t values (1, 1, 'one')");
  const ApplyTable table = describe(small_plan());
  const auto one = lane();
  StepMaker make;
  const auto update = [&](const std::string& id, const std::string& a) {
    return make.step(StepKind::kUpdate, table,
                     {{make.row(table, {id}), make.row(table, {id, a, "-"})}});
  };
  const auto done = one->apply(context_, std::vector{update("1", "2")}, checkpoint(1));
  WHERRY_EXPECT_OK(done);
  EXPECT_TRUE(done->is_committed);
  EXPECT_EQ(done->reports[0].affected_rows, 1U);
  const auto missing =
      one->apply(context_, std::vector{update("1", "3"), update("5", "3")}, checkpoint(2));
  WHERRY_EXPECT_OK(missing);
  EXPECT_FALSE(missing->is_committed);
  EXPECT_THAT(missing->reports[1].missing, ElementsAre(0));
  EXPECT_EQ(value("select a || position from app.t, public.wherry_checkpoint where lane = 0"),
            "2at:1");
  const auto failed =
      one->apply(context_,
                 std::vector{make.step(StepKind::kInsert, table,
                                       {{nullptr, make.row(table, {"1", "1", "b"})}})},
                 checkpoint(3));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, connect::kDuplicateKey);
  WHERRY_EXPECT_OK(one->apply(context_, std::vector{update("1", "4")}, checkpoint(4)));
  EXPECT_EQ(value("select a || position from app.t, public.wherry_checkpoint where lane = 0"),
            "4at:4");
}

TEST_F(ApplyTest, TablesWithoutAKeyLoseOnePhysicalRowAChange) {
  run("create table app.t (id bigint, j json, p point, f float8, c char(4))");
  run("insert into app.t select 1, '{\"a\": 1}', '(1,2)', 0.1, 'x' from generate_series(1, 3)");
  run("insert into app.t values (null, null, null, null, null), (null, null, null, null, null)");
  auto plan = plan_of("t", {{"id", logical(TypeKind::kInt64)},
                            {"j", logical(TypeKind::kJson)},
                            {"p", logical(TypeKind::kClob)},
                            {"f", logical(TypeKind::kFloat64)},
                            {"c", logical(TypeKind::kText)}});
  plan->key.clear();
  plan->is_native = true;
  constexpr const char* kTypes[] = {"bigint", "json", "point", "double precision", "character(4)"};
  for (std::size_t i = 0; i < plan->columns.size(); ++i) {
    plan->columns[i].type = logical(TypeKind::kNative);
    plan->columns[i].is_native = true;
    plan->columns[i].not_null = false;
    plan->columns[i].target_type = kTypes[i];
  }
  const ApplyTable table = describe(plan);
  ASSERT_FALSE(table.refused) << table.refused->to_paragraph();
  EXPECT_THAT(table.identity, IsEmpty());
  const auto one = lane();
  StepMaker make;
  const std::vector<std::string> full = {"1", "{\"a\": 1}", "(1,2)", "0.1", "x   "};
  const std::vector<std::string> empty(5, "NULL");
  const auto report = change(
      *one,
      {make.step(StepKind::kDelete, table,
                 {{make.row(table, full), nullptr},
                  {make.row(table, {"1", "{\"a\":1}", "(1,2)", "0.1", "x"}), nullptr},
                  {make.row(table, empty), nullptr},
                  {make.row(table, full), nullptr}}),
       make.step(StepKind::kUpdate, table,
                 {{make.row(table, full), make.row(table, {"9", "-", "(3,4)", "-", "-"})},
                  {make.row(table, empty), make.row(table, {"NULL", "[]", "NULL", "NULL", "NULL"})},
                  {make.row(table, empty), make.row(table, {"8", "-", "-", "-", "-"})}})});
  WHERRY_EXPECT_OK(report);
  EXPECT_THAT((*report)[0].missing, ElementsAre(1));
  EXPECT_THAT((*report)[1].missing, ElementsAre(2));
  EXPECT_EQ(value("select string_agg(t::text, ' ' order by id) from app.t t"),
            "(9,\"{\"\"a\"\": 1}\",\"(3,4)\",0.1,\"x   \") (,[],,,)");
}

TEST_F(ApplyTest, LargeStepsGoThroughCopy) {
  run("create table app.t (id bigint primary key, a bigint, b text)");
  const ApplyTable table = describe(small_plan());
  const auto one = lane();
  constexpr int kCount = 25'000;
  const auto number = [](int i) { return std::to_string(i); };
  const auto step = [&](StepMaker& make, StepKind kind, auto before, auto after) {
    std::vector<ApplyRow> rows;
    for (int i = 1; i <= kCount; ++i) rows.push_back({before(i), after(i)});
    return make.step(kind, table, std::move(rows));
  };
  const auto nothing = [](int) { return static_cast<const Cell*>(nullptr); };
  StepMaker make;
  const auto key = [&](int i) { return make.row(table, {number(i)}); };
  auto report = change(*one, {step(make, StepKind::kInsert, nothing, [&](int i) {
    return make.row(table, {number(i), number(i), "b"});
  })});
  WHERRY_EXPECT_OK(report);
  EXPECT_EQ(report->front().affected_rows, static_cast<std::uint64_t>(kCount));
  run("delete from app.t where id = 777");
  report = change(*one, {step(make, StepKind::kUpdate, key,
                              [&](int i) {
                                return make.row(table, {number(i), number(-i), "-"});
                              }),
                         step(make, StepKind::kRekey, key, [&](int i) {
                           return make.row(table, {number(i + 1), "-", "c"});
                         })});
  WHERRY_EXPECT_OK(report);
  EXPECT_THAT((*report)[0].missing, ElementsAre(776));
  EXPECT_THAT((*report)[1].missing, ElementsAre(776));
  EXPECT_EQ(value("select count(*) || ' ' || bool_and(a = 1 - id and b = 'c') from app.t"),
            "24999 true");
  report = change(*one, {step(make, StepKind::kDelete, key, nothing)});
  WHERRY_EXPECT_OK(report);
  EXPECT_THAT(report->front().missing, ElementsAre(0, 777));
  EXPECT_EQ(value("select min(id) || ' ' || count(*) from app.t"), "25001 1");
}

TEST_F(ApplyTest, ValuesTooLargeForMemoryAreStreamed) {
  run("create table app.t (id bigint primary key, a bigint, b text)");
  const ApplyTable table = describe(small_plan());
  const auto one = lane();
  auto file = SpillFile::create(std::filesystem::temp_directory_path());
  WHERRY_EXPECT_OK(file);
  const std::string piece(1 << 20, 'z');
  for (int i = 0; i < 8; ++i) WHERRY_EXPECT_OK((*file)->append(piece));
  const SpilledValue spilled{file->get(), 0, 8 << 20};
  StepMaker make;
  const auto large = [&](const std::string& id) {
    Cell* row = make.cells(table);
    set_integer(row[0], std::stoll(id));
    row[2].kind = CellKind::kText;
    row[2].state = CellState::kSpilled;
    row[2].payload.ptr = reinterpret_cast<const std::byte*>(&spilled);
    return row;
  };
  WHERRY_EXPECT_OK(
      change(*one, {make.step(StepKind::kInsert, table,
                              {{nullptr, large("1")}, {nullptr, make.row(table, {"2", "2", "x"})}}),
                    make.step(StepKind::kUpdate, table, {{make.row(table, {"2"}), large("2")}})}));
  EXPECT_EQ(value("select string_agg(id || ':' || coalesce(a, 0) || ':' || length(b), ' ' order by "
                  "id) from app.t"),
            "1:0:8388608 2:2:8388608");
}

TEST_F(ApplyTest, WhatATableHasIsFound) {
  run("create table app.parent (id bigint primary key, a bigint, b text)");
  run("create table app.t (id bigint generated always as identity primary key, a bigint not null "
      "references app.parent on delete cascade, b text unique deferrable, g bigint generated "
      "always "
      "as (a * 2) stored, unique (a))");
  run("create unique index part on app.t (b) where a > 0");
  run("create unique index low on app.t (lower(b))");
  run("create function app.f() returns trigger language plpgsql as 'begin return new; end'");
  run("create trigger hm before update on app.t for each row execute function app.f()");
  auto found = apply_->describe(context_, {small_plan("parent"), small_plan(), small_plan("gone")});
  WHERRY_EXPECT_OK(found);
  const ApplyTable& t = (*found)[1];
  ASSERT_FALSE(t.refused) << t.refused->to_paragraph();
  // Deferrable keys are checked by triggers, so the table is changed as ever.
  EXPECT_TRUE(t.has_triggers);
  ASSERT_EQ(t.foreign_keys.size(), 1U);
  EXPECT_THAT(t.foreign_keys[0].columns, ElementsAre(1));
  EXPECT_EQ(t.foreign_keys[0].parent.name, "parent");
  EXPECT_THAT(t.identity, ElementsAre(0));
  std::vector<std::string> keys;
  for (const auto& key : t.keys) {
    std::string text = key.is_plain ? "plain" : "other";
    for (const std::size_t i : key.columns) text += ' ' + std::to_string(i);
    keys.push_back(text);
  }
  EXPECT_THAT(keys, UnorderedElementsAre("plain 0", "plain 1", "other 2", "other 2", "other"));
  ASSERT_TRUE((*found)[2].refused);
  EXPECT_EQ((*found)[2].refused->code, "apply.unknown_table");
  EXPECT_FALSE((*found)[0].has_triggers);

  const auto one = lane();
  StepMaker make;
  WHERRY_EXPECT_OK(change(
      *one,
      {make.step(StepKind::kInsert, (*found)[0],
                 {{nullptr, make.row((*found)[0], {"5", "0", "p"})},
                  {nullptr, make.row((*found)[0], {"6", "0", "q"})}}),
       make.step(StepKind::kInsert, t, {{nullptr, make.row(t, {"70", "5", "x"})}}),
       make.step(StepKind::kUpdate, t, {{make.row(t, {"70"}), make.row(t, {"70", "6", "-"})}})}));
  EXPECT_EQ(value("select t::text from app.t t"), "(70,6,x,12)");
  const auto orphan =
      change(*one, {make.step(StepKind::kInsert, t, {{nullptr, make.row(t, {"71", "99", "y"})}})});
  ASSERT_FALSE(orphan.ok());
  EXPECT_EQ(orphan.error().native_code, "23503");

  run("create role nobody login password 'x'");
  run("grant usage on schema app to nobody");
  run("grant all on schema public to nobody");
  run("grant select, insert on app.t to nobody");
  settings_.user = "nobody";
  settings_.password = Secret("x");
  auto other = connector_->open_apply(context_, settings_, {});
  WHERRY_EXPECT_OK(other);
  auto seen = (*other)->describe(context_, {small_plan()});
  WHERRY_EXPECT_OK(seen);
  ASSERT_TRUE(seen->front().refused);
  EXPECT_EQ(seen->front().refused->kind, ErrorKind::kPermission);
  EXPECT_THAT(seen->front().refused->hint,
              HasSubstr("grant update, delete on table \"app\".\"t\" to nobody"));
}

TEST_F(ApplyTest, TruncateReplaceAndDdl) {
  run("create table app.t (id bigint primary key, a bigint, b text)");
  run("create table app.child (id bigint primary key, a bigint references app.t, b text)");
  run("insert into app.t values (1, 1, 'one'), (2, 2, 'two')");
  auto found = apply_->describe(context_, {small_plan(), small_plan("child")});
  WHERRY_EXPECT_OK(found);
  const ApplyTable& t = (*found)[0];
  const auto one = lane();
  StepMaker make;
  WHERRY_EXPECT_OK(change(*one, {make.step(StepKind::kReplace, t,
                                           {{nullptr, make.row(t, {"2", "22", "-"})},
                                            {nullptr, make.row(t, {"3", "33", "three"})}})}));
  EXPECT_EQ(value("select string_agg(t::text, ' ' order by id) from app.t t"),
            "(1,1,one) (2,22,) (3,33,three)");
  ApplyStep truncate;
  truncate.kind = StepKind::kTruncate;
  truncate.table = &t;
  ApplyStep other = truncate;
  other.table = &(*found)[1];
  ASSERT_FALSE(change(*one, {truncate}).ok());
  WHERRY_EXPECT_OK(change(*one, {truncate, other}));
  EXPECT_EQ(value("select count(*) from app.t"), "0");

  // A table changes as its plan does.
  run("insert into app.t values (1, 1, 'one')");
  auto to = std::make_shared<schema::TablePlan>(*small_plan("renamed"));
  to->columns[1].target_name = "b";  // the names of both columns change places
  to->columns[2].target_name = "a";
  to->columns[1].target_type = "text";
  schema::ColumnPlan added = to->columns[1];
  added.target_name = "new \"one\"";
  added.target_type = "numeric(10,2)";
  to->columns.push_back(added);
  connect::TableAlteration alteration;
  alteration.from = small_plan();
  alteration.to = to;
  alteration.origins = {0, 1, 2, std::nullopt};
  alteration.values = {std::nullopt, std::nullopt, std::nullopt, "7"};
  const auto run_all = [&](const connect::TableAlteration& what) -> Result<void> {
    WHERRY_ASSIGN(const auto statements, apply_->alter(what));
    std::vector<ApplyStep> steps;
    for (const std::string& sql : statements) {
      ApplyStep ddl;
      ddl.kind = StepKind::kDdl;
      ddl.table = &t;
      ddl.statement = sql;
      steps.push_back(ddl);
    }
    WHERRY_TRY(change(*one, steps));
    return {};
  };
  WHERRY_EXPECT_OK(run_all(alteration));
  EXPECT_EQ(value("select to_jsonb(t)::text from app.renamed t"),
            "{\"a\": \"one\", \"b\": \"1\", \"id\": 1, \"new \\\"one\\\"\": 7.00}");
  connect::TableAlteration dropped;
  dropped.kind = connect::TableAlteration::Kind::kDrop;
  dropped.from = small_plan("child");
  WHERRY_EXPECT_OK(run_all(dropped));
  EXPECT_EQ(value("select to_regclass('app.child')::text"), "NULL");
  connect::TableAlteration made;
  made.kind = connect::TableAlteration::Kind::kCreate;
  made.to = small_plan("child");
  WHERRY_EXPECT_OK(run_all(made));
  EXPECT_EQ(value("select count(*) from pg_index where indrelid = 'app.child'::regclass"), "1");
}

TEST_F(ApplyTest, AConstraintThatIsCheckedAtTheEndIsAskedFor) {
  run("create table app.parent (id bigint primary key, a bigint, b text)");
  run("create table app.t (id bigint primary key, a bigint references app.parent deferrable "
      "initially deferred, b text)");
  settings_.options["session_replication_role"] = "origin";
  open();
  auto found = apply_->describe(context_, {small_plan("parent"), small_plan()});
  WHERRY_EXPECT_OK(found);
  const auto one = lane();
  StepMaker make;
  const auto insert = [&](std::size_t table, const std::string& id, const std::string& a) {
    const ApplyTable& into = (*found)[table];
    return make.step(StepKind::kInsert, into, {{nullptr, make.row(into, {id, a, "x"})}});
  };
  WHERRY_EXPECT_OK(one->begin(context_));
  WHERRY_EXPECT_OK(one->check(context_));
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{insert(1, "1", "5")}));
  WHERRY_EXPECT_OK(one->mark(context_));
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{insert(1, "2", "6")}));
  const auto refused = one->check(context_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kData);
  EXPECT_EQ(refused.error().native_code, "23503");
  // What was asked has changed nothing: the mark is there, and the parent may still come.
  WHERRY_EXPECT_OK(one->take_back(context_));
  EXPECT_FALSE(one->check(context_).ok());
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{insert(0, "5", "0")}));
  WHERRY_EXPECT_OK(one->check(context_));
  WHERRY_EXPECT_OK(one->execute(context_, std::vector{insert(1, "3", "7"), insert(0, "7", "0")}));
  WHERRY_EXPECT_OK(one->commit(context_, checkpoint(1), {}));
  EXPECT_EQ(value("select string_agg(id::text, ' ' order by id) from app.t"), "1 3");

  const auto failed = change(*one, {insert(1, "9", "99")});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().kind, ErrorKind::kData);
  EXPECT_EQ(failed.error().native_code, "23503");
  WHERRY_EXPECT_OK(change(*one, {insert(1, "4", "5")}));
  EXPECT_EQ(value("select string_agg(id::text, ' ' order by id) from app.t"), "1 3 4");
}

TEST_F(ApplyTest, ATableThatTheTransactionHasMadeTakesRows) {
  const auto one = lane();
  StepMaker make;
  connect::TableAlteration made;
  made.kind = connect::TableAlteration::Kind::kCreate;
  auto plan = small_plan("made");
  made.to = plan;
  const auto steps_of = [&](const connect::TableAlteration& alteration) {
    std::vector<ApplyStep> out;
    const auto statements = apply_->alter(alteration);
    EXPECT_TRUE(statements.ok());
    for (const std::string& sql : *statements) {
      ApplyStep ddl;
      ddl.kind = StepKind::kDdl;
      ddl.statement = sql;
      out.push_back(ddl);
    }
    return out;
  };
  ApplyTable table;
  table.plan = plan;
  table.keys.push_back({{0}, true, true});
  table.identity = {0};
  const auto insert = [&](const ApplyTable& into, const std::vector<std::string>& values) {
    return make.step(StepKind::kInsert, into, {{nullptr, make.row(into, values)}});
  };
  for (const bool is_kept : {false, true}) {
    WHERRY_EXPECT_OK(one->begin(context_));
    WHERRY_EXPECT_OK(one->execute(context_, steps_of(made)));
    WHERRY_EXPECT_OK(one->execute(context_, std::vector{insert(table, {"1", "1", "one"})}));
    if (is_kept) {
      WHERRY_EXPECT_OK(one->commit(context_, checkpoint(1), {}));
    } else {
      WHERRY_EXPECT_OK(one->rollback(context_));
    }
  }
  // Another shape of it, and rows of that, in one transaction.
  auto to = std::make_shared<schema::TablePlan>(*plan);
  schema::ColumnPlan added = to->columns[1];
  added.source_name = added.target_name = "c";
  to->columns.push_back(added);
  connect::TableAlteration altered;
  altered.from = plan;
  altered.to = to;
  altered.origins = {0, 1, 2, std::nullopt};
  ApplyTable next = table;
  next.plan = to;
  auto steps = steps_of(altered);
  steps.push_back(insert(next, {"2", "2", "two", "22"}));
  steps.push_back(make.step(StepKind::kUpdate, next,
                            {{make.row(next, {"1"}), make.row(next, {"1", "-", "-", "11"})}}));
  const auto changed = change(*one, steps);
  WHERRY_EXPECT_OK(changed);
  EXPECT_THAT(changed->back().missing, IsEmpty());
  EXPECT_EQ(value("select string_agg(t::text, ' ' order by id) from app.made t"),
            "(1,1,one,11) (2,2,two,22)");
}

TEST_F(ApplyTest, NobodyRecoversWhileAnEarlierSessionIsThere) {
  const auto one = lane(3);
  WHERRY_EXPECT_OK(apply_->recover(context_, "night"));  // its own lanes do not count
  settings_.options["lock_timeout"] = "1";
  auto other = connector_->open_apply(context_, settings_, {});
  WHERRY_EXPECT_OK(other);
  const auto refused = (*other)->recover(context_, "night");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "apply.still_running");
  EXPECT_EQ(refused.error().kind, ErrorKind::kTransient);
  EXPECT_FALSE((*other)->open_lane(context_, "night", 3).ok());
  WHERRY_EXPECT_OK((*other)->open_lane(context_, "night", 4));
  WHERRY_EXPECT_OK((*other)->recover(context_, "day"));
}

TEST_F(ApplyTest, BackendsThatDieNeitherLoseNorRepeat) {
  run("create table app.t (id bigint primary key, a bigint, b text)");
  run("insert into app.t values (0, 0, 'sum')");
  const ApplyTable table = describe(small_plan());
  std::mt19937 random(20260501);
  for (int round = 0; round < 25; ++round) {
    const auto found = apply_->recover(context_, "night");
    WHERRY_EXPECT_OK(found);
    sequence_ = found->contains(0) ? found->at(0).sequence : 0;
    ASSERT_EQ(value("select a::text || ' ' || (select count(*) - 1 from app.t) from app.t where id "
                    "= 0"),
              std::to_string(sequence_) + ' ' + std::to_string(sequence_));
    auto one = lane();
    const std::uint64_t last = sequence_ + 1 + random() % 20;
    std::atomic<std::uint64_t> reached{sequence_};
    const bool in_one_trip = round % 2 == 0;
    std::thread killer([&, killing = connect_as(settings_)] {
      while (reached < last) std::this_thread::yield();
      OpContext own;
      EXPECT_TRUE(killing
                      ->query(own, "test",
                              "select pg_terminate_backend(pid) from pg_locks where locktype = "
                              "'advisory' and granted and database = (select oid from pg_database "
                              "where datname = current_database())")
                      .ok());
    });
    for (bool is_alive = true; is_alive;) {
      StepMaker make;
      const std::string next = std::to_string(sequence_ + 1);
      const std::vector<ApplyStep> steps = {
          make.step(StepKind::kInsert, table, {{nullptr, make.row(table, {next, "1", "row"})}}),
          make.step(StepKind::kUpdate, table,
                    {{make.row(table, {"0"}), make.row(table, {"0", next, "-"})}})};
      Result<void> done;
      if (in_one_trip) {
        auto outcome = one->apply(context_, steps, checkpoint(sequence_ + 1));
        if (!outcome) done = std::move(outcome).error();
      } else {
        auto begun = one->begin(context_);
        auto executed = one->execute(context_, steps);
        done = executed.ok() ? one->commit(context_, checkpoint(sequence_ + 1), {})
                             : Result<void>(executed.error());
      }
      if (done.ok()) {
        reached = ++sequence_;
      } else {
        EXPECT_EQ(done.error().kind, ErrorKind::kTransient) << done.error().to_paragraph();
        is_alive = false;
        reached = last;
      }
    }
    killer.join();
  }
  EXPECT_GT(sequence_, 25U);
}

class ApplyOfOwnServer : public ApplyTest {
 protected:
  PgCluster& cluster() override {
    if (own_ == nullptr) own_ = std::make_unique<PgCluster>();
    return *own_;
  }
  void TearDown() override {
    apply_.reset();
    admin_.reset();
  }
  void crash() {
    cluster().stop();
    cluster().start();
    settings_.url = cluster().url(database_);
    admin_ = connect_as(settings_);
    open();
  }
  std::unique_ptr<PgCluster> own_;
};

TEST_F(ApplyOfOwnServer, WhatWasConfirmedAndNotDurableIsToldAsLost) {
  run("alter system set wal_writer_delay = '10s'");
  run("select pg_reload_conf()");
  run("create table app.t (id bigint primary key, a bigint, b text)");
  const ApplyTable table = describe(small_plan());
  StepMaker make;
  const auto add = [&](connect::TargetApplier& lane, const std::string& id) {
    return change(
        lane, {make.step(StepKind::kInsert, table, {{nullptr, make.row(table, {id, "1", "x"})}})});
  };
  auto one = lane();
  WHERRY_EXPECT_OK(add(*one, "1"));
  WHERRY_EXPECT_OK(apply_->flush(context_, "night", checkpoint(1)));
  WHERRY_EXPECT_OK(add(*one, "2"));
  one.reset();
  crash();
  ASSERT_EQ(value("select count(*) from app.t"), "1");  // otherwise nothing is shown
  WHERRY_EXPECT_OK(apply_->flush(context_, "night", checkpoint(1)));
  const auto lost = apply_->flush(context_, "night", checkpoint(2));
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(lost.error().code, "apply.checkpoint_lost");

  // What recover() has told stays.
  sequence_ = 1;
  one = lane();
  WHERRY_EXPECT_OK(add(*one, "2"));
  WHERRY_EXPECT_OK(apply_->recover(context_, "night"));
  one.reset();
  crash();
  EXPECT_EQ(value("select count(*) from app.t"), "2");
}

}  // namespace
}  // namespace wherry::postgres::test
