#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "mapping/pattern.h"
#include "mapping/table_rules.h"

namespace wherry::mapping {
namespace {

ColumnOutcome column_of(const TableRules& rules, const char* name,
                        schema::TypeKind kind = schema::TypeKind::kText) {
  schema::ColumnDef column;
  column.name = name;
  column.type.kind = kind;
  column.native_type = "VARCHAR2(10)";
  return rules.column(column).value();
}

TEST(Pattern, MatchesWildcards) {
  EXPECT_TRUE(matches("%", ""));
  EXPECT_TRUE(matches("%", "ANY"));
  EXPECT_TRUE(matches("A%C", "ABBC"));
  EXPECT_FALSE(matches("A%C", "ABB"));
  EXPECT_TRUE(matches("order_items", "order_items"));
  EXPECT_TRUE(matches("order_items", "orderXitems"));
  EXPECT_FALSE(matches("order[_]items", "orderXitems"));
  EXPECT_TRUE(matches("T[a-c]%", "Tb1"));
  EXPECT_FALSE(matches("T[a-c]%", "Td1"));
  EXPECT_TRUE(matches("[%]", "%"));
  EXPECT_TRUE(matches("a[b", "a[b"));
  EXPECT_TRUE(matches("_", "é"));
  EXPECT_FALSE(matches("__", "é"));
  EXPECT_TRUE(matches("%a%a%a%", "xaaax"));
  EXPECT_FALSE(matches("", "x"));
  EXPECT_FALSE(matches("abc", "ABC"));
}

TEST(Pattern, EscapesAreNoWildcards) {
  EXPECT_EQ(unescaped("a[%]b[_]c[[]d[]]"), "a%b_c[d]");
  EXPECT_EQ(unescaped("[é]_%[ab][a-d]["), "é_%[ab][a-d][");
  EXPECT_EQ(unescaped("[]"), "[]");
  EXPECT_EQ(unescaped(""), "");
  for (const char* some : {"%", "a%", "[%]%", "[a%"}) {
    EXPECT_TRUE(has_percent(some)) << some;
  }
  for (const char* none : {"", "a", "[%]", "a[%]b", "_", "[a%b]"}) {
    EXPECT_FALSE(has_percent(none)) << none;
  }
  EXPECT_TRUE(matches("a[]]b", "a]b"));
}

TEST(Pattern, LongNonMatchesEndQuickly) {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "%a";
  EXPECT_FALSE(matches(pattern + "b", std::string(5000, 'a')));
}

/// What the documentation says of patterns, one element after the other and without any haste.
bool matches_slowly(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '%') {
    return matches_slowly(pattern.substr(1), name) ||
           (!name.empty() && matches_slowly(pattern, name.substr(1)));
  }
  const std::size_t close = pattern.front() == '[' ? pattern.find(']', 2) : std::string_view::npos;
  if (name.empty()) return false;
  if (close == std::string_view::npos) {
    return (pattern.front() == '_' || pattern.front() == name.front()) &&
           matches_slowly(pattern.substr(1), name.substr(1));
  }
  bool is_in = false;
  const std::string_view set = pattern.substr(1, close - 1);
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      is_in = is_in || (set[i] <= name.front() && name.front() <= set[i + 2]);
      i += 2;
    } else {
      is_in = is_in || set[i] == name.front();
    }
  }
  return is_in && matches_slowly(pattern.substr(close + 1), name.substr(1));
}

TEST(Pattern, MatchesWhatASlowModelMatches) {
  std::mt19937 random(20251201);
  const auto made = [&](std::string_view alphabet, std::size_t most) {
    std::string out(random() % (most + 1), ' ');
    for (char& c : out) c = alphabet[random() % alphabet.size()];
    return out;
  };
  int found = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string pattern = made("aabc%_[]-", 8), name = made("aabc_[]%", 7);
    const bool expected = matches_slowly(pattern, name);
    ASSERT_EQ(matches(pattern, name), expected) << pattern << " " << name;
    ASSERT_EQ(Pattern(pattern).matches(name), expected) << pattern << " " << name;
    found += expected ? 1 : 0;
  }
  EXPECT_GT(found, 2'000);
}

const char* const kWalkthrough = R"({"rules": [
  {"rule-type": "transformation", "rule-id": "1", "rule-name": "1", "rule-target": "schema",
   "object-locator": {"schema-name": "%"}, "rule-action": "convert-lowercase",
   "value": null, "old-value": null},
  {"rule-type": "transformation", "rule-id": 2, "rule-name": "2", "rule-target": "table",
   "object-locator": {"schema-name": "%", "table-name": "%"}, "rule-action": "convert-lowercase"},
  {"rule-type": "selection", "rule-id": "3", "rule-name": "3", "filters": [],
   "object-locator": {"schema-name": "HR", "table-name": "%"}, "rule-action": "include"}]})";

