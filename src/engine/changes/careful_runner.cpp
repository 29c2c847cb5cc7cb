#include "engine/changes/careful_runner.h"

#include <algorithm>
#include <unordered_set>

#include "core/failpoint.h"
#include "engine/changes/key_hash.h"
#include "engine/changes/rekey_order.h"

namespace wherry::engine {
namespace {

using connect::ChangeKind;
using connect::StepKind;

bool is_complete(const WindowChange& change) {
  const std::size_t count = change.table->plan().columns.size();
  return std::none_of(change.after, change.after + count,
                      [](const Cell& cell) { return cell.state == CellState::kUnchanged; });
}

ChangeFault fault_of_missing(const WindowChange& change) {
  return change.kind == ChangeKind::kDelete ? ChangeFault::kDeleteConflict
                                            : ChangeFault::kUpdateConflict;
}

/// The deletion of these rows, each once, to see which of them are there.
void plan_deletion(const Window& window, std::span<const std::uint32_t> changes, StepPlan& out) {
  const TableRoute& table = *window.changes()[changes[0]].table;
  std::unordered_set<std::uint64_t> seen;
  for (const std::uint32_t number : changes) {
    const WindowChange& change = window.changes()[number];
    if (!seen.insert(hash_key(change.before, table.identity())).second) continue;
    out.add_row({change.before, nullptr}, {number, 1});
  }
  out.end_step(StepKind::kDelete, table, 0);
  out.finish();
}

std::unordered_set<std::uint64_t> hashes_of(const StepPlan& plan, const TableRoute& table,
                                            const PlanExecutor::Missing& rows) {
  std::unordered_set<std::uint64_t> out;
  for (const std::size_t row : rows) {
    out.insert(hash_key(plan.rows[row].before, table.identity()));
  }
  return out;
}

}  // namespace

Result<void> CarefulRunner::run(OpContext& context, Window& window) {
  WHERRY_TRY(resolve(context, window));
  for (const std::uint32_t family : window.families()) {
    WHERRY_TRY(run_family(context, window, family));
  }
  for (const WindowChange& change : window.changes()) outcome_.count(change);
  outcome_.add(window.transactions());
  return {};
}

/// Asks the target which of the rows that move are there.
Result<void> CarefulRunner::resolve(OpContext& context, Window& window) {
  for (const TableRoute* table : window.ambiguous()) {
    if (table->is_suspended()) continue;
    window.plan_question(*table, plan_);
    WHERRY_TRY(executor_.applier().mark(context));
    auto missing = executor_.execute(context, plan_, true);
    if (!missing.ok()) {
      if (!is_fault_of_change(missing.error())) return std::move(missing).error();
      continue;  // a foreign key is in the way: in the order of the log, then
    }
    const auto absent = hashes_of(plan_, *table, *missing);
    WHERRY_TRY(executor_.applier().take_back(context));
    window.resolve(*table, absent);
  }
  return {};
}

Result<void> CarefulRunner::run_barrier(OpContext& context, const Window& window) {
  WHERRY_TRY(executor_.applier().mark(context));
  auto done = [&] {
    const StageClock clock(outcome_.progress(), ApplyStage::kApply);
    return executor_.applier().execute(context, window.barrier());
  }();
  if (done.ok()) {
    outcome_.count_ddls(window);
  } else {
    const auto& tables = window.barrier_tables();
    const bool has_table = std::any_of(tables.begin(), tables.end(),
                                       [](const TableRoute* each) { return each != nullptr; });
    if (!is_fault_of_change(done.error()) || !has_table) return std::move(done).error();
    for (const TableRoute* each : tables) {
      if (each == nullptr || each->is_suspended()) continue;
      const Verdict verdict = outcome_.judge(ChangeFault::kTable, *each);
      if (verdict.action == ConflictAction::kStopTask) return stopped_by(verdict, done.error());
      WHERRY_TRY(outcome_.suspend(*each, verdict, done.error()));
    }
    outcome_.count_ddls(window, /*are_done=*/false);
  }
  return {};
}

Result<void> CarefulRunner::run_family(OpContext& context, const Window& window,
                                       std::uint32_t family) {
  const std::vector<std::uint32_t> changes = window.changes_of(family);
  const auto any = [&](auto predicate) {
    return std::any_of(changes.begin(), changes.end(), [&](std::uint32_t number) {
      return predicate(*window.changes()[number].table);
    });
  };
  const bool has_suspended = any([](const TableRoute& table) { return table.is_suspended(); });
  const bool has_other_keys = any([](const TableRoute& table) { return table.has_other_keys; });
  for (const StepForm form : {StepForm::kFolded, StepForm::kPromoted}) {
    if (has_suspended || (form == StepForm::kPromoted && !has_other_keys)) break;
    window.plan(form, family, plan_);
    WHERRY_TRY(executor_.applier().mark(context));
    auto missing = executor_.execute(context, plan_, true);
    if (!missing.ok()) {
      if (!is_fault_of_change(missing.error())) return std::move(missing).error();
      continue;
    }
    if (!can_decide(window, plan_, *missing)) {
      WHERRY_TRY(executor_.applier().take_back(context));
      break;
    }
    outcome_.count_rows(plan_.rows.size());
    return decide(window, plan_, *missing);
  }
  return run_strictly(context, window, changes);
}

/// Without what belongs to suspended tables.
Result<void> CarefulRunner::run_strictly(OpContext& context, const Window& window,
                                         std::span<const std::uint32_t> changes) {
  std::vector<std::uint32_t> active;
  for (const std::uint32_t number : changes) {
    const WindowChange& change = window.changes()[number];
    if (change.table->is_suspended()) {
      outcome_.leave_out(change);
    } else {
      active.push_back(number);
    }
  }
  if (active.empty()) return {};
  return run_active(context, window, active);
}

Result<void> CarefulRunner::run_active(OpContext& context, const Window& window, Changes changes) {
  window.plan_ordered(changes, plan_);
  const bool is_rekeys = plan_.steps.size() == 1 && plan_.steps[0].kind == StepKind::kRekey;
  WHERRY_TRY(executor_.applier().mark(context));
  auto missing = executor_.execute(context, plan_, true);
  if (!missing.ok()) {
    const Error error = std::move(missing).error();
    if (!is_fault_of_change(error)) return error;
    if (changes.size() == 1) return run_single(context, window, changes[0], error);
    return is_rekeys ? run_rekeys(context, window, changes) : run_halves(context, window, changes);
  }
  if (!can_decide(window, plan_, *missing)) {
    WHERRY_TRY(executor_.applier().take_back(context));
    if (changes.size() > 1) return run_halves(context, window, changes);
    const WindowChange& change = window.changes()[changes[0]];
    return write_record(context, window, changes[0], missing_row_error(change));
  }
  outcome_.count_rows(plan_.rows.size());
  return decide(window, plan_, *missing);
}

/// REQUIRES: plan_ is that of the changes.
Result<void> CarefulRunner::run_halves(OpContext& context, const Window& window, Changes changes) {
  std::size_t middle = changes.size() / 2;
  // Rows that change their keys together stay together, unless they are all there is.
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const std::size_t first = plan_.firsts[i];
    const std::size_t end = first + plan_.steps[i].rows.size();
    if (plan_.steps[i].kind == StepKind::kRekey && first < middle && middle < end) {
      middle = first != 0 ? first : end < changes.size() ? end : middle;
    }
  }
  WHERRY_TRY(run_strictly(context, window, changes.first(middle)));
  return run_strictly(context, window, changes.subspan(middle));
}

