// One lane's work: executes windows in target transactions.
//
// First all steps of a window go out at once. When a change is at fault, the target transaction is
// rolled back and done again carefully (CarefulRunner); when its commit is refused even then, its
// transactions are done apart (RefusedCommit).
#pragma once

#include <vector>

#include "engine/changes/careful_runner.h"

namespace wherry::engine {

class GroupRunner {
 public:
  GroupRunner(std::uint32_t lane, const LaneShared& shared)
      : lane_(lane),
        shared_(shared),
        executor_(shared.progress),
        outcome_(shared),
        careful_(executor_, outcome_) {}
  Result<void> open(OpContext& context);
  /// Executes the window, and commits when it is the last of its target transaction. After an error
  /// the lane is of no more use; kReplay is one of them.
  Result<void> run(OpContext& context, const WindowPtr& window);
  /// The highest number that was committed.
  [[nodiscard]] std::uint64_t committed() const { return committed_; }

 private:
  Result<void> begin(OpContext& context);
  Result<void> run_first(OpContext& context, Window& window);
  Result<void> run_again(OpContext& context);
  Result<void> run_apart(OpContext& context);
  Result<void> run_window(OpContext& context, Window& window);
  Result<void> run_folded(OpContext& context, Window& window);
  Result<void> run_barrier(OpContext& context, const Window& window);
  /// True: all of the window's work is done and committed, in one round trip.
  Result<bool> run_in_one_trip(OpContext& context, Window& window);
  Result<void> commit(OpContext& context);
  void settle(const connect::Checkpoint& checkpoint);
  void forget_windows();

  const std::uint32_t lane_;
  const LaneShared& shared_;
  PlanExecutor executor_;
  GroupOutcome outcome_;
  CarefulRunner careful_;
  bool is_open_ = false;        ///< a target transaction
  bool is_careful_ = false;     ///< it
  bool has_dropped_ = false;    ///< windows of it are gone
  bool is_committing_ = false;  ///< all of it is executed
  std::vector<WindowPtr> windows_;
  std::size_t window_bytes_ = 0;
  StepPlan plan_;
  std::uint64_t committed_ = 0;
};

}  // namespace wherry::engine
