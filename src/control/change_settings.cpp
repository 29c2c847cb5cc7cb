#include "control/change_settings.h"

#include <algorithm>
#include <array>

namespace wherry::control {
namespace {

using engine::ConflictAction;

constexpr std::array<std::pair<std::string_view, ConflictAction>, 6> kActions = {
    {{"IGNORE_RECORD", ConflictAction::kIgnoreRecord},
     {"LOG_ERROR", ConflictAction::kLogError},
     {"SUSPEND_TABLE", ConflictAction::kSuspendTable},
     {"STOP_TASK", ConflictAction::kStopTask},
     {"INSERT_RECORD", ConflictAction::kWriteRecord},
     {"UPDATE_RECORD", ConflictAction::kWriteRecord}}};

void read_tuning(const SettingsValues& values, ChangeProcessing& out) {
  engine::ApplyOptions& apply = out.apply;
  values.seconds("/ChangeProcessingTuning/BatchApplyTimeoutMin", apply.batch_shortest);
  values.seconds("/ChangeProcessingTuning/BatchApplyTimeoutMax", apply.batch_longest);
  values.megabytes("/ChangeProcessingTuning/BatchApplyMemoryLimit", out.batch_memory_bytes);
  values.number("/ChangeProcessingTuning/BatchSplitSize", apply.batch_changes);
  values.number("/ChangeProcessingTuning/MinTransactionSize", apply.least_changes);
  values.seconds("/ChangeProcessingTuning/CommitTimeout", apply.longest_gather);
  values.megabytes("/ChangeProcessingTuning/MemoryLimitTotal", out.memory_bytes);
  values.number("/ChangeProcessingTuning/StatementCacheSize", out.statement_cache);
  values.seconds("/ChangeProcessingTuning/MemoryKeepTime", out.memory_keep);
  std::int64_t minutes = 0;
  values.number("/ChangeProcessingTuning/RecoveryTimeout", minutes);
  if (minutes > 0) out.recovery_limit = std::chrono::minutes(minutes);
}

void read_apply_errors(const SettingsValues& values, engine::ApplyErrorPolicy& errors) {
  values.choice("/ErrorBehavior/ApplyErrorDeletePolicy", kActions, errors.remove);
  values.choice("/ErrorBehavior/ApplyErrorInsertPolicy", kActions, errors.insert);
  values.choice("/ErrorBehavior/ApplyErrorUpdatePolicy", kActions, errors.update);
  values.choice("/ErrorBehavior/ApplyErrorEscalationPolicy", kActions, errors.escalation);
  values.number("/ErrorBehavior/ApplyErrorEscalationCount", errors.escalation_count);
  errors.fails_on_truncate = values.truth("/ErrorBehavior/ApplyErrorFailOnTruncationDdl");
}

}  // namespace

ChangeProcessing read_change_settings(const SettingsValues& values) {
  ChangeProcessing out;
  read_tuning(values, out);
  read_apply_errors(values, out.apply.errors);
  engine::DdlPolicy& policy = out.apply.ddl;
  policy.drops = values.truth("/ChangeProcessingDdlHandlingPolicy/HandleSourceTableDropped");
  policy.truncates = values.truth("/ChangeProcessingDdlHandlingPolicy/HandleSourceTableTruncated");
  policy.alters = values.truth("/ChangeProcessingDdlHandlingPolicy/HandleSourceTableAltered");
  out.apply.is_batch = values.truth("/TargetMetadata/BatchApplyEnabled");
  values.number("/TargetMetadata/ParallelApplyThreads", out.apply.lanes);
  out.apply.lanes = std::max(out.apply.lanes, 1U);  // 0 is DMS's default and means one
  out.has_txn_state = values.truth("/TargetMetadata/TaskRecoveryTableEnabled");
  out.ignores_load_conflicts = values.truth("/ErrorBehavior/FullLoadIgnoreConflicts");
  values.seconds("/FullLoadSettings/TransactionConsistencyTimeout", out.consistency_timeout);
  out.stops_after_cached = values.truth("/FullLoadSettings/StopTaskCachedChangesApplied");
  out.stops_before_cached = values.truth("/FullLoadSettings/StopTaskCachedChangesNotApplied");
  return out;
}

}  // namespace wherry::control
