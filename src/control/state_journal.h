// Writes down what a later run must know of each table that is loaded.
#pragma once

#include <functional>
#include <utility>

#include "control/task_state.h"
#include "engine/full_load.h"

namespace wherry::control {

class StateJournal final : public engine::LoadJournal {
 public:
  /// What the rows of a table hold that is read at a position; empty: the load's own.
  using OrderOf = std::function<connect::CommitOrder(const Position&)>;
  /// `order_of`: of a task with changes.
  explicit StateJournal(TaskState& state, OrderOf order_of = nullptr)
      : state_(state), order_of_(std::move(order_of)) {}

  Result<void> on_start(const engine::TableTask& task) override {
    TableRecord record = record_of(task, TablePhase::kStarted, {});
    record.chunks = task.chunks;
    // A position that an earlier run has found is in the record with its order.
    if (const auto order = order_of_ ? order_of_(task.position) : 0; order != 0) {
      record.order = order;
    }
    return write(task, std::move(record));
  }
  Result<void> on_prepared(const engine::TableTask& task) override { return on_start(task); }
  Result<void> on_commit(const engine::TableTask& task) override {
    return write(task, record_of(task, TablePhase::kCommitting, {}));
  }
  Result<void> on_loaded(const engine::TableTask& task, const engine::RowCounts& counts) override {
    return write(task, record_of(task, TablePhase::kLoaded, counts));
  }
  Result<void> on_complete(const engine::TableTask& task,
                           const engine::RowCounts& counts) override {
    return write(task, record_of(task, TablePhase::kComplete, counts));
  }

 private:
  TableRecord record_of(const engine::TableTask& task, TablePhase phase,
                        const engine::RowCounts& counts) const {
    TableRecord record = state_.find(task.plan->source).value_or(TableRecord());
    record.phase = phase;
    record.target_existed = task.target_existed;
    record.was_empty = task.was_empty;
    record.may_double = task.may_double;
    record.rows = counts.rows;
    record.refused_rows = counts.refused_rows;
    record.truncated_values = counts.truncated_values;
    record.attempt = task.attempt;
    record.position = task.position;
    record.chunks.clear();
    return record;
  }
  Result<void> write(const engine::TableTask& task, TableRecord record) {
    return state_.record(task.plan->source, std::move(record));
  }

  TaskState& state_;
  OrderOf order_of_;
};

}  // namespace wherry::control
