#include "engine/changes/group_runner.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "core/failpoint.h"
#include "engine/changes/key_hash.h"

namespace wherry::engine {
namespace {

using connect::ApplyRow;
using connect::ApplyStep;
using connect::ChangeKind;
using connect::StepKind;

/// How often a transaction is begun again at once because the target says kTryAgain.
constexpr int kMostTries = 5;

class StageClock {
 public:
  StageClock(ApplyProgress& progress, ApplyStage stage) : progress_(progress), stage_(stage) {}
  ~StageClock() { progress_.add_time(stage_, std::chrono::steady_clock::now() - begun_); }
  StageClock(const StageClock&) = delete;
  StageClock& operator=(const StageClock&) = delete;

 private:
  ApplyProgress& progress_;
  const ApplyStage stage_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

Error replay_error() {
  return make_error(ErrorKind::kTransient, kReplay,
                    "a large transaction is applied again, change by change",
                    "Nothing: this is done at once");
}

bool is_complete(const WindowChange& change) {
  const std::size_t count = change.table->plan().columns.size();
  return std::none_of(change.after, change.after + count,
                      [](const Cell& cell) { return cell.state == CellState::kUnchanged; });
}

ChangeFault fault_of_missing(const WindowChange& change) {
  return change.kind == ChangeKind::kDelete ? ChangeFault::kDeleteConflict
                                            : ChangeFault::kUpdateConflict;
}

bool has_suspended(const Window& window) {
  return std::any_of(window.changes().begin(), window.changes().end(),
                     [](const WindowChange& change) { return change.table->is_suspended(); });
}

/// The order in which rows that only change their keys can be changed one by one: first those whose
/// new key nobody has. What runs in a circle stays together.
class RekeyOrder {
 public:
  RekeyOrder(const Window& window, std::span<const std::uint32_t> changes)
      : window_(window), changes_(changes), states_(changes.size(), State::kNew) {
    for (std::size_t i = 0; i < changes.size(); ++i) by_before_.emplace(key(i, false), i);
  }
  std::vector<std::vector<std::uint32_t>> groups() {
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (states_[i] == State::kNew) follow(i);
    }
    return std::move(groups_);
  }

 private:
  enum class State : std::uint8_t { kNew, kOnPath, kDone };
  [[nodiscard]] std::uint64_t key(std::size_t i, bool is_after) const {
    const WindowChange& change = window_.changes()[changes_[i]];
    std::uint64_t hash = 0;
    for (const std::size_t c : change.table->identity()) {
      const bool stays = is_after && change.after[c].state == CellState::kUnchanged;
      hash = hash_key_cell(hash, (is_after && !stays ? change.after : change.before)[c]);
    }
    return hash;
  }

  void follow(std::size_t start) {
    std::vector<std::size_t> path;
    std::size_t at = start;
    for (;;) {
      states_[at] = State::kOnPath;
      path.push_back(at);
      const auto next = by_before_.find(key(at, true));
      if (next == by_before_.end() || states_[next->second] == State::kDone) break;
      if (states_[next->second] == State::kOnPath) {
        close_circle(path, next->second);
        break;
      }
      at = next->second;
    }
    for (auto i = path.rbegin(); i != path.rend(); ++i) {
      states_[*i] = State::kDone;
      groups_.push_back({changes_[*i]});
    }
  }
  void close_circle(std::vector<std::size_t>& path, std::size_t first) {
    std::vector<std::uint32_t> circle;
    const auto begin = std::find(path.begin(), path.end(), first);
    for (auto i = begin; i != path.end(); ++i) {
      states_[*i] = State::kDone;
      circle.push_back(changes_[*i]);
    }
    std::sort(circle.begin(), circle.end());
    path.erase(begin, path.end());
    groups_.push_back(std::move(circle));
  }

