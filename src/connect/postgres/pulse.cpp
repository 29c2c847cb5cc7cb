#include "connect/postgres/pulse.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "connect/postgres/source_artefacts.h"

namespace wherry::postgres {
namespace {

using PulseClock = std::chrono::steady_clock;
/// A heartbeat that takes longer is given up, so that the walsender still hears from us.
constexpr std::chrono::seconds kMostBeat{2};

}  // namespace

Pulse::Pulse(const ConnectionSettings& settings, std::string slot, ReplicationLink& link,
             const StreamProgress& progress, std::chrono::milliseconds interval, Logger log)
    : settings_(settings),
      slot_(std::move(slot)),
      link_(link),
      progress_(progress),
      interval_(interval),
      log_(std::move(log)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Pulse::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wakes;
  auto next_beat = PulseClock::now();
  auto next_status = PulseClock::now() + interval_;
  while (!stop.stop_requested()) {
    if (settings_.changes.has_heartbeat && PulseClock::now() >= next_beat) {
      try_beat(stop);
      next_beat = PulseClock::now() + settings_.changes.heartbeat_interval;
    }
    if (PulseClock::now() >= next_status) {
      // A broken link is the reader's to notice.
      (void)link_.send_status(progress_.received, progress_.flushed, false).ok();
      next_status = PulseClock::now() + interval_;
    }
    const auto wake =
        settings_.changes.has_heartbeat ? std::min(next_beat, next_status) : next_status;
    std::unique_lock lock(mutex);
    wakes.wait_until(lock, stop, wake, [] { return false; });
  }
}

void Pulse::try_beat(const std::stop_token& stop) {
  OpContext context{stop, PulseClock::now() + kMostBeat, log_};
  if (beating_ == nullptr || !beating_->is_reusable()) {
    auto opened = Connection::open(context, settings_);
    if (!opened) return log_.warn("no heartbeat", {{"reason", opened.error().to_log_text()}});
    beating_ = std::move(*opened);
  }
  auto done = beat(context, *beating_, settings_.changes, slot_);
  if (!done && done.error().kind != ErrorKind::kCancelled) {
    log_.warn("no heartbeat", {{"reason", done.error().to_log_text()}});
  }
}

}  // namespace wherry::postgres