Result<void> CarefulRunner::run_rekeys(OpContext& context, const Window& window, Changes changes) {
  WHERRY_ASSIGN(const bool is_done, run_resolved(context, window, changes));
  if (is_done) return {};
  for (const auto& group : rekey_groups(window, changes)) {
    WHERRY_TRY(run_rekey_group(context, window, group));
  }
  return {};
}

Result<void> CarefulRunner::run_rekey_group(OpContext& context, const Window& window,
                                            Changes group) {
  window.plan_ordered(group, plan_);
  WHERRY_TRY(executor_.applier().mark(context));
  auto missing = executor_.execute(context, plan_, true);
  if (missing.ok() && can_decide(window, plan_, *missing)) return decide(window, plan_, *missing);
  const Error error =
      missing.ok() ? missing_row_error(window.changes()[group[0]]) : std::move(missing).error();
  if (missing.ok()) WHERRY_TRY(executor_.applier().take_back(context));
  if (!is_fault_of_change(error)) return error;
  if (missing.ok() && group.size() == 1) return write_record(context, window, group[0], error);
  for (const std::uint32_t each : group) {
    if (window.changes()[each].table->is_suspended()) {
      outcome_.leave_out(window.changes()[each]);
    } else {
      WHERRY_TRY(run_single(context, window, each, error));
    }
  }
  return {};
}

