#include "engine/test_support.h"

namespace wherry::engine {
namespace {

std::string rules(const std::string& more) {
  return R"({"rules": [{"rule-type": "selection", "rule-id": 1, "rule-name": "1",
      "object-locator": {"schema-name": "%", "table-name": "%"}, "rule-action": "include"})" +
         more + "]}";
}

std::string transformation(int id, const char* target, const char* action, const char* table,
                           const char* column, const char* value) {
  std::string locator = R"({"schema-name": "%")";
  if (*table != '\0') locator += std::string(R"(, "table-name": ")") + table + "\"";
  if (*column != '\0') locator += std::string(R"(, "column-name": ")") + column + "\"";
  return R"(, {"rule-type": "transformation", "rule-id": )" + std::to_string(id) +
         R"(, "rule-name": ")" + std::to_string(id) + R"(", "rule-target": ")" + target +
         R"(", "rule-action": ")" + action + R"(", "value": ")" + value +
         R"(", "object-locator": )" + locator + "}}";
}

std::vector<std::string> names(const TaskPlan& plan) {
  std::vector<std::string> out;
  for (const TableTask& task : plan.tables) out.push_back(task.plan->source.name);
  return out;
}

TEST(Planner, StartsByLoadOrderThenByName) {
  World world;
  for (const char* name : {"C", "A", "B", "LATE"}) world.source.put(table_def(name), {});
  const auto plan = world.plan(rules(
      R"(, {"rule-type": "selection", "rule-id": 2, "rule-name": "2", "load-order": 5,
          "object-locator": {"schema-name": "S", "table-name": "LATE"}, "rule-action": "include"})"));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  EXPECT_EQ(names(*plan), (std::vector<std::string>{"LATE", "A", "B", "C"}));
}

TEST(Planner, LargerTablesStartFirst) {
  World world;
  std::vector<schema::TableDef> catalogue = {table_def("A"), table_def("B"), table_def("C")};
  catalogue[1].estimated_bytes = 500;
  catalogue[2].estimated_bytes = 900;
  ASSERT_TRUE(world.plan().ok());
  const auto plan = make_plan(catalogue, mapping::RuleSet::everything(), *world.loader);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(names(*plan), (std::vector<std::string>{"C", "B", "A"}));
}

TEST(Planner, CarriesRenamedColumnsTypesAndKey) {
  World world;
  schema::TableDef def = table_def("T");
  def.columns[1].type.blank_padded = true;
  def.keys = {{"UQ", {"AMOUNT"}, false}, {"PK", {"ID", "NAME"}, true}};
  world.source.put(def, {});
  const auto plan = world.plan(rules(transformation(2, "schema", "rename", "", "", "shop") +
                                     transformation(3, "table", "convert-lowercase", "%", "", "") +
                                     transformation(4, "column", "add-prefix", "%", "N%", "c_")));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  const schema::TablePlan& table = *plan->tables[0].plan;
  EXPECT_EQ(table.target, (schema::TableRef{"shop", "t"}));
  EXPECT_EQ(table.columns[1].target_name, "c_NAME");
  EXPECT_TRUE(table.columns[1].trim_blanks);
  EXPECT_TRUE(table.columns[0].not_null);
  EXPECT_EQ(table.columns[2].target_type, "decimal");
  EXPECT_EQ(table.key, (std::vector<std::size_t>{0, 1}));
  EXPECT_TRUE(table.key_is_primary);
  EXPECT_EQ(table.key_name, "t_pkey");
}

TEST(Planner, TablesOfOneNameComeIntoOneAndTheWarningNamesAll) {
  World world;
  world.source.put(table_def("Orders"), {});
  world.source.put(table_def("ORDERS"), {});
  world.source.put(table_def("OTHER"), {});
  schema::TableDef odd = table_def("ORDErs");
  odd.columns.pop_back();
  world.source.put(odd, {});
  const auto plan = world.plan(rules(transformation(2, "table", "convert-lowercase", "%", "", "")));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  ASSERT_EQ(plan->refused.size(), 1U);
  EXPECT_EQ(plan->refused[0].error.code, "plan.shared_target_differs");
  ASSERT_EQ(plan->tables.size(), 3U);
  for (const TableTask& task : plan->tables) {
    const bool is_shared = task.plan->target.name == "orders";
    EXPECT_EQ(task.plan->shares_target, is_shared);
    ASSERT_EQ(task.plan->warnings.empty(), !is_shared);
    if (!is_shared) continue;
    EXPECT_EQ(task.plan->warnings[0].code, "plan.shared_target");
    for (const char* name : {"S.Orders", "S.ORDERS", "S.orders"}) {
      EXPECT_NE(task.plan->warnings[0].text.find(name), std::string::npos);
    }
  }
}

TEST(Planner, RefusesTwoColumnsOfOneNameAndNamesBoth) {
  World world;
  world.source.put(table_def("T"), {});
  const auto plan = world.plan(rules(transformation(2, "column", "rename", "T", "NAME", "ID")));
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, "plan.name_collision");
  EXPECT_NE(plan.error().message.find("NAME"), std::string::npos);
  EXPECT_NE(plan.error().to_paragraph().find("S.T"), std::string::npos);
}

