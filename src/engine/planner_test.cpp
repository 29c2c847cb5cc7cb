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

/// A table, and a view of it that would have a key and a NOT NULL column if it were one.
std::vector<schema::TableDef> with_view(schema::TableKind kind = schema::TableKind::kView) {
  std::vector<schema::TableDef> out = {table_def("T"), table_def("V")};
  out[1].kind = kind;
  out[1].keys.clear();
  return out;
}

std::string selecting(const char* table, const char* type, const std::string& more = {}) {
  return std::string(R"({"rules": [{"rule-type": "selection", "rule-id": 7, "rule-name": "7",
      "rule-action": "include", "object-locator": {"schema-name": "S", "table-name": ")") +
         table + R"(", "table-type": ")" + type + R"("}})" + more + "]}";
}

Result<TaskPlan> plan_of(const std::vector<schema::TableDef>& catalogue, const std::string& json,
                         const PlanOptions& options = {}) {
  World world;
  WHERRY_ASSIGN(const mapping::RuleSet rules, mapping::RuleSet::parse(json));
  WHERRY_ASSIGN(const TaskPlan unused, world.plan());
  return make_plan(catalogue, rules, *world.loader, options);
}

std::vector<std::string> codes(const schema::PlanWarnings& warnings) {
  std::vector<std::string> out;
  for (const schema::PlanWarning& warning : warnings) out.push_back(warning.code);
  return out;
}

using Codes = std::vector<std::string>;

TEST(Planner, AViewIsAPlainTableWithoutKeyAndNotNull) {
  const auto plan = plan_of(with_view(), selecting("%", "view"));
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  ASSERT_EQ(names(*plan), Codes{"V"});
  const schema::TablePlan& view = *plan->tables[0].plan;
  EXPECT_EQ(plan->tables[0].rules, std::vector<std::int64_t>{7});
  EXPECT_TRUE(view.key.empty());
  for (const schema::ColumnPlan& column : view.columns) EXPECT_FALSE(column.not_null);
  EXPECT_EQ(codes(view.warnings), Codes{"plan.view"});
  EXPECT_TRUE(plan->warnings.empty());
  const auto keyed =
      plan_of(with_view(), selecting("%", "view", R"(, {"rule-type": "transformation", "rule-id": 8,
          "rule-name": "8", "rule-target": "table", "rule-action": "define-primary-key",
          "object-locator": {"schema-name": "S", "table-name": "V"},
          "primary-key-def": {"columns": ["ID"]}})"));
  ASSERT_TRUE(keyed.ok()) << keyed.error().to_paragraph();
  EXPECT_EQ(keyed->tables[0].plan->key, std::vector<std::size_t>{0});
  EXPECT_TRUE(keyed->tables[0].plan->columns[0].not_null);
}

TEST(Planner, ATaskWithChangesLeavesViewsOutAndSaysSo) {
  PlanOptions options;
  options.has_changes = true;
  for (const auto kind : {schema::TableKind::kView, schema::TableKind::kMaterializedView}) {
    const auto plan = plan_of(with_view(kind), selecting("%", "all"), options);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(names(*plan), Codes{"T"});
    ASSERT_EQ(codes(plan->warnings), Codes{"plan.view_without_changes"});
    EXPECT_EQ(plan->warnings[0].rank, schema::WarningRank::kLoss);
    EXPECT_NE(plan->warnings[0].text.find("S.V"), std::string::npos);
  }
  const auto tables = plan_of(with_view(), selecting("%", "table"), options);
  EXPECT_TRUE(tables->warnings.empty());
}

TEST(Planner, ViewsThatTheEndpointWithholdsAreOneWarning) {
  std::vector<schema::TableDef> catalogue;
  for (int i = 0; i < 30; ++i) {
    catalogue.push_back(table_def("V" + std::to_string(100 + i)));
    catalogue.back().kind = schema::TableKind::kView;
    catalogue.back().missing_setting = "Shows=true";
  }
  const auto plan = plan_of(catalogue, selecting("%", "view"));
  EXPECT_TRUE(plan->empty());
  ASSERT_EQ(codes(plan->warnings), Codes{"plan.views_not_exposed"});
  for (const char* part : {"Shows=true", "S.V100", "S.V119 and 10 more"}) {
    EXPECT_NE(plan->warnings[0].text.find(part), std::string::npos) << part;
  }
}

TEST(Planner, ARuleThatNamesAViewAndTakesTablesIsTold) {
  const auto plan = plan_of(with_view(), selecting("V", "table"));
  EXPECT_TRUE(plan->empty());
  ASSERT_EQ(codes(plan->warnings), Codes{"plan.view_not_selected"});
  EXPECT_NE(plan->warnings[0].text.find("rule-id 7 names S.V"), std::string::npos);
  EXPECT_TRUE(plan_of(with_view(), selecting("%", "table"))->warnings.empty());
}

TEST(Planner, AViewIsNotCutByPartitions) {
  const auto cut = [](const std::string& load) {
    return plan_of(with_view(), selecting("%", "view", R"(, {"rule-type": "table-settings",
        "rule-id": 8, "rule-name": "8", "object-locator": {"schema-name": "S", "table-name": "V"},
        "parallel-load": )" + load + "}"));
  };
  for (const char* type : {"partitions-auto", "subpartitions-auto"}) {
    const auto plan = cut(std::string(R"({"type": ")") + type + "\"}");
    ASSERT_EQ(plan->tables.size(), 1U);
    EXPECT_FALSE(plan->tables[0].parallel_load);
    EXPECT_EQ(codes(plan->tables[0].plan->warnings), (Codes{"plan.view", "plan.view_not_cut"}));
  }
  const auto ranges = cut(R"({"type": "ranges", "columns": ["ID"], "boundaries": [["5"]]})");
  ASSERT_EQ(ranges->tables.size(), 1U);
  EXPECT_TRUE(ranges->tables[0].parallel_load);
  const auto listed = cut(R"({"type": "partitions-list", "partitions": ["P"]})");
  ASSERT_EQ(listed->refused.size(), 1U);
  EXPECT_EQ(listed->refused[0].error.code, "plan.view_has_no_partitions");
}

TEST(Planner, AForeignTableIsATableAndTold) {
  const auto plan = plan_of(with_view(schema::TableKind::kForeignTable), selecting("%", "table"));
  ASSERT_EQ(names(*plan), (Codes{"T", "V"}));
  EXPECT_EQ(codes(plan->tables[1].plan->warnings), (Codes{"plan.foreign_table", "plan.no_key"}));
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
