#include "engine/changes/refused_commit.h"

#include <utility>

namespace wherry::engine {
namespace {

using connect::ChangeKind;

/// How often some transactions are begun again at once because the target says kTryAgain.
constexpr int kMostTries = 5;

bool moves_with(const WindowChange& last, const WindowChange& next) {
  const auto moves = [](const WindowChange& change) {
    return change.kind == ChangeKind::kUpdate &&
           changes_identity(*change.table, change.before, change.after);
  };
  return last.table == next.table && last.transaction == next.transaction && moves(last) &&
         moves(next);
}

}  // namespace

Error refused_at_end(const Error& cause) {
  Error error = cause;
  error.kind = ErrorKind::kResource;  // not a fault of the change any more
  error.code = "apply.commit_refused";
  error.message = "the target refuses a transaction at its end: " + cause.message;
  error.hint =
      "Correct the rows that its deferred constraints and constraint triggers refuse, then resume";
  return error;
}

Result<void> RefusedCommit::run(OpContext& context, std::span<const WindowPtr> windows) {
  std::vector<SourceTransaction> all = split(windows);
  return run_range(context, all);
}

std::vector<RefusedCommit::SourceTransaction> RefusedCommit::split(
    std::span<const WindowPtr> windows) {
  std::vector<SourceTransaction> out(1);
  for (const WindowPtr& window : windows) {
    const auto end = [&](std::size_t number) {
      out.back().stream = window->transactions()[number];
      out.emplace_back();
    };
    if (!window->barrier().empty()) out.back().units.push_back({window.get(), {}, {}});
    std::size_t ended = 0;
    for (std::uint32_t i = 0; i < window->changes().size(); ++i) {
      const WindowChange& change = window->changes()[i];
      while (ended < change.transaction) end(ended++);
      auto& units = out.back().units;
      const bool is_together = !units.empty() && units.back().window == window.get() &&
                               moves_with(window->changes()[units.back().changes.back()], change);
      if (!is_together) units.push_back({window.get(), {}, {}});
      units.back().changes.push_back(i);
    }
    while (ended < window->transactions().size()) end(ended++);
  }
  if (out.back().units.empty()) out.pop_back();
  return out;
}

Result<void> RefusedCommit::run_range(OpContext& context, std::span<SourceTransaction> range) {
  if (range.empty()) return {};
  WHERRY_ASSIGN(const bool is_committed, run_once(context, range));
  if (is_committed) return {};
  if (range.size() == 1) return search(context, range[0]);
  WHERRY_TRY(run_range(context, range.first(range.size() / 2)));
  return run_range(context, range.subspan(range.size() / 2));
}

Result<bool> RefusedCommit::run_once(OpContext& context, std::span<SourceTransaction> range) {
  for (int tries = 0;; ++tries) {
    const auto execute = [&]() -> Result<void> {
      WHERRY_TRY(begin_(context));
      for (const SourceTransaction& each : range) WHERRY_TRY(run_units(context, each));
      return {};
    };
    auto done = execute();
    const bool is_executed = done.ok();
    if (is_executed) done = commit_(context);
    if (done.ok()) return true;
    if (is_executed && is_fault_of_change(done.error())) {
      refusal_ = std::move(done).error();
      return false;
    }
    if (done.error().code != connect::kTryAgain || tries == kMostTries) return done.error();
  }
}

Result<void> RefusedCommit::run_unit(OpContext& context, const Unit& unit) {
  if (unit.changes.empty()) return runner_.run_barrier(context, *unit.window);
  for (const std::uint32_t number : unit.changes) outcome_.count(unit.window->changes()[number]);
  return runner_.run_strictly(context, *unit.window, unit.changes);
}

Result<void> RefusedCommit::leave_out(OpContext& context, const Unit& unit) {
  if (unit.changes.empty()) return refused_at_end(*unit.cause);
  for (const std::uint32_t number : unit.changes) {
    const WindowChange& change = unit.window->changes()[number];
    outcome_.count(change);
    if (change.table->is_suspended()) {
      outcome_.leave_out(change);
    } else {
      WHERRY_TRY(runner_.run_single(context, *unit.window, number, *unit.cause));
    }
  }
  return {};
}

Result<void> RefusedCommit::run_units(OpContext& context, const SourceTransaction& transaction) {
  for (const Unit& unit : transaction.units) {
    WHERRY_TRY(unit.cause ? leave_out(context, unit) : run_unit(context, unit));
  }
  if (transaction.stream) outcome_.add(*transaction.stream);
  return {};
}

/// The transaction is refused: whatever is at fault is left out of it.
Result<void> RefusedCommit::search(OpContext& context, SourceTransaction& transaction) {
  std::vector<std::size_t> left_out;
  for (std::size_t from = 0;;) {
    WHERRY_ASSIGN(auto fault, find_fault(context, transaction, from));
    if (!fault) break;
    from = fault->unit;
    left_out.push_back(from);
    transaction.units[from].cause = std::move(fault->error);
  }
  // What only came before that which it needs is no fault, once others are out.
  for (const std::size_t unit : left_out) {
    if (left_out.size() == 1) break;
    std::optional<Error> cause = std::exchange(transaction.units[unit].cause, std::nullopt);
    WHERRY_ASSIGN(const bool is_well, ends_well(context, transaction));
    if (!is_well) transaction.units[unit].cause = std::move(cause);
  }
  WHERRY_ASSIGN(const bool is_committed, run_once(context, std::span(&transaction, 1)));
  if (is_committed) return {};
  Error error = refused_at_end(*refusal_);
  if (transaction.stream) error.with("position", transaction.stream->position.text);
  return error;
}

/// The unit after which the transaction stays broken; before `from` it is known to be well.
Result<std::optional<RefusedCommit::Fault>> RefusedCommit::find_fault(
    OpContext& context, const SourceTransaction& transaction, std::size_t from) {
  WHERRY_TRY(begin_(context));
  std::optional<Fault> fault;
  for (std::size_t i = 0; i < transaction.units.size(); ++i) {
    const Unit& unit = transaction.units[i];
    if (unit.cause) continue;
    WHERRY_TRY(run_unit(context, unit));
    if (i < from) continue;
    auto checked = executor_.applier().check(context);
    if (checked.ok()) {
      fault = std::nullopt;
    } else if (!is_fault_of_change(checked.error())) {
      return std::move(checked).error();
    } else if (!fault) {
      fault = Fault{i, std::move(checked).error()};
    }
  }
  WHERRY_TRY(executor_.applier().rollback(context));
  return fault;
}

Result<bool> RefusedCommit::ends_well(OpContext& context, const SourceTransaction& transaction) {
  WHERRY_TRY(begin_(context));
  for (const Unit& unit : transaction.units) {
    if (!unit.cause) WHERRY_TRY(run_unit(context, unit));
  }
  auto checked = executor_.applier().check(context);
  if (!checked.ok() && !is_fault_of_change(checked.error())) return std::move(checked).error();
  WHERRY_TRY(executor_.applier().rollback(context));
  return checked.ok();
}

}  // namespace wherry::engine
