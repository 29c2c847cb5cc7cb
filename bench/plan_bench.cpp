// How long it takes to plan 50,000 tables under 2,000 rules, and how much memory: the rules are
// asked for every table and column. Prints a line of JSON; no server is needed.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>

#include "connect/memory/connector.h"
#include "engine/planner.h"

namespace {

using namespace wherry;
using Clock = std::chrono::steady_clock;

constexpr int kSchemas = 50;
constexpr int kTablesOfSchema = 1'000;
constexpr int kColumns = 12;
constexpr int kRules = 2'000;

schema::TableDef table(int schema_number, int number) {
  schema::TableDef out;
  out.table = {fmt::format("SHOP_{:02}", schema_number), fmt::format("TABLE_{:05}", number)};
  for (int i = 0; i < kColumns; ++i) {
    schema::ColumnDef& column = out.columns.emplace_back();
    column.name = fmt::format("COLUMN_{}", i);
    column.native_type = i % 3 == 0 ? "NUMBER(9)" : "VARCHAR2(40)";
    column.type.kind = i % 3 == 0 ? schema::TypeKind::kInt32 : schema::TypeKind::kText;
    column.nullable = i != 0;
  }
  out.keys.push_back({"PK", {"COLUMN_0"}, true});
  return out;
}

std::string locator(const std::string& schema, const std::string& table,
                    const std::string& column = {}) {
  return fmt::format(R"("object-locator":{{"schema-name":"{}","table-name":"{}"{}}})", schema,
                     table, column.empty() ? "" : fmt::format(R"(,"column-name":"{}")", column));
}

/// What documents of that size have: a few rules for everything, and many for one table each, whose
/// names are patterns by their underscores.
std::string rules() {
  std::string out = R"({"rules":[)";
  int id = 0;
  const auto add = [&](const std::string& rule) {
    ++id;
    out += fmt::format(R"({}{{"rule-id":"{}","rule-name":"{}",{}}})", id == 1 ? "" : ",", id, id,
                       rule);
  };
  add(R"("rule-type":"selection","rule-action":"include",)" + locator("SHOP_%", "%"));
  add(R"("rule-type":"transformation","rule-target":"schema","rule-action":"convert-lowercase",)"
      R"("object-locator":{"schema-name":"%"})");
  for (int i = 0; id < kRules - 2; ++i) {
    const std::string schema = fmt::format("SHOP_{:02}", i % kSchemas);
    const std::string name = fmt::format("TABLE_{:05}", 17 * i % kTablesOfSchema);
    switch (i % 4) {
      case 0:
        add(R"("rule-type":"selection","rule-action":"exclude",)" + locator(schema, name + "_OLD"));
        break;
      case 1:
        add(R"("rule-type":"transformation","rule-target":"table","rule-action":"add-prefix",)"
            R"("value":"p_",)" +
            locator(schema, name));
        break;
      case 2:
        add(R"("rule-type":"transformation","rule-target":"column","rule-action":"remove-column",)" +
            locator(schema, name, "COLUMN_5"));
        break;
      default:
        add(R"("rule-type":"transformation","rule-target":"column",)"
            R"("rule-action":"change-data-type","data-type":{"type":"clob"},)" +
            locator(schema, name, "COLUMN_7"));
    }
  }
  add(R"("rule-type":"transformation","rule-target":"table","rule-action":"convert-lowercase",)" +
      locator("%", "%"));
  add(R"("rule-type":"transformation","rule-target":"column","rule-action":"convert-lowercase",)" +
      locator("%", "%", "%"));
  return out + "]}";
}

}  // namespace

int main() {
  std::vector<schema::TableDef> catalogue;
  for (int s = 0; s < kSchemas; ++s) {
    for (int t = 0; t < kTablesOfSchema; ++t) catalogue.push_back(table(s, t));
  }
  memory::MemoryConnector connector;
  connector.create("target");
  OpContext context;
  const auto loader =
      connector.open_loader(context, memory::MemoryConnector::settings("target")).value();
  const std::string document = rules();
  const auto begun = Clock::now();
  const auto parsed = mapping::RuleSet::parse(document);
  if (!parsed.ok()) {
    fmt::print(stderr, "{}\n", parsed.error().to_paragraph());
    return 2;
  }
  const std::size_t count = catalogue.size();
  const auto plan = engine::make_plan(std::move(catalogue), *parsed, *loader);
  const std::chrono::duration<double> seconds = Clock::now() - begun;
  if (!plan.ok() || plan->tables.size() != count) {
    fmt::print(stderr, "{}\n", plan.ok() ? "tables are missing" : plan.error().to_paragraph());
    return 2;
  }
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  fmt::print(R"({{"tables":{},"rules":{},"seconds":{:.3f},"memory_bytes":{}}})"
             "\n",
             count, kRules, seconds.count(), used.ru_maxrss * 1024);
  return 0;
}
