#include "control/task_settings.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "control/change_settings.h"
#include "control/character_settings.h"
#include "control/settings_scope.h"
#include "control/settings_values.h"

namespace wherry::control {
namespace {

using engine::ErrorAction;

constexpr std::uint64_t kBytesInKilobyte = 1024;

constexpr std::array<std::pair<std::string_view, ErrorAction>, 4> kActions = {
    {{"IGNORE_RECORD", ErrorAction::kIgnoreRecord},
     {"LOG_ERROR", ErrorAction::kLogError},
     {"SUSPEND_TABLE", ErrorAction::kSuspendTable},
     {"STOP_TASK", ErrorAction::kStopTask}}};

constexpr std::array<std::pair<std::string_view, connect::ExistingTable>, 3> kPrepModes = {
    {{"DO_NOTHING", connect::ExistingTable::kKeep},
     {"DROP_AND_CREATE", connect::ExistingTable::kDrop},
     {"TRUNCATE_BEFORE_LOAD", connect::ExistingTable::kTruncate}}};

/// What one key alone does not show. Source: AWS DMS User Guide, as above, and what would be done
/// to data that was not to be touched.
void check_together(SettingsDocument& document) {
  const SettingsValues values(document);
  const bool has_limit = limits_lobs(document);
  const auto* const full = document.sent("/TargetMetadata/FullLobMode");
  const bool is_full = full != nullptr ? *full == true : !has_limit;
  if (values.truth("/TargetMetadata/SupportLobs")) {
    if (is_full && has_limit) {
      document.add_problem("/TargetMetadata",
                           "FullLobMode and LimitedSizeLobMode cannot both be true");
    }
    if (!is_full && !has_limit) {
      document.add_problem("/TargetMetadata",
                           "FullLobMode and LimitedSizeLobMode cannot both be false while "
                           "SupportLobs is true");
    }
    const bool has_inline = document.value("/TargetMetadata/InlineLobMaxSize") != 0;
    if (has_inline && (full == nullptr || *full != true)) {
      document.add_problem("/TargetMetadata/InlineLobMaxSize", "needs FullLobMode to be true");
    }
    const auto* const size = document.sent("/TargetMetadata/LobMaxSize");
    if (has_limit && size != nullptr && *size == 0) {
      document.add_problem("/TargetMetadata/LobMaxSize", "must not be 0 in limited LOB mode");
    }
  }
  std::chrono::milliseconds shortest{}, longest{};
  values.seconds("/ChangeProcessingTuning/BatchApplyTimeoutMin", shortest);
  values.seconds("/ChangeProcessingTuning/BatchApplyTimeoutMax", longest);
  if (shortest > longest) {
    document.add_problem("/ChangeProcessingTuning/BatchApplyTimeoutMin",
                         "is more than BatchApplyTimeoutMax");
  }
  constexpr int kLeastResyncMinutes = 5;  // 0: it is not set
  const auto resync = document.value("/ResyncSettings/MaxResyncTime");
  if (resync != 0 && resync < kLeastResyncMinutes) {
    document.add_problem("/ResyncSettings/MaxResyncTime",
                         resync.dump() + " is not 0 or a whole number from 5 to 14400");
  }
  if (values.truth("/ValidationSettings/ValidationOnly")) {
    document.add_problem("/ValidationSettings/ValidationOnly",
                         "cannot be true: a task always moves rows; `wherry validate` compares and "
                         "moves none");
  }
  if (values.truth("/LoopbackPreventionSettings/EnableLoopbackPrevention")) {
    document.add_problem("/LoopbackPreventionSettings/EnableLoopbackPrevention",
                         "cannot be true: changes would come back, because this version does not "
                         "prevent it");
  }
}

LobSettings read_lobs(const SettingsValues& values) {
  constexpr std::uint64_t kStandardKilobytes = 32;
  const auto bytes = [&](std::string_view path) {
    std::uint64_t kilobytes = 0;
    values.number(path, kilobytes);
    return kilobytes * kBytesInKilobyte;
  };
  LobSettings out;
  out.are_loaded = values.truth("/TargetMetadata/SupportLobs");
  if (!out.are_loaded) return out;
  if (limits_lobs(values.document())) {
    out.max_bytes = values.was_sent("/TargetMetadata/LobMaxSize")
                        ? bytes("/TargetMetadata/LobMaxSize")
                        : kStandardKilobytes * kBytesInKilobyte;
  } else if (values.was_sent("/TargetMetadata/FullLobMode")) {
    out.inline_bytes = bytes("/TargetMetadata/InlineLobMaxSize");
    out.piece_bytes = bytes("/TargetMetadata/LobChunkSize");
  }
  return out;
}

engine::ErrorPolicy read_errors(const SettingsValues& values) {
  engine::ErrorPolicy out;
  values.choice("/ErrorBehavior/DataErrorPolicy", kActions, out.data);
  values.choice("/ErrorBehavior/DataMaskingErrorPolicy", kActions, out.masking);
  values.choice("/ErrorBehavior/DataTruncationErrorPolicy", kActions, out.truncation);
  values.choice("/ErrorBehavior/DataErrorEscalationPolicy", kActions, out.escalation);
  values.number("/ErrorBehavior/DataErrorEscalationCount", out.escalation_count);
  values.choice("/ErrorBehavior/TableErrorPolicy", kActions, out.table);
  values.number("/ErrorBehavior/TableErrorEscalationCount", out.table_escalation_count);
  return out;
}

engine::RetryPolicy read_retry(const SettingsValues& values) {
  engine::RetryPolicy out;
  values.number("/ErrorBehavior/RecoverableErrorCount", out.most_tries);
  values.seconds("/ErrorBehavior/RecoverableErrorInterval", out.wait);
  out.doubles = values.truth("/ErrorBehavior/RecoverableErrorThrottling");
  values.seconds("/ErrorBehavior/RecoverableErrorThrottlingMax", out.most_wait);
  out.stops_at_most_wait =
      values.truth("/ErrorBehavior/RecoverableErrorStopRetryAfterThrottlingMax");
  return out;
}

ControlTableSettings read_control_tables(const SettingsValues& values) {
  ControlTableSettings out;
  values.number("/ControlTablesSettings/HistoryTimeslotInMinutes", out.history_minutes);
  out.has_history = values.truth("/ControlTablesSettings/HistoryTableEnabled");
  out.has_suspended_tables = values.truth("/ControlTablesSettings/SuspendedTablesTableEnabled");
  out.has_status = values.truth("/ControlTablesSettings/StatusTableEnabled");
  return out;
}

void read_full_load(const SettingsValues& values, TaskSettings& out) {
  values.choice("/FullLoadSettings/TargetTablePrepMode", kPrepModes, out.target_table_prep_mode);
  values.number("/FullLoadSettings/MaxFullLoadSubTasks", out.max_full_load_subtasks);
  values.number("/FullLoadSettings/CommitRate", out.commit_rate);
  out.create_pk_after_full_load = values.truth("/FullLoadSettings/CreatePkAfterFullLoad");
}

void read_own_settings(const SettingsValues& values, TaskSettings& out) {
  values.number("/WherrySettings/SegmentSizeMB", out.segment_size_mb);
  values.number("/WherrySettings/WholeTableMB", out.whole_table_mb);
  values.number("/WherrySettings/SplitAfterSeconds", out.split_after_secs);
  values.number("/WherrySettings/MaxSourceConnections", out.max_source_connections);
  values.number("/WherrySettings/MaxReadMBPerSecond", out.max_read_mb_per_second);
}

Error invalid(const std::vector<SettingsProblem>& problems) {
  std::string what;
  for (const SettingsProblem& problem : problems) {
    what += fmt::format("{}{}: {}", what.empty() ? "" : "; ",
                        problem.path.empty() ? "/" : problem.path, problem.message);
  }
  return make_error(ErrorKind::kConfig, "settings.invalid",
                    "the task settings cannot be used: " + what,
                    "Correct the values and run `wherry check --task-settings FILE`");
}

}  // namespace

Result<TaskSettings> TaskSettings::from(SettingsDocument& document) {
  TaskSettings out;
  check_together(document);
  out.characters = read_character_settings(document);
  std::vector<std::string> silent_parts;
  out.log_levels = read_log_components(document, silent_parts);
  const SettingsValues values(document);
  out.asks_for_validation = values.truth("/ValidationSettings/EnableValidation");
  if (out.characters != nullptr && out.asks_for_validation) {
    document.add_problem("/ValidationSettings/EnableValidation",
                         "cannot be true beside CharacterSetSettings; compare with `wherry "
                         "validate`, which knows of them");
  }
  if (!document.problems().empty()) return invalid(document.problems());
  read_full_load(values, out);
  out.errors = read_errors(values);
  out.lobs = read_lobs(values);
  out.control_tables = read_control_tables(values);
  out.fail_on_no_tables_captured = values.truth("/ErrorBehavior/FailOnNoTablesCaptured");
  out.retry = read_retry(values);
  out.changes = read_change_settings(values);
  out.changes.apply.errors.base = out.errors;
  out.changes.apply.retry = out.retry;
  out.control_schema = values.text("/ControlTablesSettings/ControlSchema");
  out.target_schema = values.text("/TargetMetadata/TargetSchema");
  read_own_settings(values, out);
  out.without_effect = document.without_effect();
  std::move(silent_parts.begin(), silent_parts.end(), std::back_inserter(out.without_effect));
  out.scoped_keys = scoped_keys_of(document);
  return out;
}

Result<TaskSettings> TaskSettings::parse(std::string_view json) {
  WHERRY_ASSIGN(SettingsDocument document, SettingsDocument::read(json));
  return from(document);
}

}  // namespace wherry::control
