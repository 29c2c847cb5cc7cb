#include "engine/changes/plan_executor.h"

#include <algorithm>
#include <unordered_set>

#include "core/failpoint.h"
#include "engine/changes/key_hash.h"
#include "engine/changes/lane_shared.h"

namespace wherry::engine {

using connect::ApplyRow;
using connect::ApplyStep;
using connect::StepKind;

namespace {

/// Hashes of the identities that the rows of a kRekey come to have.
std::unordered_set<std::uint64_t> reached_by(const ApplyStep& step) {
  std::unordered_set<std::uint64_t> out;
  for (const ApplyRow& row : step.rows) {
    std::uint64_t hash = 0;
    for (const std::size_t c : step.table->identity) {
      const bool stays = row.after[c].state == CellState::kUnchanged;
      hash = hash_key_cell(hash, (stays ? row.before : row.after)[c]);
    }
    out.insert(hash);
  }
  return out;
}

/// Whether a row of the step may stand on another one of it: what comes after such a step must see
/// all of it done.
bool may_chain(const StepPlan& plan, std::size_t step) {
  const ApplyStep& moves = plan.steps[step];
  if (moves.kind != StepKind::kRekey || !plan.is_logged[step] || moves.rows.size() < 2 ||
      moves.table->identity.empty()) {
    return false;
  }
  const auto reached = reached_by(moves);
  return std::any_of(moves.rows.begin(), moves.rows.end(), [&](const ApplyRow& row) {
    return reached.contains(hash_key(row.before, moves.table->identity));
  });
}

}  // namespace

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
  const std::span<const ApplyStep> steps(plan.steps);
  for (std::size_t from = 0; from < steps.size();) {
    std::size_t end = from + 1;
    while (end < steps.size() && !may_chain(plan, end - 1)) ++end;
    WHERRY_ASSIGN(auto reports, applier_->execute(context, steps.subspan(from, end - from)));
    if (may_chain(plan, end - 1) && !reports.back().missing.empty()) {
      WHERRY_TRY(settle_rekeys(context, steps[end - 1], reports.back().missing));
    }
    for (std::size_t i = from; i < end; ++i) {
      for (const std::size_t row : reports[i - from].missing) out.push_back(plan.firsts[i] + row);
    }
    from = end;
  }
  return out;
}

/// A row that was missing may be one that the step has moved there: then the log meant that one.
Result<void> PlanExecutor::settle_rekeys(OpContext& context, const ApplyStep& step,
                                         std::vector<std::size_t>& missing) {
  const auto& identity = step.table->identity;
  const auto reached = reached_by(step);
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