TEST(Rules, WalkthroughLowersSchemaAndTableButNotColumns) {
  const auto rules = RuleSet::parse(kWalkthrough);
  ASSERT_TRUE(rules.ok()) << rules.error().to_paragraph();
  EXPECT_TRUE(rules->select({"HR", "JOBS"}));
  EXPECT_FALSE(rules->select({"OE", "JOBS"}));
  EXPECT_EQ(rules->of({"HR", "JOBS"}).table().value().target, (schema::TableRef{"hr", "jobs"}));
  EXPECT_EQ(column_of(rules->of({"HR", "JOBS"}), "JOB_ID").target_name, "JOB_ID");
  EXPECT_EQ(rules->named_schemas(), std::vector<std::string>{"HR"});
}

std::string selection(const char* id, const char* action, const char* schema, const char* table,
                      const char* extra = "") {
  return std::string(R"({"rule-type":"selection","rule-id":")") + id + R"(","rule-action":")" +
         action + R"(","object-locator":{"schema-name":")" + schema + R"(","table-name":")" +
         table + "\"}" + extra + "}";
}
std::string transformation(const char* id, const char* target, const char* action,
                           const char* locator, const char* extra = "") {
  return std::string(R"({"rule-type":"transformation","rule-id":")") + id + R"(","rule-target":")" +
         target + R"(","rule-action":")" + action + R"(","object-locator":)" + locator + extra +
         "}";
}
std::string document(std::initializer_list<std::string> rules) {
  std::string out = R"({"rules":[)";
  for (const std::string& rule : rules) out += (out.back() == '[' ? "" : ",") + rule;
  return out + "]}";
}
RuleSet parsed(const std::string& json) {
  auto rules = RuleSet::parse(json);
  EXPECT_TRUE(rules.ok()) << rules.error().to_paragraph();
  return rules.ok() ? *rules : RuleSet::everything();
}

TEST(Rules, ExclusionWinsOverInclusionButNotOverExplicit) {
  const RuleSet rules =
      parsed(document({selection("1", "exclude", "S", "T%"), selection("2", "include", "S", "%"),
                       selection("3", "explicit", "S", "T_1", R"(,"load-order":"7")")}));
  EXPECT_TRUE(rules.select({"S", "A"}));
  EXPECT_FALSE(rules.select({"S", "TX"}));
  EXPECT_EQ(rules.select({"S", "T_1"}), 7);
  EXPECT_FALSE(rules.select({"S", "TX1"}));
}

RuleSet selecting(const std::string& rules) {
  return parsed("{\"rules\": [" + rules + "]}");
}

std::string of_type(int id, const char* action, const char* table, const char* type) {
  const std::string number = std::to_string(id);
  return R"({"rule-type": "selection", "rule-id": ")" + number + R"(", "rule-name": ")" + number +
         R"(", "rule-action": ")" + action +
         R"(", "object-locator": {"schema-name": "S", "table-name": ")" + table +
         R"(", "table-type": ")" + type + R"("}})";
}

TEST(Rules, TableTypeSaysWhatTheNamesAreNamesOf) {
  using schema::TableKind;
  const schema::TableRef name{"S", "X"};
  const auto taken = [&](const char* type, TableKind kind) {
    return selecting(of_type(1, "include", "%", type)).select(name, kind).has_value();
  };
  for (const TableKind kind : {TableKind::kTable, TableKind::kForeignTable}) {
    EXPECT_TRUE(taken("", kind));
    EXPECT_TRUE(taken("table", kind));
    EXPECT_FALSE(taken("view", kind));
    EXPECT_TRUE(taken("all", kind));
  }
  for (const TableKind kind : {TableKind::kView, TableKind::kMaterializedView}) {
    EXPECT_FALSE(taken("table", kind));
    EXPECT_TRUE(taken("view", kind));
    EXPECT_TRUE(taken("all", kind));
  }
}

TEST(Rules, AnExclusionIsOfItsTableTypeAlone) {
  using schema::TableKind;
  const schema::TableRef name{"S", "X"};
  for (const auto& [type, is_table_in, is_view_in] :
       {std::tuple{"table", false, true}, {"view", true, false}, {"all", false, false}}) {
    const RuleSet rules =
        selecting(of_type(1, "include", "%", "all") + "," + of_type(2, "exclude", "X", type));
    EXPECT_EQ(rules.select(name).has_value(), is_table_in) << type;
    EXPECT_EQ(rules.select(name, TableKind::kView).has_value(), is_view_in) << type;
  }
  const RuleSet rules =
      selecting(of_type(1, "exclude", "%", "all") + "," + of_type(2, "explicit", "X", "view"));
  EXPECT_FALSE(rules.select(name));
  EXPECT_TRUE(rules.select(name, TableKind::kView));
  EXPECT_EQ(rules.selecting(name, TableKind::kView), std::vector<std::int64_t>{2});
  EXPECT_TRUE(rules.selecting(name).empty());
}

