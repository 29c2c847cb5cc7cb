#include "engine/changes/plan_executor.h"

#include <unordered_set>

#include "core/failpoint.h"
#include "engine/changes/key_hash.h"
#include "engine/changes/lane_shared.h"

namespace wherry::engine {

using connect::ApplyRow;
using connect::ApplyStep;
using connect::StepKind;

Result<PlanExecutor::Missing> PlanExecutor::execute(OpContext& context, const StepPlan& plan,
                                                    bool is_marked) {
  Missing out;
  if (plan.unlocatable != nullptr) {
    if (!is_marked) WHERRY_TRY(applier_->rollback(context));
    return no_identity_error(*plan.unlocatable);
  }
  if (plan.steps.empty()) return out;
  failpoint("apply.execute");
  const StageClock clock(progress_, ApplyStage::kApply);
  WHERRY_ASSIGN(auto reports, applier_->execute(context, plan.steps));
  for (std::size_t i = 0; i < reports.size(); ++i) {
    std::vector<std::size_t>& missing = reports[i].missing;
    if (plan.steps[i].kind == StepKind::kRekey && plan.is_logged[i] && !missing.empty()) {
      WHERRY_TRY(settle_rekeys(context, plan.steps[i], missing));
    }
    for (const std::size_t row : missing) out.push_back(plan.firsts[i] + row);
  }
  return out;
}

/// A row that was missing may be one that the step has moved there: then the log meant that one.
Result<void> PlanExecutor::settle_rekeys(OpContext& context, const ApplyStep& step,
                                         std::vector<std::size_t>& missing) {
  const auto& identity = step.table->identity;
  if (identity.empty()) return {};
  std::unordered_set<std::uint64_t> reached;
  for (const ApplyRow& row : step.rows) {
    std::uint64_t hash = 0;
    for (const std::size_t c : identity) {
      const bool stays = row.after[c].state == CellState::kUnchanged;
      hash = hash_key_cell(hash, (stays ? row.before : row.after)[c]);
    }
    reached.insert(hash);
  }
  for (;;) {
    // One row after the other: each may stand on the one before it.
    bool has_moved = false;
    std::vector<std::size_t> left;
    for (const std::size_t row : missing) {
      if (!reached.contains(hash_key(step.rows[row].before, identity))) {
        left.push_back(row);
        continue;
      }
      ApplyStep again;
      again.kind = StepKind::kRekey;
      again.table = step.table;
      again.rows = step.rows.subspan(row, 1);
      WHERRY_ASSIGN(const auto reports, applier_->execute(context, std::span(&again, 1)));
      if (reports[0].missing.empty()) {
        has_moved = true;
      } else {
        left.push_back(row);
      }
    }
    missing = std::move(left);
    if (!has_moved || missing.empty()) return {};
  }
}

}  // namespace wherry::engine
