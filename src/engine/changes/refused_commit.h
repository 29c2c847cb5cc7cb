// A target transaction that the target has refused at its commit, for a constraint that is checked
// at the end: finds out which changes are at fault and has the error policies decide on them. Part
// of a lane.
//
// The source's transactions are committed in halves, and in halves of those, until single ones are
// left that are refused. Of such a one each change is executed by itself, and after each the target
// is asked whether it would commit. A transaction may break a constraint for a while; the change
// after which it stays broken is at fault. It is left out, and the rest is tried again.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/changes/careful_runner.h"

namespace wherry::engine {

/// The error that ends the task where nothing can be left out.
Error refused_at_end(const Error& cause);

class RefusedCommit {
 public:
  /// Begins and commits the lane's target transaction; commit() of what the outcome has.
  using Call = std::function<Result<void>(OpContext&)>;
  RefusedCommit(PlanExecutor& executor, GroupOutcome& outcome, CarefulRunner& runner, Call begin,
                Call commit)
      : executor_(executor),
        outcome_(outcome),
        runner_(runner),
        begin_(std::move(begin)),
        commit_(std::move(commit)) {}

  /// `windows`: of the whole target transaction, which is rolled back. All is committed when it
  /// returns without an error.
  Result<void> run(OpContext& context, std::span<const WindowPtr> windows);

 private:
  /// What is executed by itself: a change, rows that change their keys together, or a barrier.
  struct Unit {
    const Window* window = nullptr;
    std::vector<std::uint32_t> changes;  ///< empty: the window is a barrier
    std::optional<Error> cause;          ///< it is left out
  };
  struct SourceTransaction {
    std::vector<Unit> units;
    std::optional<StreamTransaction> stream;  ///< nothing: what is outside of transactions
  };
  struct Fault {
    std::size_t unit = 0;
    Error error;
  };

  static std::vector<SourceTransaction> split(std::span<const WindowPtr> windows);
  Result<void> run_range(OpContext& context, std::span<SourceTransaction> range);
  /// False: refused at the commit.
  Result<bool> run_once(OpContext& context, std::span<SourceTransaction> range);
  Result<void> search(OpContext& context, SourceTransaction& transaction);
  Result<std::optional<Fault>> find_fault(OpContext& context, const SourceTransaction& transaction,
                                          std::size_t from);
  Result<bool> ends_well(OpContext& context, const SourceTransaction& transaction);
  Result<void> run_unit(OpContext& context, const Unit& unit);
  Result<void> leave_out(OpContext& context, const Unit& unit);
  Result<void> run_units(OpContext& context, const SourceTransaction& transaction);

  PlanExecutor& executor_;
  GroupOutcome& outcome_;
  CarefulRunner& runner_;
  const Call begin_, commit_;
  std::optional<Error> refusal_;  ///< the last one of a commit
};

}  // namespace wherry::engine
