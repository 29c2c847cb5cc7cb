#include "engine/changes/apply_progress.h"

#include <algorithm>

namespace wherry::engine {

ChangeNumbers& ChangeNumbers::operator+=(const ChangeNumbers& other) {
  inserts += other.inserts;
  updates += other.updates;
  deletes += other.deletes;
  ddls += other.ddls;
  return *this;
}

void ChangeCounts::set(const ChangeNumbers& numbers) {
  inserts = numbers.inserts;
  updates = numbers.updates;
  deletes = numbers.deletes;
  ddls = numbers.ddls;
}

void ChangeCounts::add(const ChangeNumbers& numbers) {
  inserts += numbers.inserts;
  updates += numbers.updates;
  deletes += numbers.deletes;
  ddls += numbers.ddls;
}

ChangeNumbers TableApplyProgress::captured_for_good() const {
  ChangeNumbers out = settled.now();
  // Two numbers of a moment that may differ: one that is open is perhaps not counted yet.
  const std::uint64_t open = open_ddls;
  const std::uint64_t all = captured.ddls;
  out.ddls = all - std::min(open, all);
  return out;
}

void TableApplyProgress::take_back_captured() {
  captured.set(captured_for_good());
  open_ddls = 0;
}

void TableApplyProgress::clear_counts() {
  for (ChangeCounts* each : {&captured, &applied, &settled}) each->set({});
  open_ddls = conflicts = data_errors = 0;
}

void TableApplyProgress::add_counts(const TableApplyCounts& counts) {
  captured.add(counts.captured);
  settled.add(counts.captured);
  applied.add(counts.applied);
  conflicts += counts.conflicts;
  data_errors += counts.data_errors;
}

TableApplyCounts TableApplyProgress::counts() const {
  return {captured_for_good(), applied.now(), conflicts, data_errors};
}

std::string_view name_of(ApplyStage stage) {
  static constexpr std::array<std::string_view, kApplyStageCount> kNames = {
      "read", "decode", "assemble", "conflict", "lane", "apply", "commit"};
  return kNames[static_cast<std::size_t>(stage)];
}

StageTimes operator-(const StageTimes& a, const StageTimes& b) {
  StageTimes out;
  for (std::size_t i = 0; i < kApplyStageCount; ++i) out.spent[i] = a.spent[i] - b.spent[i];
  return out;
}

TableApplyProgress& ApplyProgress::table(const schema::TableRef& source) {
  std::lock_guard lock(mutex_);
  for (TableApplyProgress& entry : tables_) {
    if (entry.source == source) return entry;
  }
  TableApplyProgress& made = tables_.emplace_back();
  made.source = source;
  return made;
}

std::vector<const TableApplyProgress*> ApplyProgress::tables() const {
  std::lock_guard lock(mutex_);
  std::vector<const TableApplyProgress*> out;
  for (const TableApplyProgress& entry : tables_) out.push_back(&entry);
  return out;
}

StageTimes ApplyProgress::times() const {
  StageTimes out;
  for (std::size_t i = 0; i < kApplyStageCount; ++i) {
    out.spent[i] = std::chrono::nanoseconds(spent_[i].load(std::memory_order_relaxed));
  }
  return out;
}

ApplyStage ApplyProgress::limiting_stage(const StageTimes& spent) {
  // The assembling thread is always in one of read, assemble, conflict and lane: where it waits for
  // lanes, they are what is slow.
  const auto longer = [&](ApplyStage a, ApplyStage b) {
    return spent.of(a) >= spent.of(b) ? a : b;
  };
  const ApplyStage assembler = longer(longer(ApplyStage::kRead, ApplyStage::kAssemble),
                                      longer(ApplyStage::kConflict, ApplyStage::kLane));
  if (assembler == ApplyStage::kLane) return longer(ApplyStage::kApply, ApplyStage::kCommit);
  if (assembler != ApplyStage::kRead) return assembler;
  return longer(ApplyStage::kRead, ApplyStage::kDecode);
}

void ApplyProgress::set_captured(std::optional<std::chrono::system_clock::time_point> time) {
  std::lock_guard lock(mutex_);
  captured_ = time;
}

void ApplyProgress::set_interrupted(std::chrono::system_clock::time_point now) {
  std::lock_guard lock(mutex_);
  if (!captured_) captured_ = now;
}

namespace {
std::chrono::milliseconds since(const std::optional<std::chrono::system_clock::time_point>& then,
                                std::chrono::system_clock::time_point now) {
  if (!then || *then > now) return std::chrono::milliseconds(0);
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - *then);
}
}  // namespace

std::chrono::milliseconds ApplyProgress::source_latency(
    std::chrono::system_clock::time_point now) const {
  std::lock_guard lock(mutex_);
  return since(captured_, now);
}

std::chrono::milliseconds ApplyProgress::target_latency(
    std::chrono::system_clock::time_point now) const {
  std::lock_guard lock(mutex_);
  return since(oldest_pending_ ? oldest_pending_ : captured_, now);
}

std::optional<connect::Checkpoint> ApplyProgress::checkpoint() const {
  std::lock_guard lock(mutex_);
  return checkpoint_;
}

void ApplyProgress::set_oldest_pending(std::optional<std::chrono::system_clock::time_point> time) {
  std::lock_guard lock(mutex_);
  oldest_pending_ = time;
}

void ApplyProgress::add_commit(const connect::Checkpoint& checkpoint, connect::CommitOrder order,
                               std::uint64_t transactions) {
  {
    std::lock_guard lock(mutex_);
    if (!checkpoint_ || checkpoint_->sequence <= checkpoint.sequence) checkpoint_ = checkpoint;
  }
  transactions_ += transactions;
  ++commits_;
  set_applied_order(order);
  changes_.notify();
}

void ApplyProgress::set_applied_order(connect::CommitOrder order) {
  connect::CommitOrder seen = applied_order_;
  while (seen < order && !applied_order_.compare_exchange_weak(seen, order)) {
  }
}

void ApplyProgress::take_back_captured() {
  std::lock_guard lock(mutex_);
  for (TableApplyProgress& table : tables_) table.take_back_captured();
}

void ApplyProgress::add_restart() {
  ++restarts_;
  changes_.notify();
}

void ApplyProgress::set_suspended(TableApplyProgress& table, Error error) {
  {
    std::lock_guard lock(mutex_);
    table.error = std::move(error);
  }
  table.is_suspended = true;
  changes_.notify();
}

}  // namespace wherry::engine
