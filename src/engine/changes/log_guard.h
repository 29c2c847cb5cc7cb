// Watches how much more a source may write before it throws away log that the task still needs, and
// says so in time: with a forecast of when, from how fast that shrinks.
//
// Used by one thread at a time.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "connect/api/changes.h"
#include "core/log.h"

namespace wherry::engine {

class LogGuard {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit LogGuard(Logger log) : log_(std::move(log)) {}

  /// What the source said at `now`. Warns when the log is in danger, again when that gets much
  /// worse or has lasted, and tells when it is over.
  void note(Time now, const connect::SourceHead& head);
  /// As it goes on now; nullopt: the source keeps its log, or what is left does not shrink.
  [[nodiscard]] std::optional<std::chrono::seconds> until_lost() const { return until_lost_; }

 private:
  struct Sample {
    Time at;
    std::uint64_t left_bytes = 0;
  };
  void forecast();
  [[nodiscard]] bool is_in_danger(const connect::SourceHead& head) const;
  void warn(Time now, const connect::SourceHead& head);

  const Logger log_;
  std::deque<Sample> samples_;  ///< oldest first
  std::optional<std::chrono::seconds> until_lost_;
  std::optional<Time> warned_at_;  ///< and it is not over
  std::uint64_t warned_left_bytes_ = 0;
};

}  // namespace wherry::engine
