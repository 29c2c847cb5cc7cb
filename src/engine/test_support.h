// Two in-memory databases and what the engine's tests do with them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "connect/memory/connector.h"
#include "engine/full_load.h"
#include "engine/planner.h"
#include "engine/validate.h"

namespace wherry::engine {

using memory::Fault;
using memory::Point;
using memory::Row;
using memory::Value;
using schema::TypeKind;

constexpr std::chrono::seconds kDeadline{20};

inline schema::ColumnDef column(std::string name, TypeKind kind, bool nullable = true) {
  schema::ColumnDef out;
  out.name = std::move(name);
  out.type.kind = kind;
  out.native_type = std::string(schema::name_of(kind));
  out.nullable = nullable;
  return out;
}

/// ID (the primary key unless `has_key` is false), NAME, AMOUNT.
inline schema::TableDef table_def(std::string name, bool has_key = true) {
  schema::TableDef def;
  def.table = {"S", std::move(name)};
  def.columns = {column("ID", TypeKind::kInt64, false), column("NAME", TypeKind::kText),
                 column("AMOUNT", TypeKind::kDecimal)};
  if (has_key) def.keys = {{"PK", {"ID"}, true}};
  return def;
}

inline Row sample_row(std::int64_t id) {
  return {Value::integer(id),
          id % 7 == 0 ? Value::null() : Value::text("name " + std::to_string(id)),
          Value::decimal(std::to_string(id * 31 % 1000) + ".25")};
}

inline std::vector<Row> sample_rows(std::int64_t count) {
  std::vector<Row> rows;
  for (std::int64_t id = 1; id <= count; ++id) rows.push_back(sample_row(id));
  return rows;
}

struct CollectedDifferences final : DifferenceSink {
  void on_difference(const Difference& difference) override { all.push_back(difference); }
  std::vector<Difference> all;
};

/// Remembers what it was told, "table: milestone".
struct CollectedMilestones final : LoadJournal {
  Result<void> on_start(const TableTask& task) override {
    {
      std::lock_guard lock(mutex);
      positions[task.plan->source.name].push_back(task.position.text);
      chunks[task.plan->source.name] = task.chunks;
    }
    return add(task, "start");
  }
  Result<void> on_prepared(const TableTask& task) override { return add(task, "prepared"); }
  Result<void> on_commit(const TableTask& task) override { return add(task, "commit"); }
  Result<void> on_loaded(const TableTask& task, const RowCounts&) override {
    return add(task, "loaded");
  }
  Result<void> on_complete(const TableTask& task, const RowCounts&) override {
    return add(task, "complete");
  }
  Result<void> add(const TableTask& task, const std::string& milestone) {
    std::lock_guard lock(mutex);
    all.push_back(task.plan->source.name + ": " + milestone);
    if (milestone == fails_at) return make_error(ErrorKind::kResource, "test.journal", "no space");
    return {};
  }
  [[nodiscard]] std::size_t count(const std::string& milestone) const {
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& entry) {
      return entry.ends_with(": " + milestone);
    }));
  }
  std::mutex mutex;
  std::map<std::string, std::vector<std::string>> positions;  ///< at each start
  std::map<std::string, std::vector<connect::Chunk>> chunks;  ///< as of the last start
  std::vector<std::string> all;
  std::string fails_at;
};

/// A source, a target, and one load or validation between them.
class World {
 public:
  World() : source(connector.create("source")), target(connector.create("target")) {
    options.retry.wait = std::chrono::milliseconds(1);
    options.retry.most_tries = 5;
    options.load_id = "load";
  }

