#include "engine/changes/group_outcome.h"

namespace wherry::engine {

using connect::ChangeKind;

namespace {
template <class Numbers>
std::uint64_t& number_of(Numbers& numbers, ChangeKind kind) {
  if (kind == ChangeKind::kInsert) return numbers.inserts;
  return kind == ChangeKind::kUpdate ? numbers.updates : numbers.deletes;
}
}  // namespace

std::uint64_t& GroupOutcome::Count::of(ChangeKind kind) {
  return number_of(*this, kind);
}

void GroupOutcome::reset() {
  exceptions_.clear();
  counts_.clear();
  transactions_.clear();
  changes_ = rows_ = 0;
}

GroupOutcome::Count& GroupOutcome::count_of(const TableRoute& table) {
  if (table.index >= counts_.size()) counts_.resize(table.index + 1);
  counts_[table.index].table = &table;
  return counts_[table.index];
}

void GroupOutcome::count(const WindowChange& change) {
  Count& count = count_of(*change.table);
  ++count.of(change.kind);
  ++number_of(count.settled, change.kind);
  ++changes_;
}

/// Perhaps before it is counted: unsigned numbers come out right.
void GroupOutcome::leave_out(const WindowChange& change) {
  --count_of(*change.table).of(change.kind);
}

void GroupOutcome::count_ddls(const Window& window, bool are_done) {
  for (std::size_t i = 0; i < window.barrier().size(); ++i) {
    const TableRoute* table = window.barrier_tables()[i];
    const bool is_ddl = window.barrier()[i].kind != connect::StepKind::kUpdate;
    if (table == nullptr || !is_ddl) continue;
    Count& count = count_of(*table);
    if (are_done) ++count.ddls;
    ++count.settled.ddls;
  }
}

void GroupOutcome::add(const std::vector<StreamTransaction>& transactions) {
  transactions_.insert(transactions_.end(), transactions.begin(), transactions.end());
}

Verdict GroupOutcome::judge(ChangeFault fault, const TableRoute& table) const {
  std::uint64_t pending = 0;
  if (table.index < counts_.size()) {
    const Count& counted = counts_[table.index];
    pending = fault == ChangeFault::kData ? counted.data_errors : counted.conflicts;
  }
  return shared_.errors.judge(fault, table, pending);
}

Result<void> GroupOutcome::decide(const WindowChange& change, ChangeFault fault,
                                  const Verdict& verdict, const Error& error) {
  if (verdict.action == ConflictAction::kStopTask) return stopped_by(verdict, error);
  Count& counted = count_of(*change.table);
  ++(fault == ChangeFault::kData || fault == ChangeFault::kTable ? counted.data_errors
                                                                 : counted.conflicts);
  leave_out(change);
  if (verdict.action == ConflictAction::kIgnoreRecord) return {};
  exceptions_.push_back(
      {change.table->plan().target, statement_text(change),
       error.message + (error.native_text.empty() ? "" : ": " + error.native_text)});
  if (verdict.action == ConflictAction::kSuspendTable) {
    return suspend(*change.table, verdict, error);
  }
  return {};
}

Result<void> GroupOutcome::suspend(const TableRoute& table, const Verdict& verdict,
                                   const Error& error) {
  Error cause = error;
  cause.with("suspended by", verdict.policy);
  WHERRY_TRY(shared_.events.on_suspended(table.plan(), cause));
  shared_.progress.set_suspended(*table.progress, std::move(cause));
  return {};
}

void GroupOutcome::settle() {
  for (const Count& counted : counts_) {
    if (counted.table == nullptr) continue;
    TableApplyProgress& table = *counted.table->progress;
    table.applied.inserts += counted.inserts;
    table.applied.updates += counted.updates;
    table.applied.deletes += counted.deletes;
    table.applied.ddls += counted.ddls;
    table.open_ddls -= counted.settled.ddls;
    ChangeNumbers rows = counted.settled;
    rows.ddls = 0;
    table.settled.add(rows);
    table.conflicts += counted.conflicts;
    table.data_errors += counted.data_errors;
  }
  for (const auto& exception : exceptions_) shared_.events.on_exception(exception);
  shared_.progress.add_pending(-static_cast<std::int64_t>(changes_));
  shared_.progress.add_fold(changes_, rows_);
}

}  // namespace wherry::engine
