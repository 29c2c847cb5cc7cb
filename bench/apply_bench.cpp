// Applies TPC-B's changes from memory, folded over so many transactions, to a fresh PostgreSQL
// table set of pgbench's shape and prints what that took as JSON: source changes a second, rows
// sent, CPU seconds of this process (the server's are the caller's to measure). usage:
// WHERRY_TARGET_PASSWORD=… apply_bench postgresql://user@host:port/db TRANSACTIONS FOLD ACCOUNTS
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/api/connector.h"
#include "connect/api/url.h"
#include "connect/postgres/connector.h"
#include "core/arena.h"

namespace {

using namespace wherry;
using connect::ApplyRow;
using connect::ApplyStep;
using connect::ApplyTable;
using connect::StepKind;

template <class T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  std::fprintf(stderr, "%s\n", result.error().to_paragraph().c_str());
  std::exit(1);
}
void must(Result<void> result) {
  if (result.ok()) return;
  std::fprintf(stderr, "%s\n", result.error().to_paragraph().c_str());
  std::exit(1);
}

schema::TablePlanPtr plan_of(const char* name, std::size_t columns, bool has_key) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = plan->target = {"apply_bench", name};
  for (std::size_t i = 0; i < columns; ++i) {
    schema::ColumnPlan column;
    column.source_name = column.target_name = "c" + std::to_string(i);
    column.type.kind = schema::TypeKind::kInt32;
    column.target_type = "integer";
    plan->columns.push_back(column);
  }
  if (has_key) plan->key = {0};
  return plan;
}

void set(Cell& cell, std::int64_t value) {
  cell = Cell{};
  cell.kind = CellKind::kInt64;
  cell.state = CellState::kSet;
  cell.payload.i64 = value;
}

/// The net changes of one table.
struct Net {
  const ApplyTable* table = nullptr;
  std::map<std::int64_t, std::int64_t> balances;
};

void add_updates(Net& net, Arena& arena, std::vector<ApplyRow>& rows) {
  const std::size_t columns = net.table->plan->columns.size();
  for (const auto& [id, balance] : net.balances) {
    auto* after = reinterpret_cast<Cell*>(arena.allocate(columns * sizeof(Cell)));
    for (std::size_t i = 0; i < columns; ++i) set(after[i], id);
    set(after[columns - 1], balance);
    rows.push_back({after, after});
  }
  net.balances.clear();
}

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: apply_bench URL TRANSACTIONS FOLD ACCOUNTS\n");
    return 2;
  }
  const int transactions = std::atoi(argv[2]);
  const int fold = std::atoi(argv[3]);
  const std::string accounts = argv[4];
  OpContext context;
  connect::Settings settings;
  settings.url = argv[1];
  settings.control_schema = "apply_bench";
  if (const char* password = std::getenv("WHERRY_TARGET_PASSWORD")) {
    settings.password = Secret(password);
  }
  const auto connector = postgres::make_connector();
  const auto catalog = must(connector->open_catalog(context, settings));
  for (const std::string& sql :
       {std::string("drop schema if exists apply_bench cascade"),
        std::string("create schema apply_bench"),
        std::string("create table apply_bench.branches (c0 integer primary key, c1 integer)"),
        std::string("create table apply_bench.tellers (c0 integer primary key, c1 integer, c2 "
                    "integer)"),
        std::string("create table apply_bench.accounts (c0 integer primary key, c1 integer, c2 "
                    "integer)"),
        std::string("create table apply_bench.history (c0 integer, c1 integer, c2 integer, c3 "
                    "integer)"),
        std::string("insert into apply_bench.branches select i, 0 from generate_series(1, 10) i"),
        std::string("insert into apply_bench.tellers select i, i, 0 from generate_series(1, 100) "
                    "i"),
        "insert into apply_bench.accounts select i, i, 0 from generate_series(1, " + accounts +
            ") i",
        std::string("vacuum analyze")}) {
    must(catalog->execute_ddl(context, sql));
  }
  const auto apply = must(connector->open_apply(context, settings, {}));
  must(apply->recover(context, "bench"));
  const auto tables =
      must(apply->describe(context, {plan_of("branches", 2, true), plan_of("tellers", 3, true),
                                     plan_of("accounts", 3, true), plan_of("history", 4, false)}));
  const auto lane = must(apply->open_lane(context, "bench", 0));

  std::mt19937 random(1);
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(1, n)(random); };
  std::map<std::int64_t, std::int64_t> totals[3];
  Arena arena;
  std::uint64_t rows_sent = 0;
  double wall = 0;
  double cpu = 0;
  for (int done = 0; done < transactions;) {
    // Folding is the engine's work, and not what is measured here.
    arena.reset();
    Net nets[3];
    for (int t = 0; t < 3; ++t) nets[t].table = &tables[static_cast<std::size_t>(t)];
    std::vector<ApplyRow> history;
    const int until = std::min(done + fold, transactions);
    for (; done < until; ++done) {
      const int ids[3] = {below(10), below(100), below(std::atoi(accounts.c_str()))};
      const int delta = below(5000);
      for (int t = 0; t < 3; ++t) nets[t].balances[ids[t]] = totals[t][ids[t]] += delta;
      auto* row = reinterpret_cast<Cell*>(arena.allocate(4 * sizeof(Cell)));
      for (int i = 0; i < 3; ++i) set(row[i], ids[i]);
      set(row[3], delta);
      history.push_back({nullptr, row});
    }
    std::vector<ApplyRow> rows[3];
    std::vector<ApplyStep> steps(4);
    for (std::size_t t = 0; t < 3; ++t) {
      add_updates(nets[t], arena, rows[t]);
      steps[t].kind = StepKind::kUpdate;
      steps[t].table = &tables[t];
      steps[t].rows = rows[t];
      rows_sent += rows[t].size();
    }
    steps[3].table = &tables[3];
    steps[3].rows = history;
    rows_sent += history.size();
    connect::Checkpoint checkpoint;
    checkpoint.position.text = std::to_string(done);
    checkpoint.sequence = static_cast<std::uint64_t>(done);
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = cpu_seconds();
    must(lane->begin(context));
    for (const auto& report : must(lane->execute(context, steps))) {
      if (!report.missing.empty()) std::fprintf(stderr, "rows are missing\n");
    }
    must(lane->commit(context, checkpoint, {}));
    cpu += cpu_seconds() - cpu_start;
    wall += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  const double changes = 4.0 * transactions;
  std::printf(
      "{\"changes\": %.0f, \"rows_sent\": %llu, \"wall_seconds\": %.3f, \"cpu_seconds\": %.3f, "
      "\"changes_per_second\": %.0f}\n",
      changes, static_cast<unsigned long long>(rows_sent), wall, cpu, changes / wall);
  return 0;
}
