// How long a blocked operation may wait, and what wakes it early.
#pragma once

#include <chrono>
#include <stop_token>

#include "core/op_context.h"
#include "core/result.h"

namespace wherry::net {

using Clock = std::chrono::steady_clock;

struct Wait {
  std::stop_token stop;
  Clock::time_point until = Clock::time_point::max();

  /// From a context: its stop token, at most `limit` from now (zero: no limit).
  static Wait of(const OpContext& context, std::chrono::milliseconds limit = {}) {
    return {context.stop, limit.count() > 0 ? Clock::now() + limit : Clock::time_point::max()};
  }
};

/// An eventfd that a stop request makes readable, so that poll() returns at once.
class StopEvent {
 public:
  StopEvent();
  ~StopEvent();
  StopEvent(const StopEvent&) = delete;
  StopEvent& operator=(const StopEvent&) = delete;

  /// Waits until `fd` has one of `events` (poll's bits). Errors: kCancelled; kTransient
  /// "net.timeout" when the time is over.
  Result<void> wait_for(int fd, short events, const Wait& wait);

 private:
  void signal() const;
  void clear() const;
  int fd_;
};

}  // namespace wherry::net
