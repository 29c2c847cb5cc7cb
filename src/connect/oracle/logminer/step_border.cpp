#include "connect/oracle/logminer/step_border.h"

#include <algorithm>

namespace wherry::oracle {

void StepBorder::begin_step(const Starts& begin, Starts next, std::uint64_t current_scn,
                            std::uint64_t end_scn) {
  begin_ = begin;
  next_ = std::move(next);
  is_behind_ = false;
  if (candidate_scn_ != 0 && end_scn >= candidate_scn_) take_candidates();
  if (candidate_scn_ != 0) return;
  for (auto& [thread, seen] : seen_) seen.candidate = seen.newest;
  candidate_scn_ = current_scn;
  if (end_scn >= candidate_scn_) take_candidates();
}

void StepBorder::take_candidates() {
  for (auto& [thread, seen] : seen_) seen.limit = seen.candidate;
  candidate_scn_ = 0;
}

bool StepBorder::defers(const MinedRow& row) {
  if (!row.address.is_known()) return is_behind_;  // it stands where the redo has it
  Seen& seen = seen_[row.thread];
  seen.newest = std::max(seen.newest, row.address);
  const auto next = next_.find(row.thread);
  const bool is_complete = next != next_.end() && row.address.sequence < next->second.sequence;
  is_behind_ = is_behind_ || (!is_complete && seen.limit < row.address);
  if (is_behind_ && is_complete) {
    const auto begin = begin_.find(row.thread);
    const std::uint32_t first = begin == begin_.end() ? 0 : begin->second.sequence;
    next->second.sequence = std::max(row.address.sequence, first);
  }
  return is_behind_;
}

const StepBorder::Starts& StepBorder::end_step() {
  has_deferred_ = is_behind_;
  return next_;
}

}  // namespace wherry::oracle
