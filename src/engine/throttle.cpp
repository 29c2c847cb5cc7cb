#include "engine/throttle.h"

#include <algorithm>

#include "engine/retry.h"

namespace wherry::engine {

bool Throttle::pass(std::uint64_t bytes, std::stop_token stop) {
  if (rate_ == 0) return true;
  using SteadyClock = std::chrono::steady_clock;
  SteadyClock::time_point until;
  {
    std::lock_guard lock(mutex_);
    const double seconds = static_cast<double>(bytes) / static_cast<double>(rate_);
    // What was not read in time past is not made up for.
    free_at_ =
        std::max(free_at_, SteadyClock::now()) +
        std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(seconds));
    until = free_at_;
  }
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now());
  return wait.count() <= 0 ? !stop.stop_requested() : wait_for(wait, stop);
}

}  // namespace wherry::engine