TEST(Rules, AFilterIsOfItsTableTypeToo) {
  std::string rule = of_type(1, "include", "X", "view");
  rule.insert(rule.size() - 1, R"(, "filters": [{"filter-type": "source", "column-name": "ID",
      "filter-conditions": [{"filter-operator": "null"}]}])");
  const RuleSet rules = selecting(rule + "," + of_type(2, "include", "%", "table"));
  EXPECT_TRUE(rules.row_filter({"S", "X"}).empty());
  EXPECT_EQ(rules.row_filter({"S", "X"}, schema::TableKind::kView).size(), 1U);
}

TEST(Rules, ARuleThatMayHaveMeantAViewIsFound) {
  const schema::TableRef view{"S", "X_1"};
  EXPECT_EQ(selecting(of_type(4, "include", "X_1", "") + "," + of_type(3, "explicit", "X_1", ""))
                .naming_view(view),
            3);
  EXPECT_EQ(selecting(of_type(1, "include", "X[_]1", "")).naming_view(view), 1);
  for (const char* other : {"%", "X%", "Y"}) {
    EXPECT_EQ(selecting(of_type(1, "include", other, "")).naming_view(view), std::nullopt);
  }
  EXPECT_EQ(selecting(of_type(1, "include", "%", "") + "," + of_type(2, "exclude", "X_1", ""))
                .naming_view(view),
            std::nullopt);
  EXPECT_FALSE(selecting(of_type(1, "include", "%", "table")).needs_views());
  EXPECT_TRUE(selecting(of_type(1, "include", "%", "all")).needs_views());
  EXPECT_TRUE(selecting(of_type(1, "include", "X_1", "table")).needs_views());
}

TEST(Rules, TableTypeCountsInSelectionRulesOnly) {
  const std::string rename = R"({"rule-type": "transformation", "rule-id": "2", "rule-name": "2",
      "rule-target": "table", "rule-action": "convert-lowercase",
      "object-locator": {"schema-name": "S", "table-name": "%", "table-type": "view"}})";
  const RuleSet rules = selecting(of_type(1, "include", "%", "all") + "," + rename);
  ASSERT_EQ(rules.warnings().size(), 1U);
  EXPECT_NE(rules.warnings()[0].find("table-type"), std::string::npos);
  EXPECT_EQ(rules.of({"S", "T"}).table()->target.name, "t");
  const auto problems =
      RuleSet::check("{\"rules\": [" + of_type(1, "include", "%", "synonym") + "]}");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].path, "/rules/0/object-locator/table-type");
}

TEST(Rules, LowestIdWinsWhateverThePosition) {
  const char* table = R"({"schema-name":"S","table-name":"T"})";
  const RuleSet rules = parsed(document(
      {selection("9", "include", "%", "%"),
       transformation("5", "table", "add-prefix", table, R"(,"value":"x_")"),
       transformation("4", "table", "rename", table, R"(,"value":"first")"),
       transformation("6", "schema", "add-suffix", R"({"schema-name":"S"})", R"(,"value":"_new")"),
       transformation("7", "column", "replace-prefix",
                      R"({"schema-name":"S","table-name":"T","column-name":"C%"})",
                      R"(,"old-value":"C_","value":"")")}));
  EXPECT_EQ(rules.of({"S", "T"}).table().value().target, (schema::TableRef{"S_new", "first"}));
  EXPECT_EQ(rules.of({"Z", "T"}).table().value().target, (schema::TableRef{"Z", "T"}));
  EXPECT_EQ(column_of(rules.of({"S", "T"}), "C_ID").target_name, "ID");
  EXPECT_EQ(column_of(rules.of({"S", "T"}), "D_ID").target_name, "D_ID");
}

TEST(Rules, NamesAllProblemsWithRuleAndPlace) {
  const auto problems = RuleSet::check(document(
      {selection("1", "include", "S", "%", R"(,"filters":[{"filter-type":"source"}])"),
       selection("1", "Include", "S", "%"), selection("x", "include", "S", ""),
       transformation("4", "column", "change-data-type", R"({"schema-name":"S"})"),
       R"({"rule-type":"validation","rule-id":"5"})", R"({"rule-type":"selection"})", "7"}));
  std::string all;
  for (const Problem& p : problems) all += p.rule_id + " " + p.path + " " + p.message + "\n";
  for (const char* expected :
       {"1 /rules/0/filters a filter needs the exact names",
        "1 /rules/0/filters/0/column-name column-name is missing",
        "1 /rules/0/filters/0/filter-conditions filter-conditions must be an array",
        "1 /rules/1/rule-id rule-id is used twice", "'Include' does not exist; known: include",
        "x /rules/2/rule-id rule-id must be a number",
        "/rules/2/object-locator/table-name table-name is empty",
        "4 /rules/3/data-type data-type is missing",
        "5 /rules/4/object-locator object-locator is missing",
        "/rules/5/rule-id rule-id is missing", "/rules/6 a rule must be an object"}) {
    EXPECT_NE(all.find(expected), std::string::npos) << expected << " in\n" << all;
  }
}

