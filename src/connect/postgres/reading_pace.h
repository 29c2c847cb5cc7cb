// When a stream rests between two reads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace wherry::postgres {

/// A walsender sends every change by itself, and a reader that takes each as it comes costs both a
/// switch of context for it. While the log comes in fast the reader rests, asleep and not waiting
/// for the socket, so that the socket fills; a stream that has caught up is read at once.
class ReadingPace {
 public:
  /// Before a read: a pause, when the last ones brought much.
  void rest() const {
    if (is_fast_) std::this_thread::sleep_for(kPause);
  }
  /// What a read has brought. False: more is likely to come at once.
  bool note(std::size_t bytes) {
    bytes_ += bytes;
    empty_reads_ = bytes == 0 ? empty_reads_ + 1 : 0;
    if (empty_reads_ >= kMostEmptyReads) is_fast_ = false;
    const auto now = Clock::now();
    const auto elapsed = now - since_;
    if (elapsed >= kWindow) {
      const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
      is_fast_ = bytes_ >= kFastBytesPerMs * static_cast<std::uint64_t>(millis);
      bytes_ = 0;
      since_ = now;
    }
    return bytes == 0 && !is_fast_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kPause{500};
  static constexpr std::chrono::milliseconds kWindow{10};
  static constexpr int kMostEmptyReads = 4;
  static constexpr std::uint64_t kFastBytesPerMs = 4 * 1024;
  bool is_fast_ = false;
  int empty_reads_ = 0;
  std::uint64_t bytes_ = 0;
  Clock::time_point since_ = Clock::now();
};

}  // namespace wherry::postgres