  const Window& window_;
  const std::span<const std::uint32_t> changes_;
  std::vector<State> states_;
  std::unordered_map<std::uint64_t, std::size_t> by_before_;
  std::vector<std::vector<std::uint32_t>> groups_;
};

}  // namespace

Result<void> GroupRunner::open(OpContext& context) {
  WHERRY_ASSIGN(applier_, shared_.target.open_lane(context, shared_.options.task_name, lane_));
  return {};
}

Result<void> GroupRunner::begin(OpContext& context) {
  StageClock clock(shared_.progress, ApplyStage::kApply);
  WHERRY_TRY(applier_->begin(context));
  is_open_ = true;
  outcome_ = {};
  return {};
}

Result<void> GroupRunner::run(OpContext& context, const WindowPtr& window) {
  if (!is_open_) {
    is_careful_ = window->first_point <= shared_.careful_until;
    has_dropped_ = false;
    WHERRY_TRY(begin(context));
  }
  windows_.push_back(window);
  window_bytes_ += window->used_bytes();
  auto done = is_careful_ ? run_careful(context, *window) : run_plain(context, *window);
  for (int tries = 0; !done.ok() && tries < kMostTries; ++tries) {
    const bool is_fault = !is_careful_ && is_fault_of_change(done.error());
    if (!is_fault && done.error().code != connect::kTryAgain) break;
    if (has_dropped_) return replay_error();
    is_careful_ = is_careful_ || is_fault;
    done = run_again(context);
  }
  WHERRY_TRY(std::move(done));
  if (window->is_last) return finish(context);
  if (window_bytes_ > shared_.options.memory_bytes / 4) {
    windows_.clear();
    window_bytes_ = 0;
    has_dropped_ = true;
  }
  return {};
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
  for (const WindowPtr& each : windows_) {
    WHERRY_TRY(is_careful_ ? run_careful(context, *each) : run_plain(context, *each));
  }
  return {};
}

Result<void> GroupRunner::run_plain(OpContext& context, Window& window) {
  if (!window.barrier().empty()) return run_barrier(context, window);
  if (has_suspended(window) || !window.ambiguous().empty()) return run_careful(context, window);
  window.plan(StepForm::kFolded, std::nullopt, plan_);
  WHERRY_ASSIGN(const Missing missing, execute(context, plan_, false));
  if (!can_decide(window, plan_, missing)) {
    WHERRY_TRY(applier_->rollback(context));
    return missing_row_error(window.changes()[plan_.origins[missing.front()].change]);
  }
  WHERRY_TRY(decide(window, plan_, missing));
  outcome_.rows += plan_.rows.size();
  count(window);
  return {};
}

Result<void> GroupRunner::run_careful(OpContext& context, Window& window) {
  if (!window.barrier().empty()) return run_barrier(context, window);
  WHERRY_TRY(resolve(context, window));
  for (const std::uint32_t family : window.families()) {
    WHERRY_TRY(run_family(context, window, family));
  }
  count(window);
  return {};
}

/// Asks the target which of the rows that move are there.
Result<void> GroupRunner::resolve(OpContext& context, Window& window) {
  for (const TableRoute* table : window.ambiguous()) {
    if (table->is_suspended()) continue;
    window.plan_question(*table, plan_);
    WHERRY_TRY(applier_->mark(context));
    auto missing = execute(context, plan_, true);
    if (!missing.ok()) {
      if (!is_fault_of_change(missing.error())) return std::move(missing).error();
      continue;  // a foreign key is in the way: in the order of the log, then
    }
    std::unordered_set<std::uint64_t> absent;
    for (const std::size_t row : *missing) {
      absent.insert(hash_key(plan_.rows[row].before, table->identity()));
    }
    WHERRY_TRY(applier_->take_back(context));
    window.resolve(*table, absent);
  }
  return {};
}

Result<void> GroupRunner::run_barrier(OpContext& context, const Window& window) {
  failpoint("apply.barrier");
  if (is_careful_) WHERRY_TRY(applier_->mark(context));
  auto done = [&] {
    StageClock clock(shared_.progress, ApplyStage::kApply);
    return applier_->execute(context, window.barrier());
  }();
  const TableRoute* table = nullptr;
  for (const TableRoute* each : window.barrier_tables()) table = each != nullptr ? each : table;
  if (!done.ok()) {
    if (!is_careful_ || !is_fault_of_change(done.error()) || table == nullptr) {
      return std::move(done).error();
    }
    for (const TableRoute* each : window.barrier_tables()) {
      if (each == nullptr || each->is_suspended()) continue;
      const Verdict verdict = judge(ChangeFault::kTable, *each);
      if (verdict.action == ConflictAction::kStopTask) return stopped_by(verdict, done.error());
      WHERRY_TRY(suspend(*each, verdict, done.error()));
    }
  } else {
    for (const TableRoute* each : window.barrier_tables()) {
      if (each != nullptr) ++count_of(*each).ddls;
    }
  }
  outcome_.transactions.insert(outcome_.transactions.end(), window.transactions().begin(),
                               window.transactions().end());
  return {};
}

Result<void> GroupRunner::run_family(OpContext& context, const Window& window,
                                     std::uint32_t family) {
  const std::vector<std::uint32_t> changes = window.changes_of(family);
  const auto table_of = [&](std::uint32_t number) { return window.changes()[number].table; };
  const bool is_whole = std::none_of(changes.begin(), changes.end(), [&](std::uint32_t number) {
    return table_of(number)->is_suspended();
  });
  const bool has_other_keys =
      std::any_of(changes.begin(), changes.end(),
                  [&](std::uint32_t number) { return table_of(number)->has_other_keys; });
  for (const StepForm form : {StepForm::kFolded, StepForm::kPromoted}) {
    if (!is_whole || (form == StepForm::kPromoted && !has_other_keys)) break;
    window.plan(form, family, plan_);
    WHERRY_TRY(applier_->mark(context));
    auto missing = execute(context, plan_, true);
    if (!missing.ok()) {
      if (!is_fault_of_change(missing.error())) return std::move(missing).error();
      continue;
    }
    if (!can_decide(window, plan_, *missing)) {
      WHERRY_TRY(applier_->take_back(context));
      break;
    }
    outcome_.rows += plan_.rows.size();
    return decide(window, plan_, *missing);
  }
  return run_strictly(context, window, changes);
}

/// In the order of the log, without what belongs to suspended tables.
Result<void> GroupRunner::run_strictly(OpContext& context, const Window& window,
                                       std::span<const std::uint32_t> changes) {
  std::vector<std::uint32_t> active;
  for (const std::uint32_t number : changes) {
    const WindowChange& change = window.changes()[number];
    if (change.table->is_suspended()) {
      leave_out(change);
    } else {
      active.push_back(number);
    }
  }
  if (active.empty()) return {};
  return run_active(context, window, active);
}

Result<void> GroupRunner::run_active(OpContext& context, const Window& window,
                                     std::span<const std::uint32_t> changes) {
  window.plan_ordered(changes, plan_);
  const bool is_rekeys = plan_.steps.size() == 1 && plan_.steps[0].kind == StepKind::kRekey;
  WHERRY_TRY(applier_->mark(context));
  auto missing = execute(context, plan_, true);
  if (!missing.ok()) {
    const Error error = std::move(missing).error();
    if (!is_fault_of_change(error)) return error;
    if (changes.size() == 1) return run_single(context, window, changes[0], error);
    return is_rekeys ? run_rekeys(context, window, changes) : run_halves(context, window, changes);
  }
  if (!can_decide(window, plan_, *missing)) {
    WHERRY_TRY(applier_->take_back(context));
    if (changes.size() > 1) return run_halves(context, window, changes);
    const WindowChange& change = window.changes()[changes[0]];
    return write_record(context, window, changes[0], missing_row_error(change));
  }
  outcome_.rows += plan_.rows.size();
  return decide(window, plan_, *missing);
}

Result<void> GroupRunner::run_halves(OpContext& context, const Window& window,
                                     std::span<const std::uint32_t> changes) {
  std::size_t middle = changes.size() / 2;
  // Rows that change their keys together stay together, unless they are all there is.
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const std::size_t first = plan_.firsts[i];
    const std::size_t end = first + plan_.steps[i].rows.size();
    if (plan_.steps[i].kind == StepKind::kRekey && first < middle && middle < end) {
      middle = first != 0 ? first : end < changes.size() ? end : middle;
    }
  }
  const std::vector<std::uint32_t> all(changes.begin(), changes.end());
  WHERRY_TRY(run_strictly(context, window, std::span(all).first(middle)));
  return run_strictly(context, window, std::span(all).subspan(middle));
}

