// A feed that ends at a time of the source: --stop-when time:T.
#pragma once

#include <algorithm>
#include <chrono>

#include "engine/changes/apply.h"
#include "engine/changes/feed.h"

namespace wherry::control {

/// Passes a feed on, up to the last transaction that was committed at or before a time.
class TimeLimitedFeed final : public engine::ChangeFeed {
 public:
  TimeLimitedFeed(engine::ChangeFeed& feed, engine::ApplyLimit& limit,
                  std::chrono::system_clock::time_point time)
      : feed_(feed), limit_(limit), time_(time) {}

  Result<void> start(OpContext& context, const Position& from) override {
    return feed_.start(context, from);
  }
  Result<engine::ChangeBatchPtr> next(OpContext& context) override {
    WHERRY_ASSIGN(engine::ChangeBatchPtr batch, feed_.next(context));
    if (batch && !is_found_) look(*batch);
    return batch;
  }
  [[nodiscard]] bool is_empty() const override { return feed_.is_empty(); }
  Result<void> release(OpContext& context, const connect::Checkpoint& durable) override {
    return feed_.release(context, durable);
  }

 private:
  void look(const connect::ChangeBatch& batch) {
    for (const connect::Change& change : batch.changes()) {
      if (!change.has_commit() || batch.commit(change).time <= time_) continue;
      const connect::CommitOrder order = batch.commit(change).order;
      // Commits of one order are not told apart: the one that is too late goes with all of them.
      if (change.kind == connect::ChangeKind::kBegin) return stop_after(order - 1);
      if (change.kind == connect::ChangeKind::kHeartbeat) return stop_after(order);
    }
  }
  void stop_after(connect::CommitOrder order) {
    is_found_ = true;
    limit_.stop_after(std::min(order, limit_.order()));
  }

  engine::ChangeFeed& feed_;
  engine::ApplyLimit& limit_;
  const std::chrono::system_clock::time_point time_;
  bool is_found_ = false;
};

}  // namespace wherry::control