std::string table_settings(const std::string& id, const std::string& table,
                           const std::string& parallel_load) {
  return R"({"rule-type":"table-settings","rule-id":")" + id + R"(","object-locator":)" +
         R"({"schema-name":"S","table-name":")" + table + R"("},"parallel-load":)" + parallel_load +
         "}";
}

TEST(Rules, FiltersOfTheLowestIdCount) {
  const char* const filter =
      R"(,"filters":[{"filter-type":"source","column-name":"A","filter-conditions":[
           {"filter-operator":"ste","value":10},{"filter-operator":"between",
            "start-value":"50","end-value":"75"},{"filter-operator":"notnull"}]}])";
  const char* const other = R"(,"filters":[{"filter-type":"source","column-name":"B",
      "filter-conditions":[{"filter-operator":"null"}]}])";
  const RuleSet rules = parsed(document(
      {selection("7", "include", "S", "T", other), selection("3", "include", "S", "T", filter),
       selection("1", "include", "S", "%"), selection("4", "explicit", "S", "U", other)}));
  const schema::RowFilter found = rules.row_filter({"S", "T"});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].column, "A");
  using enum schema::FilterOperator;
  EXPECT_EQ(found[0].conditions,
            (std::vector<schema::FilterCondition>{
                {kAtMost, "10", ""}, {kBetween, "50", "75"}, {kNotNull, "", ""}}));
  EXPECT_TRUE(rules.row_filter({"S", "U"}).empty()) << "explicit rules have none, as in DMS";
  ASSERT_EQ(rules.warnings().size(), 1U);
  EXPECT_EQ(rules.warnings()[0].substr(0, 9), "rule-id 4");
}

TEST(Rules, FiltersAreCheckedWhole) {
  const auto problems = RuleSet::check(document(
      {selection("1", "include", "S", "T",
                 R"(,"filters":[{"filter-type":"target","column-name":"A","filter-conditions":[
           {"filter-operator":"lessthan","value":1},{"filter-operator":"between","start-value":1},
           {"filter-operator":"eq","values":1},{"filter-operator":"gte","value":[1]}]},7])")}));
  std::string all;
  for (const Problem& p : problems) all += p.path + " " + p.message + "\n";
  const std::string at = "/rules/0/filters/0/";
  for (const std::string& expected :
       {at + "filter-type filter-type must be source",
        at + "filter-conditions/0/filter-operator filter-operator 'lessthan' does not exist",
        at + "filter-conditions/1/end-value end-value is missing",
        at + "filter-conditions/2/values unknown key 'values'; value was probably meant",
        at + "filter-conditions/2/value value is missing",
        at + "filter-conditions/3/value value must be text or a number",
        std::string("/rules/0/filters/1 a filter must be an object")}) {
    EXPECT_NE(all.find(expected), std::string::npos) << expected << " in\n" << all;
  }
}

TEST(Rules, ColumnsAreRemovedAndIncluded) {
  const auto column = [](const char* name) {
    return std::string(R"({"schema-name":"S","table-name":"T","column-name":")") + name + "\"}";
  };
  const RuleSet removed = parsed(document(
      {selection("1", "include", "S", "%"),
       transformation("5", "column", "remove-column", column("OLD%").c_str()),
       transformation("4", "column", "rename", column("OLD_ONE").c_str(), R"(,"value":"kept")"),
       transformation("6", "column", "rename", column("OLD_TWO").c_str(), R"(,"value":"late")")}));
  EXPECT_TRUE(column_of(removed.of({"S", "T"}), "A").is_moved);
  EXPECT_FALSE(column_of(removed.of({"S", "T"}), "OLD_TWO").is_moved);
  EXPECT_TRUE(column_of(removed.of({"S", "U"}), "OLD_TWO").is_moved);
  EXPECT_TRUE(column_of(removed.of({"S", "T"}), "OLD_ONE").is_moved)
      << "one action a column, the lowest id";
  EXPECT_EQ(column_of(removed.of({"S", "T"}), "OLD_ONE").target_name, "kept");
  const RuleSet included =
      parsed(document({selection("1", "include", "S", "%"),
                       transformation("2", "column", "include-column", column("A").c_str()),
                       transformation("3", "column", "include-column", column("B").c_str()),
                       transformation("4", "column", "convert-lowercase", column("%").c_str())}));
  EXPECT_TRUE(column_of(included.of({"S", "T"}), "A").is_moved &&
              column_of(included.of({"S", "T"}), "B").is_moved);
  EXPECT_FALSE(column_of(included.of({"S", "T"}), "C").is_moved);
  EXPECT_TRUE(column_of(included.of({"S", "U"}), "C").is_moved);
  EXPECT_EQ(column_of(included.of({"S", "T"}), "A").target_name, "a");
}