Result<void> GroupRunner::run_rekeys(OpContext& context, const Window& window,
                                     std::span<const std::uint32_t> changes) {
  WHERRY_ASSIGN(const bool is_done, run_resolved(context, window, changes));
  if (is_done) return {};
  for (const auto& group : RekeyOrder(window, changes).groups()) {
    window.plan_ordered(group, plan_);
    WHERRY_TRY(applier_->mark(context));
    auto missing = execute(context, plan_, true);
    if (missing.ok() && can_decide(window, plan_, *missing)) {
      WHERRY_TRY(decide(window, plan_, *missing));
      continue;
    }
    Error error =
        missing.ok() ? missing_row_error(window.changes()[group[0]]) : std::move(missing).error();
    if (missing.ok()) WHERRY_TRY(applier_->take_back(context));
    if (!is_fault_of_change(error)) return error;
    if (missing.ok() && group.size() == 1) {
      WHERRY_TRY(write_record(context, window, group[0], error));
      continue;
    }
    for (const std::uint32_t each : group) {
      if (window.changes()[each].table->is_suspended()) {
        leave_out(window.changes()[each]);
      } else {
        WHERRY_TRY(run_single(context, window, each, error));
      }
    }
  }
  return {};
}

/// Rows that move, folded by what the target says it has; false, and nothing is done, when it does
/// not take them so.
Result<bool> GroupRunner::run_resolved(OpContext& context, const Window& window,
                                       std::span<const std::uint32_t> changes) {
  const TableRoute& table = *window.changes()[changes[0]].table;
  const auto end_plan = [&](StepPlan& plan, StepKind kind) {
    plan.end_step(kind, table, 0);
    plan.finish();
  };
  StepPlan question;
  std::unordered_set<std::uint64_t> absent;
  for (const std::uint32_t number : changes) {
    const WindowChange& change = window.changes()[number];
    if (!absent.insert(hash_key(change.before, table.identity())).second) continue;
    question.add_row({change.before, nullptr}, {number, 1});
  }
  end_plan(question, StepKind::kDelete);
  WHERRY_TRY(applier_->mark(context));
  auto missing = execute(context, question, true);
  if (!missing.ok()) {
    return is_fault_of_change(missing.error()) ? Result<bool>(false) : std::move(missing).error();
  }
  WHERRY_TRY(applier_->take_back(context));
  absent.clear();
  for (const std::size_t row : *missing) {
    absent.insert(hash_key(question.rows[row].before, table.identity()));
  }
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
  end_plan(plan, StepKind::kRekey);
  WHERRY_TRY(applier_->mark(context));
  auto left = execute(context, plan, true);
  if (left.ok() && left->empty()) return true;
  if (left.ok()) WHERRY_TRY(applier_->take_back(context));
  if (!left.ok() && !is_fault_of_change(left.error())) return std::move(left).error();
  return false;
}

