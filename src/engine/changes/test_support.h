// A stream of changes made up by a test, the feed over it, and what an apply of it needs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "connect/memory/connector.h"
#include "engine/changes/apply.h"

namespace wherry::engine::changes_test {

using connect::Change;
using connect::ChangeKind;
using connect::CommitOrder;
using memory::Database;
using memory::Fault;
using memory::Point;
using memory::Row;
using memory::Value;
using schema::TableDef;
using schema::TableRef;
using schema::TypeKind;

inline schema::ColumnDef column(std::string name, TypeKind kind = TypeKind::kInt64,
                                bool nullable = true) {
  schema::ColumnDef out;
  out.name = std::move(name);
  out.type.kind = kind;
  out.native_type = std::string(schema::name_of(kind));
  out.nullable = nullable;
  return out;
}

inline TableDef table(const std::string& name, std::vector<schema::ColumnDef> columns,
                      std::vector<schema::KeyDef> keys = {}) {
  TableDef out;
  out.table = {"S", name};
  out.columns = std::move(columns);
  out.keys = std::move(keys);
  return out;
}

/// Every column as it is, under its own name.
inline schema::TablePlanPtr plain_plan(const TableDef& definition) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = plan->target = definition.table;
  for (const schema::ColumnDef& each : definition.columns) {
    schema::ColumnPlan planned;
    planned.source_name = planned.target_name = each.name;
    planned.source_number = each.number;
    planned.type = each.type;
    planned.source_type = planned.target_type = each.native_type;
    planned.not_null = !each.nullable;
    plan->columns.push_back(planned);
  }
  if (const schema::KeyDef* key = definition.row_identity(); key != nullptr) {
    for (const std::string& name : key->columns) {
      plan->key.push_back(static_cast<std::size_t>(definition.find_column(name)));
    }
    plan->key_name = key->name;
    plan->key_is_primary = key->is_primary;
  }
  return plan;
}

/// nullopt: the log does not have it.
using Image = std::vector<std::optional<Value>>;
inline Image image(const Row& row) {
  return {row.begin(), row.end()};
}

struct LoggedChange {
  ChangeKind kind = ChangeKind::kInsert;
  connect::RowShapePtr shape;
  std::optional<Image> before, after;
  connect::DdlKind ddl = connect::DdlKind::kOther;
};

struct LoggedTransaction {
  CommitOrder order = 0;
  std::vector<LoggedChange> changes;
  bool is_heartbeat = false;
};

/// A log in memory. Positions are "p" and the number of transactions before.
struct Log {
  std::deque<LoggedTransaction> transactions;
  std::uint32_t next_shape = 1;

  connect::RowShapePtr shape(const TableDef& definition, bool has_whole_before = false) {
    auto out = std::make_shared<connect::RowShape>();
    out->id = next_shape++;
    out->source = definition.table;
    out->definition = definition;
    out->has_whole_before = has_whole_before;
    if (const schema::KeyDef* key = definition.row_identity(); key != nullptr) {
      for (const std::string& name : key->columns) {
        out->identity.push_back(static_cast<std::size_t>(definition.find_column(name)));
      }
    }
    return out;
  }
  LoggedTransaction& begin() {
    const CommitOrder order = transactions.empty() ? 10 : transactions.back().order + 10;
    return begin(order);
  }
  LoggedTransaction& begin(CommitOrder order) {
    transactions.emplace_back().order = order;
    return transactions.back();
  }
  void heartbeat() {
    const CommitOrder order = transactions.empty() ? 10 : transactions.back().order + 1;
    transactions.push_back({order, {}, true});
  }
  [[nodiscard]] CommitOrder end() const {
    return transactions.empty() ? 0 : transactions.back().order;
  }
};

inline LoggedChange inserted(const connect::RowShapePtr& shape, const Row& row) {
  return {ChangeKind::kInsert, shape, std::nullopt, image(row), {}};
}
inline LoggedChange updated(const connect::RowShapePtr& shape, std::optional<Image> before,
                            Image after) {
  return {ChangeKind::kUpdate, shape, std::move(before), std::move(after), {}};
}
inline LoggedChange deleted(const connect::RowShapePtr& shape, Image before) {
  return {ChangeKind::kDelete, shape, std::move(before), std::nullopt, {}};
}

class LogFeed final : public ChangeFeed {
 public:
  explicit LogFeed(const Log& log) : log_(log) {}

  Result<void> start(OpContext&, const Position& from) override {
    at_ = from.empty() ? 0 : std::stoul(from.text.substr(1));
    inside_ = 0;
    starts.push_back(from.text);
    return {};
  }
  Result<ChangeBatchPtr> next(OpContext& context) override {
    if (on_next) on_next();
    if (context.stop.stop_requested()) return cancelled_error();
    if (is_empty()) {
      std::mutex mutex;
      std::condition_variable_any never;
      std::unique_lock lock(mutex);
      never.wait_until(lock, context.stop,
                       std::min(context.deadline,
                                std::chrono::steady_clock::now() + std::chrono::milliseconds(5)),
                       [] { return false; });
      return ChangeBatchPtr();
    }
    auto batch = std::make_shared<connect::ChangeBatch>();
    const std::size_t count = batch_changes ? batch_changes() : 64;
    while (batch->changes().size() < count && !is_empty()) step(*batch);
    return ChangeBatchPtr(batch);
  }
  [[nodiscard]] bool is_empty() const override { return at_ >= log_.transactions.size(); }
  Result<void> release(OpContext&, const connect::Checkpoint& durable) override {
    released.push_back(durable);
    return {};
  }