TEST(Rules, KeysAreDefinedForNamedTables) {
  const char* const table = R"({"schema-name":"S","table-name":"T"})";
  const RuleSet rules = parsed(document(
      {selection("1", "include", "S", "%"),
       transformation(
           "2", "table", "define-primary-key", table,
           R"(,"primary-key-def":{"name":"k","origin":"unique-index","columns":["B","A"]})"),
       transformation("3", "table", "convert-lowercase", table)}));
  const TransformationRule* const key = rules.of({"S", "T"}).key();
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->key.name, "k");
  EXPECT_FALSE(key->key.is_primary);
  EXPECT_EQ(key->key.columns, (std::vector<std::string>{"B", "A"}));
  EXPECT_EQ(rules.of({"S", "U"}).key(), nullptr);
  EXPECT_EQ(rules.of({"S", "T"}).table().value().target.name, "t");
  for (const char* wrong :
       {R"({"schema-name":"S","table-name":"%"})", R"({"schema-name":"S","table-name":"U"})"}) {
    const auto problems = RuleSet::check(
        document({selection("1", "include", "S", "%"),
                  transformation("2", "table", "define-primary-key", wrong,
                                 R"(,"primary-key-def":{"origin":"x","columns":["A","A",1]})"),
                  transformation("3", "schema", "remove-column", R"({"schema-name":"S"})")}));
    EXPECT_GE(problems.size(), 4U);
  }
}

const char* const kAnyColumn = R"({"schema-name":"S","table-name":"%","column-name":"%"})";