/// One change that the target has refused, and that was taken back.
Result<void> GroupRunner::run_single(OpContext& context, const Window& window, std::uint32_t change,
                                     const Error& error) {
  const WindowChange& refused = window.changes()[change];
  const ChangeFault fault = fault_of(refused, error);
  if (fault == ChangeFault::kInsertConflict && refused.ignores_conflicts) {
    leave_out(refused);
    return {};
  }
  const Verdict verdict = judge(fault, *refused.table);
  if (verdict.action == ConflictAction::kWriteRecord) {
    return write_record(context, window, change, error);
  }
  return decide(window, change, fault, verdict, error);
}

/// INSERT_RECORD, UPDATE_RECORD.
Result<void> GroupRunner::write_record(OpContext& context, const Window& window,
                                       std::uint32_t change, const Error& error) {
  const WindowChange& wanted = window.changes()[change];
  const ChangeFault conflict = wanted.kind == ChangeKind::kInsert ? ChangeFault::kInsertConflict
                                                                  : ChangeFault::kUpdateConflict;
  Error cause = error;
  if (wanted.table->identity().empty() || !is_complete(wanted)) {
    cause.hint = "The log does not have the whole row: have the source log all columns";
    return decide(window, change, conflict, {ConflictAction::kLogError, "UPDATE_RECORD"}, cause);
  }
  StepPlan plan;
  plan.add_row({nullptr, wanted.after}, {change, 1});
  plan.end_step(StepKind::kReplace, *wanted.table, 0);
  plan.finish();
  WHERRY_TRY(applier_->mark(context));
  auto done = execute(context, plan, true);
  if (done.ok()) {
    ++count_of(*wanted.table).conflicts;
    return {};
  }
  if (!is_fault_of_change(done.error())) return std::move(done).error();
  const ChangeFault fault =
      done.error().kind == ErrorKind::kData ? ChangeFault::kData : ChangeFault::kTable;
  return decide(window, change, fault, judge(fault, *wanted.table), done.error());
}

