// Executes plans on a lane's connection.
#pragma once

#include <memory>
#include <vector>

#include "engine/changes/apply_progress.h"
#include "engine/changes/window.h"

namespace wherry::engine {

class PlanExecutor {
 public:
  explicit PlanExecutor(ApplyProgress& progress) : progress_(progress) {}
  void set_applier(std::unique_ptr<connect::TargetApplier> applier) {
    applier_ = std::move(applier);
  }
  [[nodiscard]] connect::TargetApplier& applier() { return *applier_; }

  /// Rows of the plan, by their numbers, that the target does not have. After an error the
  /// transaction is rolled back, or to the mark with `is_marked`.
  using Missing = std::vector<std::size_t>;
  Result<Missing> execute(OpContext& context, const StepPlan& plan, bool is_marked);

 private:
  Result<void> settle_rekeys(OpContext& context, const connect::ApplyStep& step,
                             std::vector<std::size_t>& missing);

  ApplyProgress& progress_;
  std::unique_ptr<connect::TargetApplier> applier_;
};

}  // namespace wherry::engine
