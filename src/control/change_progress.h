// What can be known of a task that captures and applies changes, at any time and from any thread.
#pragma once

#include <mutex>
#include <optional>

#include "connect/api/changes.h"
#include "core/log.h"
#include "engine/changes/apply_progress.h"
#include "engine/changes/stream_feed.h"

namespace wherry::control {

/// Sums over all tables.
using ChangeTotals = engine::ChangeNumbers;

class ChangeProgress {
 public:
  engine::ApplyProgress apply;

  /// As it is, or as it was when reading ended.
  [[nodiscard]] engine::FeedStatus feed() const;
  [[nodiscard]] ChangeTotals captured() const;
  [[nodiscard]] ChangeTotals applied() const;
  /// What the target has: the newest checkpoint, or where this run began.
  [[nodiscard]] Position position() const;

  // By the task itself.
  /// `feed` lives until the next call; nullptr: no more.
  void set_feed(const engine::StreamFeed* feed);
  void set_begin(Position position);

 private:
  mutable std::mutex mutex_;
  const engine::StreamFeed* feed_ = nullptr;
  engine::FeedStatus last_;
  Position begin_;
};

/// Where the time of a run has gone.
void log_times(const Logger& log, const engine::ApplyProgress& progress);

}  // namespace wherry::control
