// Holds reading from the source to a rate that all readers share.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace wherry::engine {

class Throttle {
 public:
  /// `bytes_per_second` 0: no limit.
  explicit Throttle(std::uint64_t bytes_per_second) : rate_(bytes_per_second) {}
  /// Returns once `bytes` that were read are within the rate; false when stop was requested.
  bool pass(std::uint64_t bytes, std::stop_token stop);

 private:
  const std::uint64_t rate_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point free_at_;
};

}  // namespace wherry::engine