TEST(Rules, OneActionAColumnAndMasksBesideIt) {
  const RuleSet rules = parsed(document(
      {selection("1", "include", "S", "%"),
       transformation("7", "column", "change-data-type",
                      R"({"schema-name":"S","table-name":"T","column-name":"A"})",
                      R"(,"data-type":{"type":"numeric","precision":"18","scale":4})"),
       transformation("9", "column", "convert-lowercase", kAnyColumn),
       transformation("8", "column", "data-masking-digits-mask", kAnyColumn, R"(,"value":"#")"),
       transformation("12", "column", "data-masking-hash-mask", kAnyColumn)}));
  const ColumnOutcome a = column_of(rules.of({"S", "T"}), "A");
  ASSERT_TRUE(a.type);
  EXPECT_EQ(schema::to_text(*a.type), "numeric(18,4)");
  EXPECT_EQ(a.target_name, "A");
  EXPECT_EQ(a.masking, (schema::Masking{schema::MaskingKind::kDigits, '#'}));
  EXPECT_EQ(a.applied, (std::vector<std::int64_t>{7, 8}));
  EXPECT_EQ(a.passed_over, (std::vector<std::int64_t>{9, 12}));
  const ColumnOutcome b = column_of(rules.of({"S", "T"}), "B");
  EXPECT_FALSE(b.type);
  EXPECT_EQ(b.target_name, "b");
}

TEST(Rules, ColumnsAreFoundByTheirType) {
  for (const char* named : {"string", "STRING", "VARCHAR2(10)", "varchar2"}) {
    const std::string locator =
        std::string(R"({"schema-name":"S","table-name":"%","column-name":"%","data-type":")") +
        named + "\"}";
    const RuleSet rules =
        parsed(document({selection("1", "include", "S", "%"),
                         transformation("2", "column", "change-data-type", locator.c_str(),
                                        R"(,"data-type":{"type":"clob"})")}));
    EXPECT_TRUE(column_of(rules.of({"S", "T"}), "A").type) << named;
    schema::ColumnDef number;
    number.name = "N";
    number.native_type = "NUMBER";
    number.type.kind = schema::TypeKind::kDecimal;
    EXPECT_FALSE(rules.of({"S", "T"}).column(number).value().type) << named;
  }
}

TEST(Rules, ExpressionsMakeNames) {
  const RuleSet rules = parsed(document(
      {selection("1", "include", "S", "%"),
       transformation("2", "schema", "rename", R"({"schema-name":"S"})",
                      R"(,"expression":"lower($AR_M_SOURCE_SCHEMA) || '_new'")"),
       transformation("3", "table", "rename", R"({"schema-name":"S","table-name":"%"})",
                      R"x(,"expression":"substr($AR_M_SOURCE_TABLE_NAME, 3)")x"),
       transformation(
           "4", "column", "rename", kAnyColumn,
           R"(,"expression":"$AR_M_SOURCE_COLUMN_NAME||'_'||$AR_M_SOURCE_COLUMN_DATATYPE")")}));
  const auto outcome = rules.of({"S", "T_ORDERS"}).table().value();
  EXPECT_EQ(outcome.target, (schema::TableRef{"s_new", "ORDERS"}));
  EXPECT_EQ(outcome.applied, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(column_of(rules.of({"S", "T_ORDERS"}), "A").target_name, "A_string");
  const auto empty = rules.of({"S", "T_"}).table();
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.error().code, "mapping.expression");
}

TEST(Rules, ColumnsAreAddedAndBeforeImagesKept) {
  const RuleSet rules = parsed(document(
      {selection("1", "include", "S", "%"),
       transformation("5", "column", "add-column", R"({"schema-name":"S","table-name":"%"})",
                      R"(,"value":"N","expression":"1","data-type":{"type":"int4"})"),
       transformation("4", "column", "add-column", R"({"schema-name":"S","table-name":"T"})",
                      R"(,"value":"N","expression":"$A||'x'","data-type":{"type":"string"})"),
       transformation("6", "column", "add-before-image-columns", kAnyColumn,
                      R"(,"before-image-def":{"column-prefix":"","column-suffix":"_old",
                          "column-filter":"non-lob"})")}));
  ASSERT_EQ(rules.of({"S", "T"}).added().size(), 1U);
  EXPECT_EQ(rules.of({"S", "T"}).added()[0]->id, 4);
  EXPECT_EQ(rules.of({"S", "U"}).added()[0]->id, 5);
  const ColumnOutcome a = column_of(rules.of({"S", "T"}), "A");
  ASSERT_NE(a.before_image, nullptr);
  EXPECT_EQ(a.before_image->suffix, "_old");
  EXPECT_EQ(a.before_image->columns, BeforeImage::Columns::kAllButLobs);
}

TEST(Rules, WhatIsWrongWithValuesIsTold) {
  const auto wrong = [](const char* target, const char* action, const char* locator,
                        const char* more) {
    const auto problems = RuleSet::check(document(
        {selection("1", "include", "S", "%"), transformation("2", target, action, locator, more)}));
    std::string out;
    for (const Problem& problem : problems) out += problem.path + " " + problem.message + "\n";
    return out;
  };
  const char* const table = R"({"schema-name":"S","table-name":"T"})";
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(wrong("column", "add-column", table, R"(,"value":"N")"), "data-type is missing"));
  EXPECT_TRUE(
      has(wrong("column", "add-column", table, R"(,"value":"N","data-type":{"type":"strnig"})"),
          "string was probably meant"));
  EXPECT_TRUE(
      has(wrong("column", "add-column", table, R"(,"value":"N","data-type":{"type":"map"})"),
          "no table has columns of type map"));
  EXPECT_TRUE(has(wrong("column", "add-column", table,
                        R"(,"value":"N","data-type":{"type":"numeric","precision":39})"),
                  "/rules/1/data-type numeric(39,0) is no type"));
  EXPECT_TRUE(has(wrong("column", "add-column", table,
                        R"(,"value":"N","data-type":{"type":"string","length":"x"})"),
                  "/rules/1/data-type/length length must be a number"));
  EXPECT_TRUE(has(wrong("column", "add-column", table,
                        R"(,"value":"N","data-type":{"type":"string"},"expression":"$A ||")"),
                  "/rules/1/expression the expression cannot be computed"));
  EXPECT_TRUE(has(wrong("column", "add-column", table,
                        R"(,"value":"N","data-type":{"type":"string"},"expression":"$AR_H_NO")"),
                  "$AR_H_NO does not exist"));
  EXPECT_TRUE(has(
      wrong("column", "add-column", kAnyColumn, R"(,"value":"N","data-type":{"type":"string"})"),
      "/rules/1/object-locator/column-name"));
  EXPECT_TRUE(
      has(wrong("table", "rename", table, R"(,"expression":"$A")"), "a name can be made of"));
  EXPECT_TRUE(has(wrong("table", "add-prefix", table, R"(,"value":"x","expression":"1")"),
                  "only rename and add-column"));
  EXPECT_TRUE(has(wrong("column", "data-masking-digits-mask", kAnyColumn, R"(,"value":"ab")"),
                  "one character of ASCII"));
  EXPECT_TRUE(has(wrong("column", "data-masking-digits-mask", kAnyColumn, ""), "value is missing"));
  EXPECT_TRUE(has(wrong("column", "add-before-image-columns", kAnyColumn,
                        R"(,"before-image-def":{"column-prefix":""})"),
                  "both empty"));
  EXPECT_TRUE(has(wrong("column", "add-before-image-columns", kAnyColumn,
                        R"(,"before-image-def":{"column-filter":"pkonly"})"),
                  "pk-only was probably meant"));
}

TEST(Rules, TablespacesAreNamedByThoseOfTheSource) {
  const auto rule = [](const char* target, const char* locator, const char* action) {
    return fmt::format(R"({{"rules":[
        {{"rule-type":"selection","rule-id":1,"rule-action":"include",
         "object-locator":{{"schema-name":"S","table-name":"%"}}}},
        {{"rule-type":"transformation","rule-id":2,"rule-target":"{}",
         "object-locator":{{"schema-name":"S",{}}},{}}}]}})",
                       target, locator, action);
  };
  const char* rename = R"("rule-action":"rename","value":"fast")";
  const auto rules =
      RuleSet::parse(rule("table-tablespace", R"("table-tablespace-name":"USER%")", rename));
  ASSERT_TRUE(rules.ok()) << rules.error().to_paragraph();
  EXPECT_TRUE(rules->needs_tablespaces());
  std::vector<std::int64_t> ids;
  const auto name = [&](const schema::TableRef& table, TransformTarget of, const char* source) {
    return *rules->of(table).tablespace(of, source, ids);
  };
  using Target = TransformTarget;
  EXPECT_EQ(name({"S", "T"}, Target::kTableTablespace, "USERS"), "fast");
  EXPECT_EQ(ids, std::vector<std::int64_t>{2});
  EXPECT_EQ(name({"S", "T"}, Target::kTableTablespace, "DATA"), "");
  EXPECT_EQ(name({"S", "T"}, Target::kTableTablespace, ""), "");
  EXPECT_EQ(name({"S", "T"}, Target::kIndexTablespace, "USERS"), "");
  EXPECT_EQ(name({"OTHER", "T"}, Target::kTableTablespace, "USERS"), "");
  EXPECT_FALSE(RuleSet::parse(rule("table-tablespace", R"("table-name":"%")", rename)).ok());
  EXPECT_FALSE(
      RuleSet::parse(rule("index-tablespace", R"("table-tablespace-name":"A")", rename)).ok());
  EXPECT_FALSE(
      RuleSet::parse(rule("index-tablespace",
                          R"("index-tablespace-name":"A","table-tablespace-name":"A")", rename))
          .ok());
}