  std::function<void()> on_next;
  std::function<std::size_t()> batch_changes;
  std::vector<std::string> starts;
  std::vector<connect::Checkpoint> released;

 private:
  void step(connect::ChangeBatch& batch) {
    const LoggedTransaction& transaction = log_.transactions[at_];
    connect::CommitInfo commit;
    commit.order = transaction.order;
    commit.time = std::chrono::system_clock::time_point(std::chrono::seconds(transaction.order));
    if (transaction.is_heartbeat) {
      commit.position.text = "p" + std::to_string(++at_);
      return batch.add(ChangeKind::kHeartbeat, std::move(commit));
    }
    if (inside_ == 0) {
      ++inside_;
      return batch.add(ChangeKind::kBegin, std::move(commit));
    }
    if (inside_ > transaction.changes.size()) {
      inside_ = 0;
      commit.position.text = "p" + std::to_string(++at_);
      return batch.add(ChangeKind::kCommit, std::move(commit));
    }
    const LoggedChange& logged = transaction.changes[inside_++ - 1];
    const Cell* before = cells(batch, logged, logged.before);
    const Cell* after = cells(batch, logged, logged.after);
    Change& change = batch.add(logged.kind);
    change.shape = logged.shape.get();
    change.before = before;
    change.after = after;
    change.ddl = logged.ddl;
    batch.keep(logged.shape);
  }
  static const Cell* cells(connect::ChangeBatch& batch, const LoggedChange& logged,
                           const std::optional<Image>& image) {
    if (!image) return nullptr;
    Cell* out = batch.allocate_cells(image->size());
    for (std::size_t i = 0; i < image->size(); ++i) {
      const CellKind kind = schema::cell_kind_of(logged.shape->definition.columns[i].type);
      out[i] = memory::to_cell((*image)[i].value_or(Value::null()), kind, batch.arena());
      if (!(*image)[i]) out[i].state = CellState::kUnchanged;
    }
    return out;
  }

  const Log& log_;
  std::size_t at_ = 0;
  std::size_t inside_ = 0;  ///< 0: before the begin; else one more than the changes delivered
};

struct CollectedEvents final : ApplyEvents {
  Result<void> on_suspended(const schema::TablePlan& plan, const Error& error) override {
    std::lock_guard lock(mutex);
    suspended.emplace_back(plan.source.name, error);
    return {};
  }
  void on_exception(const connect::ApplyException& exception) override {
    std::lock_guard lock(mutex);
    exceptions.push_back(exception);
  }
  Result<void> on_plan(const TableRef& source, const LaterPlan& later) override {
    std::lock_guard lock(mutex);
    plans.emplace_back(source, later);
    return {};
  }
  Result<void> on_reload(const TableRef& source) override {
    std::lock_guard lock(mutex);
    reloads.push_back(source.name);
    return {};
  }
  std::mutex mutex;
  std::vector<std::string> reloads;
  std::vector<std::pair<std::string, Error>> suspended;
  std::vector<connect::ApplyException> exceptions;
  std::vector<std::pair<TableRef, LaterPlan>> plans;
};

/// A target database, a log, and runs of an apply from one to the other.
class ApplyWorld {
 public:
  ApplyWorld() : target(connector.create("target")) {
    options.task_name = "task";
    options.retry.wait = std::chrono::milliseconds(0);
    options.release_interval = std::chrono::milliseconds(0);
  }
  /// Adds a table to target and task.
  void add(const TableDef& definition, std::vector<Row> rows = {}, CommitOrder loaded_at = 0) {
    target.put(definition, std::move(rows));
    tables.push_back({plain_plan(definition), {}, loaded_at, false});
  }
  /// Until everything in the log is applied.
  Result<void> run() { return run(log.end()); }
  Result<void> run(CommitOrder until) {
    LogFeed feed(log);
    return run(feed, until);
  }
  Result<void> run(LogFeed& feed, CommitOrder until) {
    OpContext context;
    context.stop = stop.get_token();
    WHERRY_ASSIGN(auto apply,
                  connector.open_apply(context, memory::MemoryConnector::settings("target"), {}));
    progress = std::make_unique<ApplyProgress>();
    ApplyLimit limit;
    limit.stop_after(until);
    ApplyJob job{feed, *apply, tables, {}, 0, planner, events, limit, *progress};
    job.source = source;
    return run_apply(context, job, options);
  }
  [[nodiscard]] std::vector<Row> rows(const std::string& name) const {
    const auto found = target.find({"S", name});
    std::vector<Row> out = found ? found->rows : std::vector<Row>();
    sort(out);
    return out;
  }
  static void sort(std::vector<Row>& rows) {
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      for (std::size_t i = 0; i < a.size(); ++i) {
        const auto key = [](const Value& v) { return std::tuple(v.is_null, v.i64, v.bytes); };
        if (key(a[i]) != key(b[i])) return key(a[i]) < key(b[i]);
      }
      return false;
    });
  }
  const TableApplyProgress& table_progress(const std::string& name) {
    return progress->table({"S", name});
  }

  memory::MemoryConnector connector;
  Database& target;
  Log log;
  std::vector<ApplyTableTask> tables;
  ApplyOptions options;
  TablePlanner* planner = nullptr;
  connect::ChangeSource* source = nullptr;
  CollectedEvents events;
  std::stop_source stop;
  std::unique_ptr<ApplyProgress> progress;
};

}  // namespace wherry::engine::changes_test