  /// Makes the plan; `json` are mapping rules, all tables when empty.
  Result<TaskPlan> plan(const std::string& json = {}) {
    WHERRY_ASSIGN(const mapping::RuleSet rules,
                  json.empty() ? mapping::RuleSet::everything() : mapping::RuleSet::parse(json));
    WHERRY_ASSIGN(auto catalog, connector.open_catalog(context, settings("source")));
    WHERRY_ASSIGN(const auto tables, catalog->describe_tables(context, {}));
    WHERRY_ASSIGN(loader, connector.open_loader(context, settings("target")));
    PlanOptions plan_options;
    WHERRY_ASSIGN(plan_options.filter_judge, catalog->filter_judge(context));
    WHERRY_ASSIGN(TaskPlan made, make_plan(tables, rules, *loader, plan_options));
    for (TableTask& task : made.tables) {
      schema::TablePlan changed = *task.plan;
      if (change_plan) change_plan(changed);
      task.plan = std::make_shared<const schema::TablePlan>(std::move(changed));
    }
    return made;
  }

  Result<void> load(const std::string& json = {}) {
    WHERRY_ASSIGN(TaskPlan made, plan(json));
    tasks = std::move(made.tables);
    for (TableTask& task : tasks) task.target_existed = target.find(task.plan->target) != nullptr;
    return run_tasks();
  }

  /// What is left of a load() that an error ended, with what its journal and the ledger know.
  Result<void> resume() {
    for (TableTask& task : tasks) {
      const std::string& name = task.plan->source.name;
      task.chunks = journal.chunks[name];
      task.was_started = !task.chunks.empty();
      task.done.clear();
      for (const connect::DoneChunk& chunk : target.recorded(options.load_id)) {
        if (chunk.table == task.plan->source) task.done.push_back(chunk);
      }
    }
    return run_tasks();
  }

  Result<void> run_tasks() {
    progress = std::make_unique<LoadProgress>();
    for (const TableTask& task : tasks) progress->add(task.plan);
    WHERRY_ASSIGN(auto snapshot, connector.open_snapshot(context, settings("source"), {}));
    position = snapshot->position();
    SourceViews views([this](OpContext& asking, const Position& at) {
      return connector.open_snapshot(asking, settings("source"), at);
    });
    views.set_first(std::move(snapshot));
    OpContext own{stop.get_token(), context.deadline, {}};
    return run_full_load(own, views, *loader, tasks, options, *progress, journal);
  }

  /// Compares what load() has planned, at the load's position.
  Result<void> validate() {
    WHERRY_ASSIGN(auto left, connector.open_snapshot(context, settings("source"), position));
    WHERRY_ASSIGN(auto right, connector.open_snapshot(context, settings("target"), {}));
    validation = std::make_unique<ValidationProgress>();
    for (const TableTask& task : tasks) validation->add(task.plan);
    differences.all.clear();
    OpContext own{stop.get_token(), context.deadline, {}};
    return run_validation(own, *left, *right, validate_options, *validation, differences);
  }

  connect::Settings settings(const std::string& name) const {
    connect::Settings out = memory::MemoryConnector::settings(name);
    out.options = name == "source" ? source_options : target_options;
    return out;
  }

  std::vector<Row> target_rows(const std::string& table) const {
    const auto found = target.find({"S", table});
    return found ? found->rows : std::vector<Row>();
  }
  /// The same rows, in whatever order.
  static bool same_rows(std::vector<Row> a, std::vector<Row> b) {
    const auto less = [](const Row& x, const Row& y) { return x[0].i64 < y[0].i64; };
    std::sort(a.begin(), a.end(), less);
    std::sort(b.begin(), b.end(), less);
    return a == b;
  }
  const TableProgress& table(const std::string& name) const {
    for (const TableProgress& entry : progress->tables()) {
      if (entry.plan->source.name == name) return entry;
    }
    ADD_FAILURE() << "no table " << name;
    return progress->tables().front();
  }

  memory::MemoryConnector connector;
  memory::Database& source;
  memory::Database& target;
  std::map<std::string, std::string> source_options, target_options;
  LoadOptions options;
  ValidateOptions validate_options;
  std::function<void(schema::TablePlan&)> change_plan;
  std::stop_source stop;
  OpContext context;
  std::unique_ptr<connect::TargetLoader> loader;
  std::vector<TableTask> tasks;
  std::unique_ptr<LoadProgress> progress;
  Position position;
  CollectedMilestones journal;
  std::unique_ptr<ValidationProgress> validation;
  CollectedDifferences differences;
};

}  // namespace wherry::engine
