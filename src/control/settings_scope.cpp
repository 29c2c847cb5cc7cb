#include "control/settings_scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace wherry::control {
namespace {

/// To which tasks a key means something.
enum class Scope : std::uint8_t {
  kLoad,             ///< those that load
  kLoadAndChanges,   ///< those that do both
  kChanges,          ///< those with changes
  kBatch,            ///< … in batches
  kTransactional,    ///< … not in batches
  kLobsApart,        ///< those whose source has LOBs that come apart from their rows
  kOpenTransactions  ///< those with changes whose source waits for open transactions
};

struct ScopedKey {
  std::string_view section, key;
  Scope scope;
};

constexpr std::array kScopedKeys = {
    ScopedKey{"TargetMetadata", "LobChunkSize", Scope::kLobsApart},
    ScopedKey{"TargetMetadata", "InlineLobMaxSize", Scope::kLobsApart},
    ScopedKey{"TargetMetadata", "ParallelApplyThreads", Scope::kTransactional},
    ScopedKey{"TargetMetadata", "BatchApplyEnabled", Scope::kChanges},
    ScopedKey{"TargetMetadata", "TaskRecoveryTableEnabled", Scope::kChanges},
    ScopedKey{"FullLoadSettings", "TargetTablePrepMode", Scope::kLoad},
    ScopedKey{"FullLoadSettings", "StopTaskCachedChangesApplied", Scope::kLoadAndChanges},
    ScopedKey{"FullLoadSettings", "StopTaskCachedChangesNotApplied", Scope::kLoadAndChanges},
    ScopedKey{"FullLoadSettings", "TransactionConsistencyTimeout", Scope::kOpenTransactions},
    ScopedKey{"ChangeProcessingTuning", "BatchApplyTimeoutMin", Scope::kBatch},
    ScopedKey{"ChangeProcessingTuning", "BatchApplyTimeoutMax", Scope::kBatch},
    ScopedKey{"ChangeProcessingTuning", "BatchApplyMemoryLimit", Scope::kBatch},
    ScopedKey{"ChangeProcessingTuning", "BatchSplitSize", Scope::kBatch},
    ScopedKey{"ChangeProcessingTuning", "MinTransactionSize", Scope::kTransactional},
    ScopedKey{"ChangeProcessingTuning", "CommitTimeout", Scope::kTransactional},
    ScopedKey{"ChangeProcessingTuning", "MemoryLimitTotal", Scope::kChanges},
    ScopedKey{"ChangeProcessingTuning", "MemoryKeepTime", Scope::kChanges},
    ScopedKey{"ChangeProcessingTuning", "StatementCacheSize", Scope::kChanges},
    ScopedKey{"ChangeProcessingTuning", "RecoveryTimeout", Scope::kChanges},
    ScopedKey{"ChangeProcessingDdlHandlingPolicy", "HandleSourceTableDropped", Scope::kChanges},
    ScopedKey{"ChangeProcessingDdlHandlingPolicy", "HandleSourceTableTruncated", Scope::kChanges},
    ScopedKey{"ChangeProcessingDdlHandlingPolicy", "HandleSourceTableAltered", Scope::kChanges},
    ScopedKey{"ErrorBehavior", "ApplyErrorDeletePolicy", Scope::kChanges},
    ScopedKey{"ErrorBehavior", "ApplyErrorInsertPolicy", Scope::kChanges},
    ScopedKey{"ErrorBehavior", "ApplyErrorUpdatePolicy", Scope::kChanges},
    ScopedKey{"ErrorBehavior", "ApplyErrorEscalationPolicy", Scope::kChanges},
    ScopedKey{"ErrorBehavior", "ApplyErrorEscalationCount", Scope::kChanges},
    ScopedKey{"ErrorBehavior", "ApplyErrorFailOnTruncationDdl", Scope::kChanges},
    ScopedKey{"ErrorBehavior", "FullLoadIgnoreConflicts", Scope::kLoadAndChanges},
};

constexpr std::string_view kOnlyLoads = "the task has no changes to apply";

/// Empty: it means something.
std::string_view why_not(Scope scope, const TaskKind& task) {
  switch (scope) {
    case Scope::kLoad:
      return task.loads ? "" : "a task of type cdc makes no table ready";
    case Scope::kLoadAndChanges:
      return task.loads && task.has_changes
                 ? ""
                 : "only a task of type full-load-and-cdc caches changes while it loads";
    case Scope::kChanges:
      return task.has_changes ? "" : kOnlyLoads;
    case Scope::kBatch:
      if (!task.has_changes) return kOnlyLoads;
      return task.is_batch ? "" : "changes are not applied in batches; see BatchApplyEnabled";
    case Scope::kTransactional:
      if (!task.has_changes) return kOnlyLoads;
      return task.is_batch ? "changes are applied in batches, one after the other" : "";
    case Scope::kLobsApart:
      return task.reads_lobs_apart ? "" : "the source's large objects come with their rows";
    case Scope::kOpenTransactions:
      if (!task.has_changes) return kOnlyLoads;
      return task.awaits_transactions ? "" : "the source never waits for open transactions";
  }
  return {};
}

std::string path_of(const ScopedKey& key) {
  return fmt::format("/{}/{}", key.section, key.key);
}

}  // namespace

std::vector<std::string_view> scoped_keys_of(const SettingsDocument& document) {
  std::vector<std::string_view> out;
  for (const ScopedKey& key : kScopedKeys) {
    const Setting& setting = *find_setting(path_of(key));
    if (document.value(setting.path) != SettingsDocument::Json::parse(setting.standard)) {
      out.push_back(setting.path);
    }
  }
  return out;
}

std::vector<std::string> out_of_scope(const std::vector<std::string_view>& keys,
                                      const TaskKind& task) {
  std::vector<std::string> out;
  for (const ScopedKey& key : kScopedKeys) {
    const std::string path = path_of(key);
    const std::string_view why = why_not(key.scope, task);
    if (why.empty() || std::find(keys.begin(), keys.end(), path) == keys.end()) continue;
    out.push_back(fmt::format("{}: {}", path, why));
  }
  return out;
}

}  // namespace wherry::control
