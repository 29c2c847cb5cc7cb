// One migration task: from a request to a plan, a load, or a comparison. Owns nothing but the run;
// what the user sees is the observer's business.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "connect/api/connector.h"
#include "control/task_settings.h"
#include "control/task_state.h"
#include "engine/full_load.h"
#include "engine/planner.h"
#include "engine/validate.h"
#include "mapping/rules.h"

namespace wherry::control {

struct Endpoint {
  connect::Connector* connector = nullptr;  ///< not owned
  connect::Settings settings;
};

/// DMS's StartReplicationTaskType.
enum class StartType : std::uint8_t {
  kDefault,           ///< start-replication on a fresh state directory, else resume-processing
  kStartReplication,  ///< refused when the task has run before
  kResumeProcessing,  ///< finished tables stay, the others are loaded again from their beginning
  kReloadTarget,      ///< everything again, at a new position
};

/// When a task with changes stops by itself.
struct StopCondition {
  enum class Kind : std::uint8_t {
    kNever,
    kFullLoadDone,
    kCachedChangesApplied,
    kCaughtUp,  ///< what the source has when changes begin to be applied is on the target
    kPosition,  ///< everything at or before `position`
    kTime,      ///< everything that the source has committed at or before `time`
  };
  Kind kind = Kind::kNever;
  std::string position;  ///< as a user writes it
  std::chrono::system_clock::time_point time;
};

struct TaskRequest {
  Endpoint source, target;
  mapping::RuleSet rules = mapping::RuleSet::everything();
  TaskSettings settings;
  std::filesystem::path state_directory;
  StartType start = StartType::kDefault;
  MigrationType type = MigrationType::kFullLoad;
  std::string start_position;  ///< of kCdc, as a user writes it; empty: now
  StopCondition stop_when;
};

class ChangeProgress;  // control/change_task.h

/// What a run reports while it goes on. Called from the run's own thread.
class TaskObserver {
 public:
  virtual ~TaskObserver() = default;
  /// "connecting", "planning", "full load", "cached changes", "ongoing replication", "waiting for
  /// the task", "validating".
  virtual void on_phase(const std::string& phase) = 0;
  /// The tables of this run; the counters change until the run returns.
  virtual void on_load(std::shared_ptr<const engine::LoadProgress> progress) = 0;
  /// Changes begin to be applied; what is shown changes until the run returns.
  virtual void on_changes(std::shared_ptr<const ChangeProgress> /*progress*/) {}
  virtual void on_validation(std::shared_ptr<const engine::ValidationProgress> progress) = 0;
  /// Before the load: a connection broke and is tried again; nullopt: no longer.
  virtual void on_interruption(const std::optional<engine::Interruption>& /*interruption*/) {}
};

/// Logs in on both sides, makes the plan, and looks whether the target's user may carry it out;
/// changes nothing anywhere.
Result<engine::TaskPlan> plan_task(OpContext& context, const TaskRequest& request,
                                   TaskObserver& observer);

/// A table that an earlier run has finished.
struct FinishedTable {
  schema::TableRef source, target;
  engine::RowCounts counts;
};

struct LoadOutcome {
  Position position;  ///< the point all tables were read at
  std::vector<FinishedTable> finished_before;
  std::vector<engine::RefusedTable> refused;  ///< selected but not movable
  bool has_table_errors = false;
  std::uint64_t refused_rows = 0;  ///< left out by the error policy, in earlier runs too
};
/// The full load. An error is fatal for the task; table errors are in the observer's progress.
Result<LoadOutcome> run_full_load_task(OpContext& context, const TaskRequest& request,
                                       TaskObserver& observer);

struct ValidationRequest {
  engine::ValidateOptions options;
  /// Of a task with changes: how long may be waited until both ends can be seen at one moment.
  std::chrono::seconds patience{300};
};

struct ValidationOutcome {
  Position position;  ///< the point the source was read at
  std::uint64_t differences = 0;
  std::vector<engine::RefusedTable> refused;  ///< selected, but not compared
  std::vector<schema::TableRef> views;        ///< of the source; they are not compared
  bool has_table_errors = false;
};
/// Compares source and target. Of a full load: as of its position, which the state directory knows;
/// without a recorded load, and where that position can no longer be read, the source is read as it
/// is now. Of a task with changes, which may be running: both at one moment (compared_moment.h).
Result<ValidationOutcome> validate_task(OpContext& context, const TaskRequest& request,
                                        const ValidationRequest& wanted,
                                        engine::DifferenceSink& sink, TaskObserver& observer);

}  // namespace wherry::control
