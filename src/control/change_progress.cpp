#include "control/change_progress.h"

#include <utility>

namespace wherry::control {
namespace {

void add_counts(ChangeTotals& totals, const engine::ChangeCounts& counts) {
  totals.inserts += counts.inserts;
  totals.updates += counts.updates;
  totals.deletes += counts.deletes;
  totals.ddls += counts.ddls;
}

}  // namespace

engine::FeedStatus ChangeProgress::feed() const {
  std::lock_guard lock(mutex_);
  return feed_ != nullptr ? feed_->status() : last_;
}

ChangeTotals ChangeProgress::captured() const {
  ChangeTotals out;
  for (const auto* table : apply.tables()) add_counts(out, table->captured);
  return out;
}

ChangeTotals ChangeProgress::applied() const {
  ChangeTotals out;
  for (const auto* table : apply.tables()) add_counts(out, table->applied);
  return out;
}

Position ChangeProgress::position() const {
  const auto checkpoint = apply.checkpoint();
  std::lock_guard lock(mutex_);
  return checkpoint ? checkpoint->position : begin_;
}

void ChangeProgress::set_feed(const engine::StreamFeed* feed) {
  std::lock_guard lock(mutex_);
  if (feed_ != nullptr) last_ = feed_->status();
  feed_ = feed;
}

void ChangeProgress::set_begin(Position position) {
  std::lock_guard lock(mutex_);
  begin_ = std::move(position);
}

}  // namespace wherry::control
