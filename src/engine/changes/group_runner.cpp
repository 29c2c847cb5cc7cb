#include "engine/changes/group_runner.h"

#include <algorithm>

#include "core/failpoint.h"
#include "engine/changes/refused_commit.h"

namespace wherry::engine {
namespace {

/// How often a transaction is begun again at once because the target says kTryAgain.
constexpr int kMostGroupTries = 5;
/// Changes that go to the target with their checkpoint, for somebody waits for them. With more, the
/// round trip that this saves is nothing.
constexpr std::size_t kMostOneTripChanges = 100;

Error replay_error() {
  return make_error(ErrorKind::kTransient, kReplay,
                    "a large transaction is applied again, change by change",
                    "Nothing: this is done at once");
}

bool has_suspended(const Window& window) {
  return std::any_of(window.changes().begin(), window.changes().end(),
                     [](const WindowChange& change) { return change.table->is_suspended(); });
}

}  // namespace

Result<void> GroupRunner::open(OpContext& context) {
  WHERRY_ASSIGN(auto applier, shared_.target.open_lane(context, shared_.options.task_name, lane_));
  executor_.set_applier(std::move(applier));
  return {};
}

Result<void> GroupRunner::begin(OpContext& context) {
  const StageClock clock(shared_.progress, ApplyStage::kApply);
  outcome_.reset();
  is_committing_ = false;
  WHERRY_TRY(executor_.applier().begin(context));
  is_open_ = true;
  return {};
}

Result<void> GroupRunner::run(OpContext& context, const WindowPtr& window) {
  windows_.push_back(window);
  window_bytes_ += window->used_bytes();
  auto done = run_first(context, *window);
  for (int tries = 0; !done.ok(); ++tries) {
    const Error& error = done.error();
    const bool is_fault = is_fault_of_change(error);
    const bool is_again = error.code == connect::kTryAgain && tries < kMostGroupTries;
    if (!is_again && !is_fault) return done;
    if (has_dropped_ && (is_again || !is_careful_)) return replay_error();
    if (is_fault && is_careful_) {
      // A deferred constraint speaks at the end only.
      if (!is_committing_) return done;
      if (has_dropped_) return refused_at_end(error);
      return run_apart(context);
    }
    is_careful_ = is_careful_ || is_fault;
    done = run_again(context);
  }
  if (window->is_last) {
    forget_windows();
  } else if (window_bytes_ > shared_.options.memory_bytes / 4) {
    forget_windows();
    has_dropped_ = true;
  }
  return {};
}

void GroupRunner::forget_windows() {
  windows_.clear();
  window_bytes_ = 0;
}

Result<void> GroupRunner::run_first(OpContext& context, Window& window) {
  if (!is_open_) {
    is_careful_ = window.first_point <= shared_.careful_until;
    has_dropped_ = false;
    WHERRY_ASSIGN(const bool is_done, run_in_one_trip(context, window));
    if (is_done) return {};
    WHERRY_TRY(begin(context));
  }
  WHERRY_TRY(run_window(context, window));
  return window.is_last ? commit(context) : Result<void>();
}

/// Everything of the target transaction, which is rolled back.
Result<void> GroupRunner::run_again(OpContext& context) {
  is_open_ = false;
  // What a lane beside this one has still to commit may be what is in the way.
  if (is_careful_ && !windows_.front()->transactions().empty() &&
      !shared_.watermark.wait_for_all_before(windows_.front()->transactions().front().number,
                                             context.stop)) {
    return cancelled_error();
  }
  WHERRY_TRY(begin(context));
  for (const WindowPtr& each : windows_) WHERRY_TRY(run_window(context, *each));
  return windows_.back()->is_last ? commit(context) : Result<void>();
}

Result<void> GroupRunner::run_apart(OpContext& context) {
  is_open_ = false;
  RefusedCommit apart(
      executor_, outcome_, careful_, [this](OpContext& c) { return begin(c); },
      [this](OpContext& c) { return commit(c); });
  WHERRY_TRY(apart.run(context, windows_));
  forget_windows();
  return {};
}

Result<void> GroupRunner::run_window(OpContext& context, Window& window) {
  if (!window.barrier().empty()) return run_barrier(context, window);
  if (is_careful_ || has_suspended(window) || !window.ambiguous().empty()) {
    return careful_.run(context, window);
  }
  return run_folded(context, window);
}

Result<void> GroupRunner::run_folded(OpContext& context, Window& window) {
  window.plan(StepForm::kFolded, std::nullopt, plan_);
  WHERRY_ASSIGN(const auto missing, executor_.execute(context, plan_, false));
  if (!careful_.can_decide(window, plan_, missing)) {
    WHERRY_TRY(executor_.applier().rollback(context));
    return missing_row_error(window.changes()[plan_.origins[missing.front()].change]);
  }
  WHERRY_TRY(careful_.decide(window, plan_, missing));
  outcome_.count_rows(plan_.rows.size());
  for (const WindowChange& change : window.changes()) outcome_.count(change);
  outcome_.add(window.transactions());
  return {};
}

Result<void> GroupRunner::run_barrier(OpContext& context, const Window& window) {
  failpoint("apply.barrier");
  if (is_careful_) {
    WHERRY_TRY(careful_.run_barrier(context, window));
  } else {
    const StageClock clock(shared_.progress, ApplyStage::kApply);
    WHERRY_TRY(executor_.applier().execute(context, window.barrier()));
    outcome_.count_ddls(window);
  }
  outcome_.add(window.transactions());
  return {};
}

Result<bool> GroupRunner::run_in_one_trip(OpContext& context, Window& window) {
  if (is_careful_ || !window.is_last || window.changes().empty() ||
      window.changes().size() > kMostOneTripChanges || has_suspended(window) ||
      !window.ambiguous().empty()) {
    return false;
  }
  window.plan(StepForm::kFolded, std::nullopt, plan_);
  if (plan_.unlocatable != nullptr || plan_.steps.empty()) return false;
  outcome_.reset();
  const auto checkpoint = shared_.watermark.prepare(lane_, window.transactions());
  failpoint("apply.before_commit");
  const StageClock clock(shared_.progress, ApplyStage::kApply);
  WHERRY_ASSIGN(const auto done, executor_.applier().apply(context, plan_.steps, checkpoint));
  if (!done.is_committed) return false;
  outcome_.count_rows(plan_.rows.size());
  for (const WindowChange& change : window.changes()) outcome_.count(change);
  outcome_.add(window.transactions());
  settle(checkpoint);
  return true;
}

Result<void> GroupRunner::commit(OpContext& context) {
  is_committing_ = true;
  const auto checkpoint = shared_.watermark.prepare(lane_, outcome_.transactions());
  failpoint("apply.before_commit");
  {
    const StageClock clock(shared_.progress, ApplyStage::kCommit);
    WHERRY_TRY(executor_.applier().commit(context, checkpoint, outcome_.exceptions()));
  }
  settle(checkpoint);
  return {};
}

/// It is committed.
void GroupRunner::settle(const connect::Checkpoint& checkpoint) {
  failpoint("apply.after_commit");
  is_open_ = false;
  const auto& transactions = outcome_.transactions();
  shared_.watermark.commit(lane_, transactions, checkpoint);
  if (!transactions.empty()) committed_ = transactions.back().number;
  outcome_.settle();
  shared_.progress.set_oldest_pending(shared_.watermark.oldest_pending());
  shared_.progress.add_commit(checkpoint, shared_.watermark.applied_order(), transactions.size());
}

}  // namespace wherry::engine