TEST(Planner, LeavesOutWhatCannotTravelAndSaysSo) {
  World world;
  schema::TableDef def = table_def("T");
  def.columns.push_back(column("TOTAL", TypeKind::kInt64));
  def.columns.back().is_generated = true;
  def.columns.push_back(column("SHAPE", TypeKind::kUnsupported));
  def.columns.back().native_type = "SDO_GEOMETRY";
  def.keys = {{"PK", {"ID", "SHAPE"}, true}};
  world.source.put(def, {});
  const auto plan = world.plan();
  ASSERT_TRUE(plan.ok());
  const schema::TablePlan& table = *plan->tables[0].plan;
  EXPECT_EQ(table.columns.size(), 3U);
  EXPECT_TRUE(table.key.empty());
  std::string warnings;
  for (const auto& warning : table.warnings) warnings += warning.text + "\n";
  for (const char* part : {"TOTAL", "SDO_GEOMETRY", "PK"}) {
    EXPECT_NE(warnings.find(part), std::string::npos) << part << " in " << warnings;
  }
}

TEST(Planner, RefusesATableWithoutColumnsAndGoesOn) {
  World world;
  schema::TableDef def = table_def("BAD", false);
  for (schema::ColumnDef& each : def.columns) each.type.kind = TypeKind::kUnsupported;
  world.source.put(def, {});
  world.source.put(table_def("GOOD"), {});
  const auto plan = world.plan();
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->refused.size(), 1U);
  EXPECT_EQ(plan->refused[0].table.name, "BAD");
  EXPECT_EQ(names(*plan), std::vector<std::string>{"GOOD"});
}

TEST(Planner, RangesOverColumnsThatHaveNoneAreRefused) {
  const auto refused = [](const std::string& name) {
    World world;
    schema::TableDef def = table_def("T");
    def.columns.push_back(column("STORY", TypeKind::kClob));
    def.columns.push_back(column("RATIO", TypeKind::kFloat64));
    world.source.put(def);
    const auto plan = world.plan(R"({"rules":[{"rule-type":"selection","rule-id":"1",
        "rule-name":"1","rule-action":"include","object-locator":{"schema-name":"S",
        "table-name":"T"}},{"rule-type":"table-settings","rule-id":"2","rule-name":"2",
        "object-locator":{"schema-name":"S","table-name":"T"},"parallel-load":{"type":"ranges",
        "columns":["ID",")" + name +
                                 R"("],"boundaries":[["5","5"]]}}]})");
    EXPECT_TRUE(plan.ok()) << plan.error().to_paragraph();
    return plan->refused.empty() ? std::string() : plan->refused[0].error.code;
  };
  EXPECT_EQ(refused("AMOUNT"), "");
  for (const char* wrong : {"amount", "STORY", "RATIO"}) {
    EXPECT_EQ(refused(wrong), "plan.bad_ranges") << wrong;
  }
}

TEST(Planner, LeavesControlTablesAlone) {
  World world;
  for (const char* name : {"awsdms_status", "AWSDMS_STATUS", "wherry_checkpoint", "mine"}) {
    world.source.put(table_def(name), {});
  }
  const auto plan = world.plan();
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(names(*plan), std::vector<std::string>{"mine"});
}

TEST(Planner, KeyNamesFitAndStayWholeCharacters) {
  World world;
  std::string name;
  for (int i = 0; i < 62; ++i) name += "ä";
  world.source.put(table_def(name), {});
  const auto plan = world.plan();
  ASSERT_TRUE(plan.ok());
  const std::string& key = plan->tables[0].plan->key_name;
  EXPECT_EQ(key.size(), 127U);
  EXPECT_TRUE(key.ends_with("ä_pkey")) << key;
}

TEST(Planner, ATableWithoutAColumnThatCanBeMovedIsRefusedAlone) {
  World world;
  world.source.put(table_def("FINE"), {});
  schema::TableDef odd;
  odd.table = {"S", "ODD"};
  odd.columns = {column("PICTURE", TypeKind::kUnsupported)};
  world.source.put(odd, {});
  const auto plan = world.plan();
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  EXPECT_EQ(names(*plan), std::vector<std::string>{"FINE"});
  ASSERT_EQ(plan->refused.size(), 1U);
  EXPECT_EQ(plan->refused[0].error.code, "plan.no_columns");
}

TEST(Planner, NamesTheTargetCannotHoldAreRefusedBeforeTheLoad) {
  World world;
  world.source.put(table_def("FINE"), {});
  world.source.put(table_def(std::string(129, 'x')), {});
  world.source.put(table_def("PRE"), {});
  const auto plan = world.plan(R"({"rules": [
      {"rule-type": "selection", "rule-id": 1, "rule-action": "include",
       "object-locator": {"schema-name": "S", "table-name": "%"}},
      {"rule-type": "transformation", "rule-id": 2, "rule-target": "table",
       "rule-action": "remove-prefix", "value": "PRE",
       "object-locator": {"schema-name": "S", "table-name": "%"}}]})");
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  EXPECT_EQ(names(*plan), std::vector<std::string>{"FINE"});
  ASSERT_EQ(plan->refused.size(), 2U);
  for (const RefusedTable& refused : plan->refused) {
    EXPECT_EQ(refused.error.code, "plan.bad_name");
    EXPECT_FALSE(refused.error.hint.empty());
  }
}

}  // namespace
}  // namespace wherry::engine
