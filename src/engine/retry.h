// What to do about a connection that broke: wait, longer each time, and try again; until the
// settings say that it is enough.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>

namespace wherry::engine {

/// DMS ErrorBehavior.RecoverableError*.
struct RetryPolicy {
  std::int64_t most_tries = -1;                    ///< RecoverableErrorCount; -1: no limit
  std::chrono::milliseconds wait{5000};            ///< RecoverableErrorInterval
  bool doubles = true;                             ///< RecoverableErrorThrottling
  std::chrono::milliseconds most_wait{1'800'000};  ///< RecoverableErrorThrottlingMax
  bool stops_at_most_wait = true;                  ///< RecoverableErrorStopRetryAfterThrottlingMax
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// The waits of one piece of work that goes wrong again and again.
class Backoff {
 public:
  explicit Backoff(const RetryPolicy& policy) : policy_(policy), wait_(policy.wait) {}
  /// How long to wait before the next try; nullopt: no more tries.
  std::optional<std::chrono::milliseconds> next();
  [[nodiscard]] std::int64_t tries() const { return tries_; }

 private:
  const RetryPolicy policy_;
  std::chrono::milliseconds wait_;
  std::int64_t tries_ = 0;
  bool was_longest_ = false;
};

/// Sleeps unless stop is requested; false then.
bool wait_for(std::chrono::milliseconds time, std::stop_token stop);

}  // namespace wherry::engine