TEST(Rules, RulesForOtherTargetsAreReadAndPassedOver) {
  const char* const locator = R"("object-locator":{"schema-name":"S","table-name":"T"})";
  const RuleSet rules = parsed(
      document({selection("1", "include", "S", "%"),
                std::string(R"({"rule-type":"object-mapping","rule-id":"2","rule-name":"o",
           "rule-action":"map-record-to-record","target-table-name":"topic",
           "mapping-parameters":{"partition-key-type":"schema-table"},)") +
                    locator + "}",
                std::string(R"x({"rule-type":"validation","rule-id":"3","rule-target":"column",
           "rule-action":"override-validation-function","source-function":"trim(${column-name})",
           "target-function":"${column-name}",)x") +
                    locator + "}",
                std::string(R"({"rule-type":"post-processing","rule-id":"4","rule-action":"add-tag",
           "rule-target":"table",)") +
                    locator + "}"}));
  ASSERT_EQ(rules.object_mappings().size(), 1U);
  EXPECT_EQ(rules.object_mappings()[0].parameters_json, R"({"partition-key-type":"schema-table"})");
  EXPECT_EQ(rules.warnings().size(), 3U);
}

TEST(Rules, TableSettingsSayHowATableIsCut) {
  const auto rules = RuleSet::parse(document(
      {selection("1", "include", "S", "%"),
       table_settings("9", "T", R"({"type":"partitions-auto"})"),
       table_settings("2", "T",
                      R"({"type":"ranges","columns":["A","B"],)"
                      R"("boundaries":[["3","x"],[7,"y"]]})"),
       table_settings("3", "U", R"({"type":"partitions-list","partitions":["P1","P2"]})")}));
  ASSERT_TRUE(rules.ok()) << rules.error().to_paragraph();
  const auto cut = rules->parallel_load({"S", "T"});
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->type, schema::ParallelLoadType::kRanges);
  EXPECT_EQ(cut->columns, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(cut->boundaries, (std::vector<std::vector<std::string>>{{"3", "x"}, {"7", "y"}}));
  EXPECT_EQ(rules->parallel_load({"S", "U"})->partitions, (std::vector<std::string>{"P1", "P2"}));
  EXPECT_FALSE(rules->parallel_load({"S", "t"}));
}

TEST(Rules, AnEscapedNameIsAnExactOne) {
  const char* const filter = R"(,"filters":[{"filter-type":"source","column-name":"ID",
      "filter-conditions":[{"filter-operator":"null"}]}])";
  const auto rules =
      RuleSet::parse(document({selection("1", "include", "S", "100[%]", filter),
                               table_settings("2", "100[%]", R"({"type":"partitions-auto"})"),
                               table_settings("3", "a_b", R"({"type":"partitions-auto"})")}));
  ASSERT_TRUE(rules.ok()) << rules.error().to_paragraph();
  EXPECT_TRUE(rules->parallel_load({"S", "100%"}));
  EXPECT_FALSE(rules->parallel_load({"S", "1000"}));
  EXPECT_EQ(rules->row_filter({"S", "100%"}).size(), 1U);
  EXPECT_TRUE(rules->parallel_load({"S", "a_b"}));
  EXPECT_FALSE(rules->parallel_load({"S", "aXb"}));
  EXPECT_FALSE(RuleSet::parse(document({selection("1", "include", "S", "100%", filter)})).ok());
}

