#include "control/change_progress.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>

namespace wherry::control {
engine::FeedStatus ChangeProgress::feed() const {
  std::lock_guard lock(mutex_);
  return feed_ != nullptr ? feed_->status() : last_;
}

ChangeTotals ChangeProgress::captured() const {
  ChangeTotals out;
  for (const auto* table : apply.tables()) out += table->captured.now();
  return out;
}

ChangeTotals ChangeProgress::applied() const {
  ChangeTotals out;
  for (const auto* table : apply.tables()) out += table->applied.now();
  return out;
}

Position ChangeProgress::position() const {
  const auto checkpoint = apply.checkpoint();
  std::lock_guard lock(mutex_);
  return checkpoint ? checkpoint->position : begin_;
}

void ChangeProgress::set_feed(const engine::StreamFeed* feed) {
  std::lock_guard lock(mutex_);
  if (feed_ != nullptr) last_ = feed_->status();
  feed_ = feed;
}

void ChangeProgress::set_begin(Position position) {
  std::lock_guard lock(mutex_);
  begin_ = std::move(position);
}

void log_times(const Logger& log, const engine::ApplyProgress& progress) {
  const engine::StageTimes times = progress.times();
  std::string spent;
  for (std::size_t i = 0; i < engine::kApplyStageCount; ++i) {
    const auto stage = static_cast<engine::ApplyStage>(i);
    const double secs = std::chrono::duration<double>(times.of(stage)).count();
    spent += fmt::format("{}{} {:.1f}", i == 0 ? "" : ", ", engine::name_of(stage), secs);
  }
  const auto slowest = engine::ApplyProgress::limiting_stage(times);
  log.as(Component::kPerformance)
      .info("the changes' time by stage",
            {{"seconds", spent}, {"slowest", std::string(engine::name_of(slowest))}});
}

}  // namespace wherry::control
