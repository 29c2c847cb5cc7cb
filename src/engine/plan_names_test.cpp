#include "engine/plan_names.h"

#include <gmock/gmock.h>

#include "engine/test_support.h"

namespace wherry::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// The in-memory target's limit.
constexpr std::size_t kMost = 128;

std::string long_name(const std::string& end, std::size_t bytes = kMost) {
  return std::string(bytes, 'x') + end;
}

std::string rule_of(int id, const std::string& target, const std::string& action,
                    const std::string& locator, const std::string& more) {
  const std::string number = std::to_string(id);
  return R"(, {"rule-type": "transformation", "rule-id": )" + number + R"(, "rule-name": ")" +
         number + R"(", "rule-target": ")" + target + R"(", "rule-action": ")" + action +
         R"(", "object-locator": {)" + locator + "}, " + more + "}";
}

Result<TaskPlan> plan_of(const std::vector<schema::TableDef>& catalogue,
                         const std::string& more = {}) {
  World world;
  WHERRY_ASSIGN(const TaskPlan unused, world.plan());
  WHERRY_ASSIGN(const mapping::RuleSet rules,
                mapping::RuleSet::parse(R"({"rules": [{"rule-type": "selection", "rule-id": 1,
      "rule-name": "1", "rule-action": "include",
      "object-locator": {"schema-name": "%", "table-name": "%"}})" +
                                        more + "]}"));
  return make_plan(catalogue, rules, *world.loader);
}

std::vector<schema::TableDef> tables(const std::vector<schema::TableRef>& names) {
  std::vector<schema::TableDef> out;
  for (const schema::TableRef& name : names) {
    out.push_back(table_def(name.name));
    out.back().table.schema = name.schema;
  }
  return out;
}

std::string refusal_of(const TaskPlan& plan, const std::string& table) {
  for (const RefusedTable& refused : plan.refused) {
    if (refused.table.name == table) return refused.error.to_paragraph();
  }
  return "not refused";
}

TEST(PlanNames, AreCutAtTheBorderOfACharacter) {
  EXPECT_EQ(cut_name("abc", 3), "abc");
  EXPECT_EQ(cut_name("abcd", 3), "abc");
  EXPECT_EQ(cut_name("aä€", 3), "aä");
  EXPECT_EQ(cut_name("aä€", 5), "aä");
  EXPECT_EQ(cut_name("aä€", 6), "aä€");
  EXPECT_EQ(cut_name("🚣", 3), "");
  EXPECT_EQ(key_name_for("table", true, 0, 63), "table_pkey");
  EXPECT_EQ(key_name_for("tablä", false, 2, 11), "tablä_key2");
  EXPECT_EQ(key_name_for("tablä", false, 2, 10), "tabl_key2");
}

TEST(PlanNames, ALongNameIsToldWithItsBytesAndWhatItWouldBeCutTo) {
  const auto plan = plan_of(tables({{"S", "FINE"}, {"S", long_name("yz")}}));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  ASSERT_EQ(plan->refused.size(), 1U);
  EXPECT_EQ(plan->refused[0].error.code, "plan.bad_name");
  EXPECT_THAT(plan->refused[0].error.to_paragraph(),
              AllOf(HasSubstr("table " + long_name("yz") + " has 130 bytes"),
                    HasSubstr("would be cut to " + long_name("") + " ("), HasSubstr("Rename")));
}

TEST(PlanNames, TablesThatWouldBeOneAreAllNamedInEachRefusal) {
  const std::vector<std::string> names = {long_name("a"), long_name("b"), long_name("c")};
  const auto plan = plan_of(tables({{"S", names[0]},
                                    {"S", names[1]},
                                    {"S", names[2]},
                                    {"S", long_name("")},
                                    {"OTHER", long_name("d")}}));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  ASSERT_EQ(plan->refused.size(), 4U);
  for (const std::string& name : names) {
    const std::string text = refusal_of(*plan, name);
    EXPECT_THAT(text, HasSubstr("plan.cut_names_collide"));
    for (const std::string& other : names) EXPECT_THAT(text, HasSubstr("S." + other));
    EXPECT_THAT(text, HasSubstr("name of S." + long_name("") + ", ")) << "one that fits counts";
  }
  EXPECT_THAT(refusal_of(*plan, long_name("d")), HasSubstr("plan.bad_name"));
  ASSERT_EQ(plan->tables.size(), 1U) << "what fits is moved";
}

TEST(PlanNames, NamesThatRulesMakeCountAsWell) {
  const auto plan =
      plan_of(tables({{"S", std::string(120, 'x') + "1"}, {"S", std::string(120, 'x') + "2"}}),
              rule_of(2, "table", "add-prefix", R"("schema-name": "%", "table-name": "%")",
                      R"("value": "archive_")"));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  ASSERT_EQ(plan->refused.size(), 2U);
  EXPECT_THAT(refusal_of(*plan, std::string(120, 'x') + "1"),
              AllOf(HasSubstr("table archive_xxx"), HasSubstr("129 bytes"),
                    HasSubstr("plan.cut_names_collide"),
                    HasSubstr("the name of S." + std::string(120, 'x') + "2")));
}

TEST(PlanNames, SchemasThatWouldBeOne) {
  const auto plan = plan_of(tables({{long_name("1"), "T"}, {long_name("2"), "U"}, {"FINE", "V"}}));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  ASSERT_EQ(plan->refused.size(), 2U);
  EXPECT_THAT(refusal_of(*plan, "T"),
              AllOf(HasSubstr("schema " + long_name("1")), HasSubstr("plan.cut_names_collide"),
                    HasSubstr("the name of " + long_name("2"))));
}

