#include "control/change_settings.h"

#include <array>
#include <optional>

namespace wherry::control {
namespace {

using engine::ConflictAction;

constexpr std::int64_t kMostCount = 2'000'000'000;
constexpr std::int64_t kMostMinutes = 1'000'000;
constexpr std::int64_t kMostMegabytes = 1'000'000;
constexpr std::uint64_t kBytesInMegabyte = 1024 * 1024;

struct NamedAction {
  std::string_view name;
  ConflictAction action;
};
constexpr std::array<NamedAction, 6> kActions = {{{"IGNORE_RECORD", ConflictAction::kIgnoreRecord},
                                                  {"LOG_ERROR", ConflictAction::kLogError},
                                                  {"SUSPEND_TABLE", ConflictAction::kSuspendTable},
                                                  {"STOP_TASK", ConflictAction::kStopTask},
                                                  {"INSERT_RECORD", ConflictAction::kWriteRecord},
                                                  {"UPDATE_RECORD", ConflictAction::kWriteRecord}}};

/// One of the first four actions that is not milder than `mildest`, or the one named `own`.
void conflict_action(SettingsReader& reader, const SettingsJson& value, const std::string& path,
                     ConflictAction mildest, std::string_view own, ConflictAction& out) {
  std::string allowed;
  for (const auto& [name, action] : kActions) {
    const bool is_written = action == ConflictAction::kWriteRecord;
    if (is_written ? name != own : action < mildest) continue;
    if (value == SettingsJson(std::string(name))) {
      out = action;
      return;
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  }
  reader.mistake(path, fmt::format("{} is not one of {}", value.dump(), allowed));
}

void megabytes(SettingsReader& reader, const SettingsJson& value, const std::string& path,
               std::uint64_t& out) {
  std::uint64_t count = out / kBytesInMegabyte;
  reader.number(value, path, 1, kMostMegabytes, count);
  out = count * kBytesInMegabyte;
}

}  // namespace

void read_tuning(SettingsReader& reader, const SettingsJson& section, ChangeProcessing& out,
                 std::vector<std::string>& not_applicable) {
  const std::string path = "/ChangeProcessingTuning";
  if (!reader.is_object(section, path)) return;
  engine::ApplyOptions& apply = out.apply;
  for (const auto& [key, value] : section.items()) {
    const std::string here = path + "/" + key;
    if (key == "BatchApplyTimeoutMin") {
      reader.seconds(value, here, apply.batch_shortest);
    } else if (key == "BatchApplyTimeoutMax") {
      reader.seconds(value, here, apply.batch_longest);
    } else if (key == "BatchApplyMemoryLimit") {
      megabytes(reader, value, here, out.batch_memory_bytes);
    } else if (key == "BatchSplitSize") {
      reader.number(value, here, 0, kMostCount, apply.batch_changes);
    } else if (key == "MinTransactionSize") {
      reader.number(value, here, 0, kMostCount, apply.least_changes);
    } else if (key == "CommitTimeout") {
      reader.seconds(value, here, apply.longest_gather);
    } else if (key == "MemoryLimitTotal") {
      megabytes(reader, value, here, out.memory_bytes);
    } else if (key == "StatementCacheSize") {
      reader.number(value, here, 0, 200, out.statement_cache);
    } else if (key == "MemoryKeepTime") {
      reader.seconds(value, here, out.memory_keep);
    } else if (key == "RecoveryTimeout") {
      // DMS: -1 is for ever.
      std::int64_t minutes = -1;
      reader.number(value, here, -1, kMostMinutes, minutes);
      out.recovery_limit.reset();
      if (minutes > 0) out.recovery_limit = std::chrono::minutes(minutes);
    } else if (key == "BatchApplyPreserveTransaction") {
      bool is_preserved = true;
      reader.truth(value, here, is_preserved);
      if (!is_preserved) {
        not_applicable.push_back(here + ": a batch always has whole transactions, on every target");
      }
    } else {
      reader.mistake(here, "unknown key");
    }
  }
}

void read_ddl_policy(SettingsReader& reader, const SettingsJson& section, ChangeProcessing& out) {
  const std::string path = "/ChangeProcessingDdlHandlingPolicy";
  if (!reader.is_object(section, path)) return;
  engine::DdlPolicy& policy = out.apply.ddl;
  for (const auto& [key, value] : section.items()) {
    const std::string here = path + "/" + key;
    if (key == "HandleSourceTableDropped") {
      reader.truth(value, here, policy.drops);
    } else if (key == "HandleSourceTableTruncated") {
      reader.truth(value, here, policy.truncates);
    } else if (key == "HandleSourceTableAltered") {
      reader.truth(value, here, policy.alters);
    } else {
      reader.mistake(here, "unknown key");
    }
  }
}

bool read_apply_error(SettingsReader& reader, const std::string& key, const SettingsJson& value,
                      const std::string& path, ChangeProcessing& out) {
  engine::ApplyErrorPolicy& errors = out.apply.errors;
  if (key == "ApplyErrorDeletePolicy") {
    conflict_action(reader, value, path, ConflictAction::kIgnoreRecord, "", errors.remove);
  } else if (key == "ApplyErrorInsertPolicy") {
    conflict_action(reader, value, path, ConflictAction::kIgnoreRecord, "INSERT_RECORD",
                    errors.insert);
  } else if (key == "ApplyErrorUpdatePolicy") {
    conflict_action(reader, value, path, ConflictAction::kIgnoreRecord, "UPDATE_RECORD",
                    errors.update);
  } else if (key == "ApplyErrorEscalationPolicy") {
    conflict_action(reader, value, path, ConflictAction::kLogError, "", errors.escalation);
  } else if (key == "ApplyErrorEscalationCount") {
    reader.number(value, path, 0, kMostCount, errors.escalation_count);
  } else if (key == "ApplyErrorFailOnTruncationDdl") {
    reader.truth(value, path, errors.fails_on_truncate);
  } else if (key == "FullLoadIgnoreConflicts") {
    reader.truth(value, path, out.ignores_load_conflicts);
  } else {
    return false;
  }
  return true;
}

bool read_target_change_key(SettingsReader& reader, const std::string& key,
                            const SettingsJson& value, const std::string& path,
                            ChangeProcessing& out) {
  if (key == "BatchApplyEnabled") {
    reader.truth(value, path, out.apply.is_batch);
  } else if (key == "ParallelApplyThreads") {
    // 0 is DMS's default and means one.
    std::uint32_t threads = 0;
    reader.number(value, path, 0, 32, threads);
    out.apply.lanes = std::max(threads, 1U);
  } else if (key == "TaskRecoveryTableEnabled") {
    reader.truth(value, path, out.has_txn_state);
  } else {
    return false;
  }
  return true;
}

}  // namespace wherry::control
