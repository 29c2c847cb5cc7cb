#include <gtest/gtest.h>

#include "mapping/pattern.h"
#include "mapping/rules.h"

namespace wherry::mapping {
namespace {

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

TEST(Pattern, LongNonMatchesEndQuickly) {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "%a";
  EXPECT_FALSE(matches(pattern + "b", std::string(5000, 'a')));
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
  EXPECT_EQ(rules->target_table({"HR", "JOBS"}), (schema::TableRef{"hr", "jobs"}));
  EXPECT_EQ(rules->target_column({"HR", "JOBS"}, "JOB_ID"), "JOB_ID");
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
  EXPECT_EQ(rules.target_table({"S", "T"}), (schema::TableRef{"S_new", "first"}));
  EXPECT_EQ(rules.target_table({"Z", "T"}), (schema::TableRef{"Z", "T"}));
  EXPECT_EQ(rules.target_column({"S", "T"}, "C_ID"), "ID");
  EXPECT_EQ(rules.target_column({"S", "T"}, "D_ID"), "D_ID");
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
       {"1 /rules/0/filters filters are not carried out",
        "1 /rules/1/rule-id rule-id is used twice", "'Include' does not exist; known: include",
        "x /rules/2/rule-id rule-id must be a number",
        "/rules/2/object-locator/table-name table-name is empty",
        "4 /rules/3/rule-action rule-action 'change-data-type' is not carried out",
        "5 /rules/4/rule-type rule-type 'validation'", "/rules/5/rule-id rule-id is missing",
        "/rules/6 a rule must be an object"}) {
    EXPECT_NE(all.find(expected), std::string::npos) << expected << " in\n" << all;
  }
}

std::string table_settings(const std::string& id, const std::string& table,
                           const std::string& parallel_load) {
  return R"({"rule-type":"table-settings","rule-id":")" + id + R"(","object-locator":)" +
         R"({"schema-name":"S","table-name":")" + table + R"("},"parallel-load":)" + parallel_load +
         "}";
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
