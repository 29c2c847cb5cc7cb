#include "engine/retry.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace wherry::engine {

std::optional<std::chrono::milliseconds> Backoff::next() {
  if (policy_.most_tries >= 0 && tries_ >= policy_.most_tries) return std::nullopt;
  if (was_longest_ && policy_.stops_at_most_wait) return std::nullopt;
  ++tries_;
  const auto wait = std::min(wait_, policy_.most_wait);
  if (policy_.doubles) {
    was_longest_ = wait_ >= policy_.most_wait;
    wait_ = std::min(wait_ * 2, policy_.most_wait);
  }
  return wait;
}

bool wait_for(std::chrono::milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [&] { return stop.stop_requested(); });
  return !stop.stop_requested();
}

}  // namespace wherry::engine
