// What the lanes of an apply have in common.
#pragma once

#include "engine/changes/apply.h"
#include "engine/changes/apply_errors.h"
#include "engine/changes/watermark.h"

namespace wherry::engine {

/// The code of the error that asks for the feed to be started anew: the target transaction was too
/// large to be kept, and is to be done carefully from its beginning.
inline constexpr const char* kReplay = "apply.replay";

struct LaneShared {
  connect::TargetApply& target;
  const ApplyOptions& options;
  ApplyProgress& progress;
  ApplyEvents& events;
  Watermark& watermark;
  const ApplyErrors& errors;
  /// Transactions at or before it are done carefully from the start.
  connect::CommitPoint careful_until;
};

/// Adds the time that it lives to a stage.
class StageClock {
 public:
  StageClock(ApplyProgress& progress, ApplyStage stage) : progress_(progress), stage_(stage) {}
  ~StageClock() { progress_.add_time(stage_, std::chrono::steady_clock::now() - begun_); }
  StageClock(const StageClock&) = delete;
  StageClock& operator=(const StageClock&) = delete;

 private:
  ApplyProgress& progress_;
  const ApplyStage stage_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace wherry::engine