TEST(PlanNames, AllColumnsOfATableAreToldAtOnce) {
  schema::TableDef def = table_def("T");
  for (const char* end : {"a", "b"})
    def.columns.push_back(column(long_name(end), TypeKind::kInt64));
  def.columns.push_back(column(std::string(130, 'q'), TypeKind::kInt64));
  const auto plan = plan_of({def});
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  EXPECT_THAT(
      refusal_of(*plan, "T"),
      AllOf(HasSubstr("plan.cut_names_collide"),
            HasSubstr("column " + long_name("a") + " has 129 bytes"),
            HasSubstr("the name of " + long_name("b")), HasSubstr("the name of " + long_name("a")),
            HasSubstr("column " + std::string(130, 'q') + " has 130 bytes")));
}

TEST(PlanNames, ColumnsOfOneNameAreToldForAllTablesAtOnce) {
  std::vector<schema::TableDef> catalogue = tables({{"S", "A"}, {"S", "B"}, {"S", "C"}});
  catalogue[2].columns.resize(1);
  catalogue[2].keys.clear();
  const auto plan = plan_of(catalogue, rule_of(2, "column", "rename",
                                               R"("schema-name": "%", "table-name": "%",
                                                  "column-name": "%")",
                                               R"("value": "same")"));
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, "plan.name_collision");
  EXPECT_THAT(plan.error().to_paragraph(),
              AllOf(HasSubstr("columns ID, NAME and AMOUNT would all become same in S.A"),
                    HasSubstr("would all become same in S.B"), Not(HasSubstr("S.C"))));
}

/// What a rule names a table's key.
std::string key_rule(int id, const std::string& table, const std::string& name) {
  return rule_of(id, "table", "define-primary-key",
                 R"("schema-name": "S", "table-name": ")" + table + "\"",
                 R"("primary-key-def": {"name": ")" + name + R"(", "columns": ["ID"]})");
}

std::map<std::string, std::string> key_names(const TaskPlan& plan) {
  std::map<std::string, std::string> out;
  for (const TableTask& task : plan.tables) out[task.plan->source.name] = task.plan->key_name;
  return out;
}

TEST(PlanNames, AKeyGetsANameThatIsNotTaken) {
  const std::string stem(123, 'x');
  const auto plan = plan_of(tables({{"S", "T"},
                                    {"S", "T_pkey"},
                                    {"S", stem + "aaaaa"},
                                    {"S", stem + "bbbbb"},
                                    {"OTHER", stem + "ccccc"}}));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  EXPECT_TRUE(plan->refused.empty());
  auto names = key_names(*plan);
  EXPECT_EQ(names["T"], "T_pkey1");
  EXPECT_EQ(names["T_pkey"], "T_pkey_pkey");
  EXPECT_EQ(names[stem + "aaaaa"], stem + "_pkey");
  EXPECT_EQ(names[stem + "bbbbb"], std::string(122, 'x') + "_pkey1");
  EXPECT_EQ(names[stem + "ccccc"], stem + "_pkey") << "another schema";
  for (const TableTask& task : plan->tables) {
    const bool is_renamed = task.plan->key_name.ends_with("1");
    ASSERT_EQ(task.plan->warnings.size(), is_renamed ? 1U : 0U);
    if (!is_renamed) continue;
    EXPECT_EQ(task.plan->warnings[0].code, "plan.key_renamed");
  }
}

TEST(PlanNames, OneTableThatSeveralComeIntoHasOneKey) {
  const auto plan = plan_of(tables({{"S", "a"}, {"S", "A"}, {"S", "a_pkey"}}),
                            rule_of(2, "table", "convert-lowercase",
                                    R"("schema-name": "S", "table-name": "%")", R"("value": "")"));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  auto names = key_names(*plan);
  EXPECT_EQ(names["a"], "a_pkey1");
  EXPECT_EQ(names["A"], "a_pkey1");
}

TEST(PlanNames, KeysThatRulesNameAlikeAreRefusedAndEachOtherNamed) {
  const auto plan =
      plan_of(tables({{"S", "A"}, {"S", "B"}, {"S", "C"}, {"S", "D"}}),
              key_rule(2, "A", "mine") + key_rule(3, "B", "mine") + key_rule(4, "C", "D"));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  ASSERT_EQ(plan->refused.size(), 3U);
  EXPECT_THAT(refusal_of(*plan, "A"),
              AllOf(HasSubstr("plan.key_name_taken"), HasSubstr("the key of S.B")));
  EXPECT_THAT(refusal_of(*plan, "B"), HasSubstr("the key of S.A"));
  EXPECT_THAT(refusal_of(*plan, "C"), HasSubstr("table S.D"));
  ASSERT_EQ(plan->tables.size(), 1U);
  const auto cut = plan_of(tables({{"S", "A"}, {"S", "B"}}),
                           key_rule(2, "A", long_name("1")) + key_rule(3, "B", long_name("2")));
  ASSERT_EQ(cut->refused.size(), 2U);
  EXPECT_THAT(refusal_of(*cut, "A"),
              AllOf(HasSubstr("plan.cut_names_collide"), HasSubstr("key " + long_name("1")),
                    HasSubstr("the key of S.B")));
}

}  // namespace
}  // namespace wherry::engine
