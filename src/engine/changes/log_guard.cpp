#include "engine/changes/log_guard.h"

#include <string>

namespace wherry::engine {
namespace {

/// The pace is that of the last minutes; of less than some seconds it is chance.
constexpr std::chrono::minutes kWindow{5};
constexpr std::chrono::seconds kLeastSpan{3};
constexpr std::chrono::hours kSoon{1};
constexpr std::uint64_t kSmallPart = 5;  ///< a fifth of what the source keeps is left
constexpr std::chrono::minutes kBetweenWarnings{10};

}  // namespace

void LogGuard::note(Time now, const connect::SourceHead& head) {
  if (!head.bytes_until_lost) {
    samples_.clear();
    until_lost_.reset();
    warned_at_.reset();
    return;
  }
  samples_.push_back({now, *head.bytes_until_lost});
  while (samples_.front().at + kWindow < now) samples_.pop_front();
  forecast();
  if (is_in_danger(head)) {
    const bool is_worse = *head.bytes_until_lost <= warned_left_bytes_ / 2;
    if (!warned_at_ || is_worse || now - *warned_at_ >= kBetweenWarnings) warn(now, head);
  } else if (warned_at_) {
    warned_at_.reset();
    log_.info("the source's log is no longer about to be thrown away",
              {{"bytes_until_lost", std::to_string(*head.bytes_until_lost)}});
  }
}

void LogGuard::forecast() {
  until_lost_.reset();
  const Sample& first = samples_.front();
  const Sample& last = samples_.back();
  if (last.left_bytes == 0) {
    until_lost_ = std::chrono::seconds(0);
  } else if (last.at - first.at >= kLeastSpan && last.left_bytes < first.left_bytes) {
    const auto span = std::chrono::duration<double>(last.at - first.at).count();
    const auto shrunk = static_cast<double>(first.left_bytes - last.left_bytes);
    const double secs = static_cast<double>(last.left_bytes) * span / shrunk;
    constexpr double kMostSecs = 1e9;  // more than a source's uptime
    if (secs < kMostSecs) until_lost_ = std::chrono::seconds(static_cast<std::int64_t>(secs));
  }
}

bool LogGuard::is_in_danger(const connect::SourceHead& head) const {
  const std::uint64_t left = *head.bytes_until_lost;
  if (until_lost_ && *until_lost_ < kSoon) return true;
  return left < (left + head.kept_bytes.value_or(0)) / kSmallPart;
}

void LogGuard::warn(Time now, const connect::SourceHead& head) {
  warned_at_ = now;
  warned_left_bytes_ = *head.bytes_until_lost;
  log_.warn("the source is about to throw away log that the task still needs",
            {{"kept_bytes", std::to_string(head.kept_bytes.value_or(0))},
             {"bytes_until_lost", std::to_string(*head.bytes_until_lost)},
             {"seconds_until_lost",
              until_lost_ ? std::to_string(until_lost_->count()) : "unknown: it does not shrink"},
             {"advice",
              "have the source keep more, look for transactions there that are open for "
              "long, and see what holds the task up"}});
}

}  // namespace wherry::engine
