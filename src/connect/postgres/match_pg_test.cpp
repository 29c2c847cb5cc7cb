// Plans fitted to tables that exist: names, columns, types; all before anything is touched.
#include "connect/postgres/pg_test_support.h"

namespace wherry::postgres::test {
namespace {

using connect::ExistingTable;
using connect::TargetMatch;
using schema::TypeKind;
using ::testing::HasSubstr;

class Match : public PostgresTest {
 protected:
  static std::shared_ptr<schema::TablePlan> upper_plan(const std::string& table = "ORDERS") {
    auto plan = plan_of(table, {{"ID", logical(TypeKind::kInt32)}, {"NAME", text_of(10)}});
    plan->source = plan->target = {"APP", table};
    return plan;
  }
  static schema::LogicalType text_of(std::uint32_t length) {
    schema::LogicalType type = logical(TypeKind::kText);
    type.length_chars = length;
    return type;
  }
  TargetMatch match(const schema::TablePlanPtr& plan,
                    ExistingTable existing = ExistingTable::kKeep) {
    auto matches = loader()->match(context_, {plan}, existing);
    EXPECT_TRUE(matches.ok()) << matches.error().to_paragraph();
    return std::move(matches->front());
  }
  std::string refusal(const schema::TablePlanPtr& plan,
                      ExistingTable existing = ExistingTable::kKeep) {
    const TargetMatch found = match(plan, existing);
    return found.refused ? found.refused->code + ": " + found.refused->to_paragraph() : "";
  }
};

TEST_F(Match, NamesMatchWithoutRegardToCaseWhenOnlyOneDoes) {
  run("create schema app; create table app.orders (id integer, name varchar(7))");
  const TargetMatch found = match(upper_plan());
  ASSERT_FALSE(found.refused.has_value()) << found.refused->to_paragraph();
  EXPECT_TRUE(found.exists);
  EXPECT_EQ(to_text(found.plan->target), "app.orders");
  EXPECT_EQ(found.plan->columns[1].target_name, "name");
  EXPECT_EQ(found.plan->columns[1].target_type, "character varying(7)");
  ASSERT_EQ(found.plan->warnings.size(), 2U);
  EXPECT_THAT(found.plan->warnings[0].text, HasSubstr("APP.ORDERS"));
  EXPECT_THAT(found.plan->warnings[0].text, HasSubstr("app.orders"));
  EXPECT_THAT(found.plan->warnings[1].text, HasSubstr("ID -> id, NAME -> name"));

  RowBatch batch;
  batch.reset(2);
  Cell* row = batch.append_row();
  set_integer(row[0], 1);
  set_text(row[1], "seven", batch.arena());
  WHERRY_EXPECT_OK(load(found.plan, {&batch}, ExistingTable::kKeep));
  EXPECT_EQ(value("select name from app.orders"), "seven");
}

TEST_F(Match, AnExactNameComesBeforeAllOthers) {
  run("create schema app; create schema \"APP\"; create table app.orders (id integer, name text); "
      "create table \"APP\".\"ORDERS\" (\"ID\" integer, \"NAME\" text, name text not null default "
      "'x')");
  const TargetMatch found = match(upper_plan());
  ASSERT_FALSE(found.refused.has_value()) << found.refused->to_paragraph();
  EXPECT_EQ(to_text(found.plan->target), "APP.ORDERS");
  EXPECT_EQ(found.plan->columns[1].target_name, "NAME");
  EXPECT_TRUE(found.plan->warnings.empty());
}

TEST_F(Match, TwoCandidatesAreRefusedByName) {
  run("create schema app; create table app.orders (id integer, name text); "
      "create table app.\"Orders\" (id integer, name text)");
  const std::string text = refusal(upper_plan());
  EXPECT_THAT(text, HasSubstr("postgres.ambiguous_name"));
  EXPECT_THAT(text, HasSubstr("app.Orders"));
  EXPECT_THAT(text, HasSubstr("app.orders"));
  run("drop table app.\"Orders\"; alter table app.orders add \"Name\" text");
  EXPECT_THAT(refusal(upper_plan()), HasSubstr("name, Name"));
}

TEST_F(Match, TwoSourcesForOneTableAreRefusedAndTheExactOneIsNot) {
  run("create schema app; create table app.orders (id integer, name text)");
  auto lower = upper_plan();
  lower->target = {"app", "orders"};
  const auto matches = loader()->match(context_, {upper_plan(), lower}, ExistingTable::kKeep);
  WHERRY_EXPECT_OK(matches);
  ASSERT_TRUE((*matches)[0].refused.has_value());
  EXPECT_EQ((*matches)[0].refused->code, "postgres.ambiguous_name");
  EXPECT_FALSE((*matches)[1].refused.has_value());
}

TEST_F(Match, WhatATableLacksOrWouldNeedIsRefusedBeforeItIsTruncated) {
  run("create schema app; create table app.orders (id integer, must text not null, may text, "
      "with_default integer not null default 7, number bigint generated always as identity, "
      "twice integer generated always as (id * 2) stored)");
  EXPECT_THAT(refusal(upper_plan(), ExistingTable::kTruncate), HasSubstr("lacks columns: NAME"));
  run("alter table app.orders add name text");
  const std::string text = refusal(upper_plan(), ExistingTable::kTruncate);
  EXPECT_THAT(text, HasSubstr("postgres.required_column"));
  EXPECT_THAT(text, HasSubstr("get no value: must"));
  run("create domain app.needed as text not null; alter table app.orders drop must, add d "
      "app.needed");
  EXPECT_THAT(refusal(upper_plan()), HasSubstr("get no value: d"));
  run("alter table app.orders drop d");
  EXPECT_EQ(refusal(upper_plan()), "");
}

TEST_F(Match, IdentityColumnsTakeTheSourcesValuesAndGeneratedOnesAreLeftOut) {
  run("create schema app; create table app.orders (id integer generated always as identity, "
      "name text generated always as ('n' || id) stored)");
  const TargetMatch found = match(upper_plan());
  ASSERT_FALSE(found.refused.has_value()) << found.refused->to_paragraph();
  ASSERT_EQ(found.plan->columns.size(), 1U);
  EXPECT_THAT(found.plan->warnings.back().text, HasSubstr("ID -> id"));
  EXPECT_THAT(found.plan->warnings[1].text, HasSubstr("name is generated on the target"));
  RowBatch batch;
  batch.reset(1);
  set_integer(batch.append_row()[0], 77);
  WHERRY_EXPECT_OK(load(found.plan, {&batch}, ExistingTable::kKeep));
  EXPECT_EQ(value("select id || name from app.orders"), "77n77");
}

TEST_F(Match, APairOfTypesWithoutAFormIsRefusedWithBothTypes) {
  run("create schema app; create table app.orders (id integer, name bytea)");
  const std::string text = refusal(upper_plan(), ExistingTable::kTruncate);
  for (const char* part : {"postgres.no_conversion", "column name", "text(10)", "bytea",
                           "varchar(10) takes every value", "APP.ORDERS"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST_F(Match, TablesThatAreMadeAnewKeepTheirPlans) {
  run("create schema app; create table app.orders (id integer, name bytea)");
  const auto plan = upper_plan();
  for (const auto existing : {ExistingTable::kDrop, ExistingTable::kKeep}) {
    const TargetMatch found =
        match(existing == ExistingTable::kDrop ? plan : upper_plan("OTHER"), existing);
    EXPECT_FALSE(found.exists);
    EXPECT_FALSE(found.refused.has_value());
  }
  EXPECT_EQ(match(plan, ExistingTable::kDrop).plan, plan);
}

TEST_F(Match, ThousandsOfTablesAreMatchedAtOnce) {
  run("create schema app");
  run("do $$ begin for i in 1..2000 loop execute 'create table app.t' || i || ' (id integer, name "
      "text)'; end loop; end $$");
  std::vector<schema::TablePlanPtr> plans;
  for (int i = 1; i <= 2000; ++i) plans.push_back(upper_plan("T" + std::to_string(i)));
  const auto matches = loader()->match(context_, plans, ExistingTable::kKeep);
  WHERRY_EXPECT_OK(matches);
  for (const TargetMatch& found : *matches) {
    ASSERT_TRUE(found.exists && !found.refused) << to_text(found.plan->source);
  }
}

}  // namespace
}  // namespace wherry::postgres::test
