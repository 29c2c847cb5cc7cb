// The lanes of an apply: a thread with a GroupRunner each. Used by the assembling thread.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "engine/changes/conflicts.h"
#include "engine/changes/group_runner.h"

namespace wherry::engine {

class LanePool {
 public:
  using Numbers = std::array<std::uint64_t, kMostLanes>;

  LanePool(const OpContext& context, std::uint32_t lanes, const LaneShared& shared);
  /// Ends the threads; what they had not committed is rolled back.
  ~LanePool();
  LanePool(const LanePool&) = delete;
  LanePool& operator=(const LanePool&) = delete;

  /// Connects all lanes and starts them.
  Result<void> open(OpContext& context);
  /// Gives a window to a lane; waits while that has one waiting already. The error is that of a
  /// lane that failed, of whichever.
  Result<void> submit(std::uint32_t lane, WindowPtr window);
  [[nodiscard]] bool has_room(std::uint32_t lane) const;
  /// Waits until none of these lanes, a bit each, has anything to do.
  Result<void> wait_idle(std::uint32_t lanes = ~0U);
  /// Waits until something changes, and no longer than `limit`.
  Result<void> wait_any(std::chrono::milliseconds limit);
  [[nodiscard]] Result<void> check() const;
  /// By lane: the highest number that it has committed.
  [[nodiscard]] Numbers committed() const;
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(lanes_.size()); }
  /// The lane with the least to do.
  [[nodiscard]] std::uint32_t idlest() const;

 private:
  struct Lane {
    std::unique_ptr<GroupRunner> runner;
    std::deque<WindowPtr> queue;
    bool is_busy = false;
    std::uint64_t committed = 0;
    std::jthread thread;
  };
  void work(Lane& lane);
  [[nodiscard]] Result<void> verdict() const;

  OpContext context_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> link_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Error> failure_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace wherry::engine