Verdict GroupRunner::judge(ChangeFault fault, const TableRoute& table) const {
  std::uint64_t pending = 0;
  if (table.index < outcome_.counts.size()) {
    const Count& counted = outcome_.counts[table.index];
    pending = fault == ChangeFault::kData ? counted.data_errors : counted.conflicts;
  }
  return shared_.errors.judge(fault, table, pending);
}

Result<void> GroupRunner::decide(const Window& window, std::uint32_t change, ChangeFault fault,
                                 const Verdict& verdict, const Error& error) {
  const WindowChange& refused = window.changes()[change];
  if (verdict.action == ConflictAction::kStopTask) return stopped_by(verdict, error);
  Count& counted = count_of(*refused.table);
  ++(fault == ChangeFault::kData || fault == ChangeFault::kTable ? counted.data_errors
                                                                 : counted.conflicts);
  leave_out(refused);
  if (verdict.action == ConflictAction::kIgnoreRecord) return {};
  outcome_.exceptions.push_back(
      {refused.table->plan().target, statement_text(refused),
       error.message + (error.native_text.empty() ? "" : ": " + error.native_text)});
  if (verdict.action == ConflictAction::kSuspendTable) {
    return suspend(*refused.table, verdict, error);
  }
  return {};
}

Result<void> GroupRunner::suspend(const TableRoute& table, const Verdict& verdict,
                                  const Error& error) {
  Error cause = error;
  cause.with("suspended by", verdict.policy);
  WHERRY_TRY(shared_.events.on_suspended(table.plan(), cause));
  shared_.progress.set_suspended(*table.progress, std::move(cause));
  return {};
}

bool GroupRunner::can_decide(const Window& window, const StepPlan& plan,
                             const Missing& missing) const {
  return std::all_of(missing.begin(), missing.end(), [&](std::size_t row) {
    const auto& origin = plan.origins[row];
    const WindowChange& change = window.changes()[origin.change];
    if (change.ignores_conflicts) return true;
    if (origin.count != 1) return false;
    return judge(fault_of_missing(change), *change.table).action != ConflictAction::kWriteRecord;
  });
}

Result<void> GroupRunner::decide(const Window& window, const StepPlan& plan,
                                 const Missing& missing) {
  for (const std::size_t row : missing) {
    const std::uint32_t number = plan.origins[row].change;
    const WindowChange& change = window.changes()[number];
    if (change.ignores_conflicts || change.table->is_suspended()) {
      leave_out(change);
      continue;
    }
    const ChangeFault fault = fault_of_missing(change);
    WHERRY_TRY(
        decide(window, number, fault, judge(fault, *change.table), missing_row_error(change)));
  }
  return {};
}

Result<GroupRunner::Missing> GroupRunner::execute(OpContext& context, const StepPlan& plan,
                                                  bool is_marked) {
  Missing out;
  if (plan.unlocatable != nullptr) {
    if (!is_marked) WHERRY_TRY(applier_->rollback(context));
    return no_identity_error(*plan.unlocatable);
  }
  if (plan.steps.empty()) return out;
  failpoint("apply.execute");
  StageClock clock(shared_.progress, ApplyStage::kApply);
  WHERRY_ASSIGN(auto reports, applier_->execute(context, plan.steps));
  for (std::size_t i = 0; i < reports.size(); ++i) {
    std::vector<std::size_t>& missing = reports[i].missing;
    if (plan.steps[i].kind == StepKind::kRekey && !missing.empty()) {
      WHERRY_TRY(settle_rekeys(context, plan.steps[i], missing));
    }
    for (const std::size_t row : missing) out.push_back(plan.firsts[i] + row);
  }
  return out;
}