TEST(Rules, TableSettingsThatCannotBeCarriedOutAreRefused) {
  const auto problems = RuleSet::check(document(
      {selection("1", "include", "S", "%"), table_settings("2", "T%", R"({"type":"none"})"),
       table_settings("3", "T", R"({"type":"hash"})"),
       table_settings("4", "T", R"({"type":"ranges","columns":["A"],"boundaries":[["1","2"]]})"),
       table_settings("5", "T", R"({"type":"partitions-list"})"),
       table_settings("6", "T", R"({"type":"ranges","columns":["A"]})"),
       table_settings("7", "T", R"({"type":"none","speed":1})")}));
  std::string all;
  for (const Problem& p : problems) all += p.rule_id + " " + p.path + " " + p.message + "\n";
  for (const char* expected :
       {"2 /rules/1/object-locator Exact schema and table name required",
        "3 /rules/2/parallel-load/type type 'hash' does not exist",
        "4 /rules/3/parallel-load/boundaries every boundary needs as many values",
        "5 /rules/4/parallel-load/partitions", "6 /rules/5/parallel-load/boundaries ranges need",
        "7 /rules/6/parallel-load/speed unknown key"}) {
    EXPECT_NE(all.find(expected), std::string::npos) << expected << " in\n" << all;
  }
  EXPECT_EQ(problems.size(), 6U) << all;
}

TEST(Rules, LobSettingsOfATable) {
  const auto with = [](const std::string& settings) {
    return RuleSet::parse(
        R"({"rules":[{"rule-type":"selection","rule-id":"1","rule-name":"1","rule-action":"include",
        "object-locator":{"schema-name":"S","table-name":"%"}},
        {"rule-type":"table-settings","rule-id":"2","rule-name":"2",
        "object-locator":{"schema-name":"S","table-name":"T"},"lob-settings":)" +
        settings + "}]}");
  };
  const auto limited = with(R"({"bulk-max-size":"16"})");
  ASSERT_TRUE(limited.ok()) << limited.error().to_paragraph();
  EXPECT_EQ(limited->lob_setting({"S", "T"})->max_bytes, 16384U);
  EXPECT_FALSE(limited->lob_setting({"S", "U"}));
  EXPECT_EQ(with(R"({"mode":"unlimited","bulk-max-size":0})")->lob_setting({"S", "T"})->max_bytes,
            0U);
  EXPECT_EQ(
      with(R"({"mode":"unlimited","bulk-max-size":"64"})")->lob_setting({"S", "T"})->inline_bytes,
      65536U);
  EXPECT_FALSE(with(R"({"mode":"none"})")->lob_setting({"S", "T"}));
  EXPECT_FALSE(with(R"({"mode":"none","bulk-max-size":"16"})")->lob_setting({"S", "T"}));
  for (const char* wrong :
       {R"({"mode":"limited"})", R"({"mode":"some"})", R"(7)",
        R"({"mode":"limited","bulk-max-size":200000})", R"({"size":1})",
        R"({"mode":"limited","bulk-max-size":"12abc"})", R"({"mode":"limited","bulk-max-size":0})",
        R"({"mode":"unlimited","bulk-max-size":-1})",
        R"({"mode":"unlimited","bulk-max-size":true})"}) {
    EXPECT_FALSE(with(wrong).ok()) << wrong;
  }
}

TEST(Rules, SyntaxErrorsNameLineAndColumn) {
  const auto rules = RuleSet::parse("{\"rules\": [\n  {\"rule-type\" \"selection\"}]}");
  ASSERT_FALSE(rules.ok());
  EXPECT_EQ(rules.error().code, "mapping.syntax");
  EXPECT_NE(rules.error().message.find("line 2, column "), std::string::npos)
      << rules.error().message;
}

TEST(Rules, ANumberThatIsTooLargeIsASyntaxError) {
  const auto rules = RuleSet::parse(R"({"rules": [1e999]})");
  ASSERT_FALSE(rules.ok());
  EXPECT_EQ(rules.error().code, "mapping.syntax");
}

TEST(Rules, ADocumentNeedsASelection) {
  EXPECT_FALSE(RuleSet::parse(R"({"rules":[]})").ok());
  EXPECT_FALSE(RuleSet::parse("[]").ok());
  EXPECT_FALSE(RuleSet::parse("").ok());
  EXPECT_TRUE(RuleSet::everything().select({"A", "B"}));
}

}  // namespace
}  // namespace wherry::mapping
