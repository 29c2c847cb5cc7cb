// Windows whose changes are not taken together: finds out which one is at fault, behind marks, and
// has the error policies decide on it. Part of a lane.
//
// Family by family: folded; then, where there are more unique keys than one, with updates as
// kRekey; then in the order of the log, cut in halves until single changes are left.
#pragma once

#include <span>

#include "engine/changes/group_outcome.h"
#include "engine/changes/plan_executor.h"

namespace wherry::engine {

class CarefulRunner {
 public:
  CarefulRunner(PlanExecutor& executor, GroupOutcome& outcome)
      : executor_(executor), outcome_(outcome) {}

  /// REQUIRES, as all below: a transaction is open. An error is not the fault of a change, or is a
  /// policy's; the transaction is of no more use then.
  Result<void> run(OpContext& context, Window& window);
  /// Some changes, ascending, in the order of the log.
  Result<void> run_strictly(OpContext& context, const Window& window,
                            std::span<const std::uint32_t> changes);
  /// Steps that are alone; when the target refuses them their tables are suspended.
  Result<void> run_barrier(OpContext& context, const Window& window);
  /// The policies decide on a change that the target has refused, and that was taken back.
  Result<void> run_single(OpContext& context, const Window& window, std::uint32_t change,
                          const Error& error);

  /// Whether the policies can decide on each missing row of the plan as it is.
  [[nodiscard]] bool can_decide(const Window& window, const StepPlan& plan,
                                const PlanExecutor::Missing& missing) const;
  Result<void> decide(const Window& window, const StepPlan& plan,
                      const PlanExecutor::Missing& missing);

 private:
  using Changes = std::span<const std::uint32_t>;
  Result<void> resolve(OpContext& context, Window& window);
  Result<void> run_family(OpContext& context, const Window& window, std::uint32_t family);
  Result<void> run_active(OpContext& context, const Window& window, Changes changes);
  Result<void> run_halves(OpContext& context, const Window& window, Changes changes);
  Result<void> run_rekeys(OpContext& context, const Window& window, Changes changes);
  Result<void> run_rekey_group(OpContext& context, const Window& window, Changes group);
  Result<bool> run_resolved(OpContext& context, const Window& window, Changes changes);
  Result<void> write_record(OpContext& context, const Window& window, std::uint32_t change,
                            const Error& error);

  PlanExecutor& executor_;
  GroupOutcome& outcome_;
  StepPlan plan_;
};

}  // namespace wherry::engine