/// A row that was missing may be one that the step has moved there: then the log meant that one.
Result<void> GroupRunner::settle_rekeys(OpContext& context, const ApplyStep& step,
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

Result<void> GroupRunner::finish(OpContext& context) {
  auto done = commit(context);
  // A deferred constraint speaks at the end only.
  const bool may_find =
      !done.ok() && (is_fault_of_change(done.error()) || done.error().code == connect::kTryAgain);
  if (may_find && (!is_careful_ || done.error().code == connect::kTryAgain)) {
    if (has_dropped_) return replay_error();
    is_careful_ = is_careful_ || is_fault_of_change(done.error());
    WHERRY_TRY(run_again(context));
    done = commit(context);
  }
  if (!done.ok() && is_fault_of_change(done.error())) {
    Error error = std::move(done).error();
    error.kind = ErrorKind::kResource;
    error.hint = "The target checks a constraint at the end of the transaction: " + error.hint;
    return error;
  }
  WHERRY_TRY(std::move(done));
  is_open_ = false;
  windows_.clear();
  window_bytes_ = 0;
  return {};
}

Result<void> GroupRunner::commit(OpContext& context) {
  const connect::Checkpoint checkpoint = shared_.watermark.prepare(lane_, outcome_.transactions);
  failpoint("apply.before_commit");
  {
    StageClock clock(shared_.progress, ApplyStage::kCommit);
    WHERRY_TRY(applier_->commit(context, checkpoint, outcome_.exceptions));
  }
  failpoint("apply.after_commit");
  shared_.watermark.commit(lane_, outcome_.transactions, checkpoint);
  if (!outcome_.transactions.empty()) committed_ = outcome_.transactions.back().number;
  settle_counts();
  for (const auto& exception : outcome_.exceptions) shared_.events.on_exception(exception);
  shared_.progress.add_pending(-static_cast<std::int64_t>(outcome_.changes));
  shared_.progress.add_fold(outcome_.changes, outcome_.rows);
  shared_.progress.set_oldest_pending(shared_.watermark.oldest_pending());
  shared_.progress.add_commit(checkpoint, shared_.watermark.applied_order(),
                              outcome_.transactions.size());
  return {};
}

GroupRunner::Count& GroupRunner::count_of(const TableRoute& table) {
  if (table.index >= outcome_.counts.size()) outcome_.counts.resize(table.index + 1);
  outcome_.counts[table.index].table = &table;
  return outcome_.counts[table.index];
}

void GroupRunner::count(const Window& window) {
  for (const WindowChange& change : window.changes()) {
    Count& counted = count_of(*change.table);
    ++(change.kind == ChangeKind::kInsert   ? counted.inserts
       : change.kind == ChangeKind::kUpdate ? counted.updates
                                            : counted.deletes);
  }
  outcome_.changes += window.changes().size();
  outcome_.transactions.insert(outcome_.transactions.end(), window.transactions().begin(),
                               window.transactions().end());
}

/// count() counts it; unsigned numbers come out right.
void GroupRunner::leave_out(const WindowChange& change) {
  Count& counted = count_of(*change.table);
  --(change.kind == ChangeKind::kInsert   ? counted.inserts
     : change.kind == ChangeKind::kUpdate ? counted.updates
                                          : counted.deletes);
}

void GroupRunner::settle_counts() {
  for (const Count& counted : outcome_.counts) {
    if (counted.table == nullptr) continue;
    TableApplyProgress& table = *counted.table->progress;
    table.applied.inserts += counted.inserts;
    table.applied.updates += counted.updates;
    table.applied.deletes += counted.deletes;
    table.applied.ddls += counted.ddls;
    table.conflicts += counted.conflicts;
    table.data_errors += counted.data_errors;
  }
}

}  // namespace wherry::engine