/// Rows that move, folded by what the target says it has; false, and nothing is done, when it does
/// not take them so.
Result<bool> CarefulRunner::run_resolved(OpContext& context, const Window& window,
                                         Changes changes) {
  const TableRoute& table = *window.changes()[changes[0]].table;
  if (!table.has_plain_identity) return false;
  StepPlan question;
  plan_deletion(window, changes, question);
  WHERRY_TRY(executor_.applier().mark(context));
  auto missing = executor_.execute(context, question, true);
  if (!missing.ok()) {
    return is_fault_of_change(missing.error()) ? Result<bool>(false) : std::move(missing).error();
  }
  WHERRY_TRY(executor_.applier().take_back(context));
  const auto absent = hashes_of(question, table, *missing);
  TableFold fold;
  Arena arena;
  fold.reset(table, &absent);
  for (const std::uint32_t number : changes) {
    const WindowChange& change = window.changes()[number];
    fold.update(change.before, change.after, number, arena);
  }
  if (fold.is_ordered()) return false;
  StepPlan plan;
  for (const NetChange& net : fold.entries()) {
    if (net.kind != NetKind::kNone) plan.add_row({net.before, net.after}, {net.first, net.count});
  }
  plan.end_step(StepKind::kRekey, table, 0);
  plan.finish();
  WHERRY_TRY(executor_.applier().mark(context));
  auto left = executor_.execute(context, plan, true);
  if (left.ok() && left->empty()) return true;
  if (left.ok()) WHERRY_TRY(executor_.applier().take_back(context));
  if (!left.ok() && !is_fault_of_change(left.error())) return std::move(left).error();
  return false;
}

Result<void> CarefulRunner::run_single(OpContext& context, const Window& window,
                                       std::uint32_t change, const Error& error) {
  const WindowChange& refused = window.changes()[change];
  const ChangeFault fault = fault_of(refused, error);
  if (fault == ChangeFault::kInsertConflict && refused.ignores_conflicts) {
    outcome_.leave_out(refused);
    return {};
  }
  const Verdict verdict = outcome_.judge(fault, *refused.table);
  if (verdict.action == ConflictAction::kWriteRecord) {
    return write_record(context, window, change, error);
  }
  return outcome_.decide(refused, fault, verdict, error);
}

/// INSERT_RECORD, UPDATE_RECORD.
Result<void> CarefulRunner::write_record(OpContext& context, const Window& window,
                                         std::uint32_t change, const Error& error) {
  const WindowChange& wanted = window.changes()[change];
  const ChangeFault conflict = wanted.kind == ChangeKind::kInsert ? ChangeFault::kInsertConflict
                                                                  : ChangeFault::kUpdateConflict;
  if (wanted.table->identity().empty() || !is_complete(wanted)) {
    Error cause = error;
    cause.hint = "The log does not have the whole row: have the source log all columns";
    return outcome_.decide(wanted, conflict, {ConflictAction::kLogError, "UPDATE_RECORD"}, cause);
  }
  StepPlan plan;
  plan.add_row({nullptr, wanted.after}, {change, 1});
  plan.end_step(StepKind::kReplace, *wanted.table, 0);
  plan.finish();
  WHERRY_TRY(executor_.applier().mark(context));
  auto done = executor_.execute(context, plan, true);
  if (done.ok()) {
    outcome_.count_conflict(*wanted.table);
    return {};
  }
  if (!is_fault_of_change(done.error())) return std::move(done).error();
  const ChangeFault fault =
      done.error().kind == ErrorKind::kData ? ChangeFault::kData : ChangeFault::kTable;
  return outcome_.decide(wanted, fault, outcome_.judge(fault, *wanted.table), done.error());
}

bool CarefulRunner::can_decide(const Window& window, const StepPlan& plan,
                               const PlanExecutor::Missing& missing) const {
  return std::all_of(missing.begin(), missing.end(), [&](std::size_t row) {
    const auto& origin = plan.origins[row];
    const WindowChange& change = window.changes()[origin.change];
    if (change.ignores_conflicts) return true;
    if (origin.count != 1) return false;
    return outcome_.judge(fault_of_missing(change), *change.table).action !=
           ConflictAction::kWriteRecord;
  });
}

Result<void> CarefulRunner::decide(const Window& window, const StepPlan& plan,
                                   const PlanExecutor::Missing& missing) {
  for (const std::size_t row : missing) {
    const WindowChange& change = window.changes()[plan.origins[row].change];
    if (change.ignores_conflicts || change.table->is_suspended()) {
      outcome_.leave_out(change);
      continue;
    }
    const ChangeFault fault = fault_of_missing(change);
    WHERRY_TRY(outcome_.decide(change, fault, outcome_.judge(fault, *change.table),
                               missing_row_error(change)));
  }
  return {};
}

}  // namespace wherry::engine
