#include "engine/changes/watermark.h"

#include <algorithm>

namespace wherry::engine {

void Watermark::start(const connect::Checkpoint& from,
                      std::vector<std::vector<connect::CommitPoint>> above) {
  std::lock_guard lock(mutex_);
  entries_.clear();
  first_number_ = 1;
  mark_ = from;
  mark_.applied_above.clear();
  order_ = from.point.order;
  stored_ = mark_;
  above_ = std::move(above);
}

std::uint64_t Watermark::add(StreamTransaction transaction) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_.emplace_back();
  entry.order = transaction.point.order;
  entry.transaction = std::move(transaction);
  entry.transaction.number = first_number_ + entries_.size() - 1;
  return entry.transaction.number;
}

void Watermark::pass(std::uint64_t number) {
  std::lock_guard lock(mutex_);
  WHERRY_ASSERT(number >= first_number_ && number - first_number_ < entries_.size(),
                "the transaction is not pending");
  entries_[number - first_number_].is_applied = true;
  advance();
}

void Watermark::add_heartbeat(const Position& position, connect::CommitOrder order,
                              std::chrono::system_clock::time_point time) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_.emplace_back();
  entry.transaction.position = position;
  entry.transaction.time = time;
  entry.order = order;
  entry.is_heartbeat = entry.is_applied = true;
  advance();
}

void Watermark::take(const Entry& entry, connect::Checkpoint& into) {
  into.position = entry.transaction.position;
  ++into.sequence;
  if (entry.is_heartbeat) return;
  into.point = entry.transaction.point;
  into.commit_time = entry.transaction.time;
}

void Watermark::advance() {
  while (!entries_.empty() && entries_.front().is_applied) {
    take(entries_.front(), mark_);
    order_ = std::max(order_, entries_.front().order);
    entries_.pop_front();
    ++first_number_;
  }
  advanced_.notify_all();
}

connect::Checkpoint Watermark::prepare(std::uint32_t lane,
                                       std::span<const StreamTransaction> committing) {
  std::lock_guard lock(mutex_);
  connect::Checkpoint out = mark_;
  auto next = committing.begin();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::uint64_t number = first_number_ + i;
    while (next != committing.end() && next->number < number) ++next;
    const bool is_mine = next != committing.end() && next->number == number;
    if (!entries_[i].is_applied && !is_mine) break;
    take(entries_[i], out);
  }
  if (lane < above_.size()) out.applied_above = above_[lane];
  for (const StreamTransaction& each : committing) out.applied_above.push_back(each.point);
  std::erase_if(out.applied_above,
                [&](const connect::CommitPoint& point) { return point <= out.point; });
  std::sort(out.applied_above.begin(), out.applied_above.end());
  return out;
}

void Watermark::commit(std::uint32_t lane, std::span<const StreamTransaction> committed,
                       const connect::Checkpoint& stored) {
  std::lock_guard lock(mutex_);
  for (const StreamTransaction& each : committed) {
    WHERRY_ASSERT(each.number >= first_number_, "a transaction was applied twice");
    entries_[each.number - first_number_].is_applied = true;
  }
  if (lane >= above_.size()) above_.resize(lane + 1);
  above_[lane] = stored.applied_above;
  if (stored_.sequence <= stored.sequence) {
    stored_ = stored;
    stored_.applied_above.clear();
  }
  advance();
}

connect::Checkpoint Watermark::stored() const {
  std::lock_guard lock(mutex_);
  return stored_;
}

bool Watermark::is_ahead_of_stored() const {
  std::lock_guard lock(mutex_);
  return stored_.position != mark_.position;
}

connect::CommitOrder Watermark::applied_order() const {
  std::lock_guard lock(mutex_);
  return order_;
}

std::optional<std::chrono::system_clock::time_point> Watermark::oldest_pending() const {
  std::lock_guard lock(mutex_);
  if (entries_.empty()) return std::nullopt;
  return entries_.front().transaction.time;
}

std::size_t Watermark::pending() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

bool Watermark::wait_for_all_before(std::uint64_t number, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return advanced_.wait(lock, stop, [&] { return first_number_ >= number; });
}

bool Watermark::wait_for_pending(std::size_t most, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return advanced_.wait(lock, stop, [&] { return entries_.size() <= most; });
}

}  // namespace wherry::engine
