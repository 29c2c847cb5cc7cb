// Tells whoever watches a running load or validation that something about it has changed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace wherry::engine {

/// A counter that can be waited for. Thread-safe.
class ChangeSignal {
 public:
  void notify() {
    {
      std::lock_guard lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }
  [[nodiscard]] std::uint64_t count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }
  /// Returns the count when it differs from `seen`, after `limit`, or when stop is requested.
  std::uint64_t wait(std::uint64_t seen, std::chrono::milliseconds limit,
                     std::stop_token stop) const {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, limit, [&] { return count_ != seen; });
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::uint64_t count_ = 0;
};

}  // namespace wherry::engine
