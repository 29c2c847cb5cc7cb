// What it costs to take apart the SQL_REDO of a shop that sells: two updates of balances, an order
// with its line, an update of a line. Google Benchmark; prints JSON with --benchmark_format=json.
// --print-statements prints what is taken apart, a statement a line, for another parser.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/logminer/redo_cell.h"
#include "connect/oracle/logminer/redo_column.h"
#include "connect/oracle/logminer/redo_parser.h"

namespace {

using namespace wherry::oracle;

/// As LogMiner prints them with logging of keys, formats of the mining session set.
std::vector<std::string> statements() {
  std::mt19937 random(1);
  std::vector<std::string> out;
  for (int i = 0; i < 2000; ++i) {
    const unsigned id = random() % 20'000 + 1, amount = random() % 20;
    for (const int sign : {-1, 1}) {
      out.push_back(fmt::format(R"(update "SHOP"."CUSTOMERS" set "BALANCE" = '{}.{}' where )"
                                R"("ID" = '{}' and "BALANCE" = '{}.{}')",
                                1000 + sign * static_cast<int>(amount), random() % 100, id,
                                random() % 1000, random() % 100));
    }
    out.push_back(fmt::format(
        R"(insert into "SHOP"."ORDERS"("ID","CUSTOMER_ID","PLACED","STATE","NOTE") values )"
        R"(('{}','{}',TO_DATE(' 2026-11-30 12:{:02}:{:02}', 'SYYYY-MM-DD HH24:MI:SS'),'new',)"
        R"('it''s order {}'))",
        60'000 + i, id, random() % 60, random() % 60, i));
    out.push_back(fmt::format(R"(insert into "SHOP"."ORDER_LINES"("ORDER_ID","LINE","PRODUCT_ID",)"
                              R"("QUANTITY","PRICE") values ('{}','1','{}','{}','{}.5'))",
                              60'000 + i, random() % 2000, random() % 9, random() % 100));
    out.push_back(fmt::format(R"(update "SHOP"."ORDER_LINES" set "QUANTITY" = '{}' where )"
                              R"("ORDER_ID" = '{}' and "LINE" = '1' and "QUANTITY" = '{}')",
                              random() % 9 + 1, random() % 60'000, random() % 9));
  }
  return out;
}

void parse(benchmark::State& state) {
  const auto all = statements();
  RedoParser parser;
  RedoStatement statement;
  std::size_t next = 0;
  for (auto _ : state) {
    if (!parser.parse(all[next], statement)) state.SkipWithError("a statement is none");
    benchmark::DoNotOptimize(statement);
    next = next + 1 == all.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse);

void parse_with_values(benchmark::State& state) {
  const auto all = statements();
  const auto number = *redo_column_of("NUMBER");
  const auto date = *redo_column_of("DATE");
  const auto text = *redo_column_of("VARCHAR2(20)");
  RedoParser parser;
  RedoStatement statement;
  wherry::Arena arena;
  std::size_t next = 0;
  for (auto _ : state) {
    arena.reset();
    if (!parser.parse(all[next], statement)) state.SkipWithError("a statement is none");
    for (const auto* fields : {&statement.after, &statement.before}) {
      for (const RedoField& field : *fields) {
        const bool is_text = field.column == "STATE" || field.column == "NOTE";
        wherry::Cell cell;
        const auto status = redo_cell(field.value,
                                      is_text                    ? text
                                      : field.column == "PLACED" ? date
                                                                 : number,
                                      {&arena, 0}, cell);
        if (status != RedoValueStatus::kGiven) state.SkipWithError("a value is none");
        benchmark::DoNotOptimize(cell);
      }
    }
    next = next + 1 == all.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(parse_with_values);

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--print-statements") {
    for (const std::string& each : statements()) std::puts(each.c_str());
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
