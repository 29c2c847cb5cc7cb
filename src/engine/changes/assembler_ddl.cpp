// Truncations and changed definitions: barriers in the stream.
#include <algorithm>

#include "engine/changes/apply_errors.h"
#include "engine/changes/assembler.h"
#include "engine/changes/fold.h"
#include "engine/changes/table_ddl.h"

namespace wherry::engine {

using connect::Change;
using connect::StepKind;
using connect::TableAlteration;

namespace {

/// Others have their rows there too.
Error shared_error(const TableRoute& table, const char* what) {
  return make_error(ErrorKind::kSchema, "apply.shared_target",
                    std::string("the source's table was ") + what +
                        ", and its target has rows of other tables as well",
                    "Bring the target to what it shall be by hand; the other tables go on")
      .with("table", schema::to_text(table.source));
}

}  // namespace

Result<void> Assembler::add_barrier(OpContext& context, connect::ApplyStep step,
                                    const TableRoute* table) {
  WHERRY_TRY(become_exclusive(context));
  has_changes_ = true;
  WHERRY_ASSIGN(Window * window, open(0, true));
  window->add_barrier(std::move(step), table);
  if (table != nullptr) ++table->progress->open_ddls;
  if (!is_parallel() || is_in_transaction_) return {};
  WHERRY_TRY(submit(0, true));
  return lanes_.wait_idle();
}

Result<void> Assembler::add_statements(OpContext& context, std::vector<std::string> statements,
                                       const TableRoute& table) {
  bool is_first = true;
  for (std::string& statement : statements) {
    connect::ApplyStep step;
    step.kind = StepKind::kDdl;
    step.statement = std::move(statement);
    // One DDL, however many statements it takes.
    WHERRY_TRY(add_barrier(context, std::move(step), is_first ? &table : nullptr));
    is_first = false;
  }
  return {};
}

Result<void> Assembler::take_truncate(OpContext& context, const Change& change) {
  WHERRY_ASSIGN(const TableRoute* table, wanted_table(change));
  if (table == nullptr) return {};
  ++table->progress->captured.ddls;
  if (table->plan().shares_target) return refuse(*table, shared_error(*table, "truncated"));
  if (options_.errors.fails_on_truncate) {
    return stopped_by(
        {ConflictAction::kStopTask, "ApplyErrorFailOnTruncationDdl"},
        make_error(ErrorKind::kData, "apply.truncated", "the source's table was truncated",
                   "Reload the table, or set ApplyErrorFailOnTruncationDdl to false")
            .with("table", schema::to_text(table->source)));
  }
  if (!options_.ddl.truncates) return {};
  connect::ApplyStep step;
  step.kind = StepKind::kTruncate;
  step.table = &table->table;
  step.cascades = change.cascades;
  step.restarts_identity = change.restarts_identity;
  return add_barrier(context, std::move(step), table);
}

/// TableErrorPolicy for a table whose definition cannot be followed.
Result<void> Assembler::refuse(const TableRoute& table, const Error& error) {
  if (!is_fault_of_change(error)) return error;
  if (options_.errors.base.table == ErrorAction::kStopTask) {
    return stopped_by({ConflictAction::kStopTask, "TableErrorPolicy"}, error);
  }
  WHERRY_TRY(job_.events.on_suspended(table.plan(), error));
  job_.progress.set_suspended(*table.progress, error);
  return {};
}

Result<void> Assembler::take_shape(OpContext& context, const Change& change) {
  if (is_in_transaction_ && is_skipped_) return {};
  const connect::RowShape& shape = *change.shape;
  const TableRoute* table = routes_.find(shape.source);
  if (new_tables_.contains(shape.source)) return retake_new_table(context, shape);
  if (table == nullptr || table->is_suspended() || point_.order <= table->loaded_at) return {};
  if (job_.planner == nullptr) {
    return refuse(*table,
                  make_error(ErrorKind::kSchema, "apply.table_changed",
                             "the definition of the source's table has changed", "Reload the table")
                      .with("table", schema::to_text(table->source)));
  }
  auto planned = job_.planner->plan(context, shape.definition);
  if (!planned.ok()) return refuse(*table, std::move(planned).error());
  const schema::TablePlanPtr to = std::move(planned).value();
  if (to == nullptr) {
    // Renamed into a name that the rules do not select.
    ++table->progress->captured.ddls;
    WHERRY_TRY(become_exclusive(context));
    WHERRY_TRY(job_.events.on_plan(shape.source, {point_, nullptr}));
    return replace_route(context, shape.source, std::nullopt);
  }
  const TableAlteration alteration = alteration_of(table->table.plan, to, shape);
  const bool has_same_names = [&] {
    for (std::size_t i = 0; i < to->columns.size(); ++i) {
      const auto origin = alteration.origins[i];
      if (!origin || table->plan().columns[*origin].source_name != to->columns[i].source_name) {
        return false;
      }
    }
    return true;
  }();
  if (!changes_target(alteration) && has_same_names) return {};
  ++table->progress->captured.ddls;
  if (!options_.ddl.alters) return {};
  return alter(context, alteration, shape, *table);
}

Result<void> Assembler::alter(OpContext& context, const TableAlteration& alteration,
                              const connect::RowShape& shape, const TableRoute& table) {
  if (changes_target(alteration)) {
    if (table.plan().shares_target) return refuse(table, shared_error(table, "altered"));
    auto statements = job_.target.alter(alteration);
    if (!statements.ok()) return refuse(table, statements.error());
    WHERRY_TRY(add_statements(context, std::move(*statements), table));
  }
  const schema::TableRef source = table.source;
  WHERRY_TRY(become_exclusive(context));
  connect::ApplyTable next = altered(table.table, alteration);
  const std::vector<std::size_t> by_row = columns_by_row(alteration, shape);
  const bool needs_values = !by_row.empty() && job_.source != nullptr;
  std::unique_ptr<connect::ValueReader> values;
  if (needs_values) {
    WHERRY_ASSIGN(values, open_values(context, next, shape, by_row));
  }
  const connect::CommitOrder until = values ? values->order() : 0;
  WHERRY_TRY(job_.events.on_plan(source, {point_, alteration.to, false, until}));
  WHERRY_TRY(replace_route(context, source, std::move(next), destinations_of(alteration)));
  if (!needs_values) return {};
  if (values == nullptr) return job_.events.on_reload(source);
  filled_[source] = until;
  return fill(context, *values, *routes_.find(source));
}

/// Rows have them as the source has them by now. nullptr: they cannot be had by a key.
Result<std::unique_ptr<connect::ValueReader>> Assembler::open_values(
    OpContext& context, const connect::ApplyTable& table, const connect::RowShape& shape,
    const std::vector<std::size_t>& columns) {
  // What rules make of rows needs all of them.
  if (table.identity.empty() || schema::makes_rows(*table.plan)) {
    return std::unique_ptr<connect::ValueReader>();
  }
  const auto named = [&](const std::vector<std::size_t>& places) {
    std::vector<connect::ValuesRequest::Column> out;
    for (const std::size_t i : places) {
      const schema::ColumnPlan& column = table.plan->columns[i];
      out.push_back({column.source_name, column.source_number});
    }
    return out;
  };
  const connect::ValuesRequest request{table.plan, shape.source, shape.table_id,
                                       named(table.identity), named(columns)};
  auto opened = job_.source->read_values(context, request);
  if (opened.ok()) return opened;
  const ErrorKind kind = opened.error().kind;
  if (kind != ErrorKind::kSchema && kind != ErrorKind::kUnsupported) return opened;
  return std::unique_ptr<connect::ValueReader>();
}

/// A row that was changed since then has what the stream will bring. One that the target does not
/// have is not there yet, or no more.
Result<void> Assembler::fill(OpContext& context, connect::ValueReader& values,
                             const TableRoute& table) {
  std::uint64_t rows = 0;
  for (;;) {
    auto batch = std::make_shared<connect::ChangeBatch>();
    WHERRY_TRY(values.read(context, *batch));
    if (batch->empty()) break;
    rows += batch->changes().size();
    WHERRY_TRY(add_values(table, {batch, nullptr}));
  }
  context.log.info("the values of a new column were read from the source's rows",
                   {{"table", schema::to_text(table.source)}, {"rows", std::to_string(rows)}});
  return {};
}

/// A row whose key changes was read under its new key, which the target did not have then; a value
/// that the change does not bring is nowhere else.
Result<void> Assembler::note_move(const WindowChange& row) {
  if (filled_.empty() || row.kind != connect::ChangeKind::kUpdate) return {};
  const auto found = filled_.find(row.table->source);
  if (found == filled_.end()) return {};
  if (point_.order > found->second) {
    filled_.erase(found);
    return {};
  }
  if (row.before == nullptr || !changes_identity(*row.table, row.before, row.after)) return {};
  const std::size_t count = row.table->plan().columns.size();
  const bool is_whole = std::all_of(row.after, row.after + count, [](const Cell& cell) {
    return cell.state != CellState::kUnchanged;
  });
  if (is_whole) return {};
  filled_.erase(found);
  return job_.events.on_reload(row.table->source);
}

/// A piece of the target transaction: what is in memory is bounded.
Result<void> Assembler::add_values(const TableRoute& table, const KeptBatch& batch) {
  WHERRY_ASSIGN(Window * window, open(0, true));
  window->keep(batch);
  const auto& changes = batch.batch->changes();
  auto* rows = reinterpret_cast<connect::ApplyRow*>(
      window->arena().allocate(changes.size() * sizeof(connect::ApplyRow)));
  for (std::size_t i = 0; i < changes.size(); ++i) {
    WHERRY_ASSIGN(const ShapeRoute* route, routes_.of(*changes[i].shape));
    WHERRY_ASSIGN(const Cell* cells, Routes::map(*route, changes[i].after, window->arena()));
    new (rows + i) connect::ApplyRow{cells, cells};
  }
  connect::ApplyStep step;
  step.kind = StepKind::kUpdate;
  step.table = &table.table;
  step.rows = {rows, changes.size()};
  window->add_barrier(std::move(step), &table);
  return submit(0, false);
}

Result<void> Assembler::take_ddl(OpContext& context, const Change& change) {
  if (is_skipped_) return {};
  if (change.ddl == connect::DdlKind::kOther) {
    if (change.shape != nullptr && new_tables_.contains(change.shape->source)) {
      return retake_new_table(context, *change.shape);
    }
    WHERRY_ASSIGN(const TableRoute* table, wanted_table(change));
    if (table != nullptr) {
      context.log.info("a statement of the source is not repeated at the target",
                       {{"table", schema::to_text(table->source)}});
    }
    return {};
  }
  if (change.shape == nullptr) return {};
  if (change.ddl == connect::DdlKind::kCreateTable) return create_table(context, *change.shape);
  if (change.ddl == connect::DdlKind::kNewTable) return take_new_table(context, *change.shape);
  WHERRY_ASSIGN(const TableRoute* table, wanted_table(change));
  if (change.ddl == connect::DdlKind::kRowsUnknown) {
    if (table == nullptr) return {};
    return refuse(*table,
                  make_error(ErrorKind::kData, "apply.rows_unknown", std::string(change.text),
                             "Reload the table (wherry reload --table)")
                      .with("table", schema::to_text(table->source)));
  }
  if (new_tables_.contains(change.shape->source)) return forget_new_table(change.shape->source);
  return table == nullptr ? Result<void>() : drop_table(context, *table);
}

Result<void> Assembler::create_table(OpContext& context, const connect::RowShape& shape) {
  if (job_.planner == nullptr || routes_.find(shape.source) != nullptr) return {};
  WHERRY_ASSIGN(const schema::TablePlanPtr plan, job_.planner->plan(context, shape.definition));
  if (plan == nullptr) return {};
  TableAlteration alteration;
  alteration.kind = TableAlteration::Kind::kCreate;
  alteration.to = plan;
  WHERRY_ASSIGN(auto statements, job_.target.alter(alteration));
  WHERRY_TRY(replace_route(context, shape.source, created(plan)));
  const TableRoute* table = routes_.find(shape.source);
  ++table->progress->captured.ddls;
  WHERRY_TRY(job_.events.on_plan(shape.source, {point_, plan}));
  return add_statements(context, std::move(statements), *table);
}

/// Whoever loads it makes it at the target, too: its rows are not in this stream.
Result<void> Assembler::take_new_table(OpContext& context, const connect::RowShape& shape) {
  if (job_.planner == nullptr) return {};
  if (routes_.find(shape.source) != nullptr) {
    context.log.warn("a new table has a name that another of the task had, and is left out",
                     {{"table", schema::to_text(shape.source)}});
    return {};
  }
  auto planned = job_.planner->plan(context, shape.definition);
  if (!planned.ok()) {
    if (!is_fault_of_change(planned.error())) return planned.error();
    context.log.error(planned.error());
    return {};
  }
  if (*planned == nullptr) return {};
  ++job_.progress.table(shape.source).captured.ddls;
  new_tables_.insert(shape.source);
  return job_.events.on_plan(shape.source, {point_, std::move(*planned), true});
}

/// One that could not be had may be had now, and nothing knows it yet but by its name.
Result<void> Assembler::retake_new_table(OpContext& context, const connect::RowShape& shape) {
  connect::RowShape now = shape;
  now.source = shape.definition.table;
  if (now.source != shape.source) WHERRY_TRY(forget_new_table(shape.source));
  return take_new_table(context, now);
}

/// It is gone before it was loaded.
Result<void> Assembler::forget_new_table(const schema::TableRef& source) {
  new_tables_.erase(source);
  return job_.events.on_plan(source, {point_, nullptr});
}

Result<void> Assembler::drop_table(OpContext& context, const TableRoute& table) {
  ++table.progress->captured.ddls;
  if (table.plan().shares_target) return refuse(table, shared_error(table, "dropped"));
  if (options_.ddl.drops) {
    TableAlteration alteration;
    alteration.kind = TableAlteration::Kind::kDrop;
    alteration.from = table.table.plan;
    auto statements = job_.target.alter(alteration);
    if (!statements.ok()) return refuse(table, statements.error());
    WHERRY_TRY(add_statements(context, std::move(*statements), table));
  }
  const schema::TableRef source = table.source;
  WHERRY_TRY(become_exclusive(context));
  WHERRY_TRY(job_.events.on_plan(source, {point_, nullptr}));
  return replace_route(context, source, std::nullopt);
}

/// Rows of the old and of the new definition are never in one window.
Result<void> Assembler::replace_route(OpContext& context, const schema::TableRef& source,
                                      std::optional<connect::ApplyTable> table,
                                      const std::vector<std::optional<std::size_t>>& columns) {
  WHERRY_TRY(become_exclusive(context));
  if (open_[0].window && open_[0].window->barrier().empty()) {
    WHERRY_TRY(submit(0, !is_in_transaction_));
  }
  routes_.replace(source, std::move(table), columns);
  return {};
}

}  // namespace wherry::engine
