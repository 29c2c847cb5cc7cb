// The part of a task in which changes reach the target: cached ones first, then as they come.
#pragma once

#include <memory>

#include "connect/api/changes.h"
#include "control/change_progress.h"
#include "control/change_recorder.h"
#include "control/change_stream.h"
#include "control/task.h"
#include "control/task_state.h"
#include "engine/changes/apply.h"
#include "engine/changes/stream_feed.h"

namespace wherry::control {

/// All of it outlives the call.
struct ReplicationParts {
  const TaskRequest& request;
  TaskState& state;
  engine::StreamFeed& feed;
  connect::ChangeSource& source;
  connect::TargetApply& target;
  connect::TargetLoader& loader;
  const connect::ApplySettings& apply_settings;  ///< `target` was opened with
  std::shared_ptr<ChangeProgress> progress;
  std::shared_ptr<connect::ControlWriter> control;
  bool is_native = false;
};

enum class ReplicationEnd : std::uint8_t {
  kRequested,      ///< stop was asked for
  kCachedApplied,  ///< StopTaskCachedChangesApplied, or the stop condition of that name
  kCondition,      ///< another stop condition was met
};

/// Applies changes until a stop is asked for or a condition of the request is met; all that was
/// begun is then committed or rolled back.
Result<ReplicationEnd> replicate(OpContext& context, const ReplicationParts& parts,
                                 TaskObserver& observer);

}  // namespace wherry::control
