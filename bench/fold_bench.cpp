// Folds made-up TPC-B transactions (three updates of hot and cold keys, one insert) as the apply
// does and prints what that cost as JSON. No database. usage: fold_bench [TRANSACTIONS
// [CHANGES_PER_WINDOW]]
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "engine/changes/window.h"

namespace {

using namespace wherry;
using connect::ChangeKind;

constexpr std::size_t kColumns = 3;

schema::TablePlanPtr plan_of(const char* name) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = plan->target = {"public", name};
  for (const char* column : {"id", "balance", "filler"}) {
    schema::ColumnPlan planned;
    planned.source_name = planned.target_name = column;
    planned.type.kind = schema::TypeKind::kInt64;
    plan->columns.push_back(planned);
  }
  plan->key = {0};
  return plan;
}

Cell number(std::int64_t value) {
  Cell cell;
  std::memset(&cell, 0, sizeof cell);
  cell.kind = CellKind::kInt64;
  cell.state = CellState::kSet;
  cell.payload.i64 = value;
  return cell;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t transactions = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 500'000;
  const std::size_t per_window = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 40'000;
  engine::ApplyProgress progress;
  engine::Routes routes(progress);
  std::vector<connect::ApplyTable> tables;
  std::vector<schema::TableRef> sources;
  for (const char* name : {"accounts", "tellers", "branches", "history"}) {
    connect::ApplyTable table;
    table.plan = plan_of(name);
    table.identity = {0};
    table.keys = {{{0}, true, true}};
    sources.push_back(table.plan->source);
    tables.push_back(std::move(table));
  }
  routes.set(std::move(tables), sources, std::vector<connect::CommitOrder>(4));

  // Rows are made before the clock starts, as a decoder would have made them.
  std::mt19937_64 random(1);
  const std::size_t changes = transactions * 4;
  std::vector<Cell> cells(changes * kColumns);
  for (std::size_t i = 0; i < changes; ++i) {
    static constexpr std::int64_t kRange[] = {100'000, 10, 1};
    const std::int64_t id = i % 4 == 3 ? static_cast<std::int64_t>(i)
                                       : static_cast<std::int64_t>(random() % kRange[i % 4]);
    for (std::size_t c = 0; c < kColumns; ++c) {
      cells[i * kColumns + c] = number(c == 0 ? id : static_cast<std::int64_t>(i));
    }
  }
  engine::Window window;
  engine::StepPlan plan;
  std::size_t rows = 0, steps = 0;
  const double begun = cpu_seconds();
  for (std::size_t i = 0; i < changes; ++i) {
    const Cell* row = &cells[i * kColumns];
    window.add({routes.tables()[i % 4].get(), nullptr, row,
                i % 4 == 3 ? ChangeKind::kInsert : ChangeKind::kUpdate, false, 0});
    if ((i + 1) % per_window != 0 && i + 1 != changes) continue;
    window.plan(engine::StepForm::kFolded, std::nullopt, plan);
    rows += plan.rows.size();
    steps += plan.steps.size();
    window.reset();
  }
  const double spent = cpu_seconds() - begun;
  std::printf(
      "{\"changes\": %zu, \"rows\": %zu, \"steps\": %zu, \"cpu_seconds\": %.3f, "
      "\"changes_per_cpu_second\": %.0f}\n",
      changes, rows, steps, spent, static_cast<double>(changes) / spent);
  return 0;
}
