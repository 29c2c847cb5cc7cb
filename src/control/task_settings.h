// The DMS task-settings document as the engine takes it. Every key of the document is known
// (settings_catalogue.h), so that existing files are accepted; what has no effect is listed with
// the reason. Source: AWS DMS User Guide, "Specifying task settings".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/api/connector.h"
#include "control/log_settings.h"
#include "core/result.h"
#include "engine/changes/apply_options.h"
#include "engine/error_policy.h"
#include "engine/retry.h"
#include "schema/character_rules.h"

namespace wherry::control {

/// TargetMetadata: what happens to LOBs.
struct LobSettings {
  bool are_loaded = true;       ///< SupportLobs
  std::uint64_t max_bytes = 0;  ///< LimitedSizeLobMode with LobMaxSize; 0: whole, also FullLobMode
  std::uint64_t inline_bytes = 0;  ///< InlineLobMaxSize; 0: as many as Wherry thinks best
  std::uint64_t piece_bytes = 0;   ///< LobChunkSize; 0: as large as Wherry thinks best
  friend bool operator==(const LobSettings&, const LobSettings&) = default;
};

/// ControlTablesSettings.
struct ControlTableSettings {
  std::uint32_t history_minutes = 5;
  bool has_history = false;
  bool has_suspended_tables = false;
  bool has_status = false;
  friend bool operator==(const ControlTableSettings&, const ControlTableSettings&) = default;
};

/// What concerns ongoing replication.
struct ChangeProcessing {
  /// ChangeProcessingTuning, ChangeProcessingDdlHandlingPolicy, ErrorBehavior's ApplyError*,
  /// TargetMetadata's BatchApplyEnabled and ParallelApplyThreads. Without the task's name.
  engine::ApplyOptions apply;
  std::uint64_t memory_bytes = 1024ULL * 1024 * 1024;       ///< MemoryLimitTotal
  std::uint64_t batch_memory_bytes = 500ULL * 1024 * 1024;  ///< BatchApplyMemoryLimit
  std::chrono::milliseconds memory_keep{60'000};            ///< MemoryKeepTime
  /// RecoveryTimeout; nothing: for ever.
  std::optional<std::chrono::milliseconds> recovery_limit;
  std::uint32_t statement_cache = 50;                      ///< StatementCacheSize
  bool has_txn_state = false;                              ///< TaskRecoveryTableEnabled
  bool ignores_load_conflicts = true;                      ///< FullLoadIgnoreConflicts
  bool stops_before_cached = false;                        ///< StopTaskCachedChangesNotApplied
  std::chrono::milliseconds consistency_timeout{600'000};  ///< TransactionConsistencyTimeout
  bool stops_after_cached = false;                         ///< StopTaskCachedChangesApplied
  friend bool operator==(const ChangeProcessing&, const ChangeProcessing&) = default;
};

struct TaskSettings {
  /// FullLoadSettings.TargetTablePrepMode; DMS's non-destructive default.
  connect::ExistingTable target_table_prep_mode = connect::ExistingTable::kKeep;
  std::uint32_t max_full_load_subtasks = 8;  ///< FullLoadSettings.MaxFullLoadSubTasks, 1 to 49
  std::uint32_t commit_rate = 10000;         ///< FullLoadSettings.CommitRate, rows, 1 to 50000
  /// FullLoadSettings.CreatePkAfterFullLoad: the key of a table that Wherry makes comes after its
  /// rows, or with the table. Not sent: after them, which is faster, where DMS's default is before.
  bool create_pk_after_full_load = true;
  engine::ErrorPolicy errors;  ///< ErrorBehavior
  LobSettings lobs;
  ControlTableSettings control_tables;
  /// CharacterSetSettings; nullptr: nothing is replaced.
  std::shared_ptr<const schema::CharacterRules> characters;
  bool fail_on_no_tables_captured = true;  ///< ErrorBehavior.FailOnNoTablesCaptured
  engine::RetryPolicy retry;               ///< ErrorBehavior.RecoverableError*
  ChangeProcessing changes;
  std::string control_schema;  ///< ControlTablesSettings.ControlSchema; empty: the target's default
  /// TargetMetadata.TargetSchema: of all tables that no rule of a schema concerns; empty: the
  /// source's.
  std::string target_schema;
  // WherrySettings, a section that DMS has not:
  std::uint32_t segment_size_mb = 64;        ///< SegmentSizeMB, 1 to 65536
  std::uint32_t whole_table_mb = 1024;       ///< WholeTableMB, 0 (every large one is cut) to 65536
  std::uint32_t split_after_secs = 2;        ///< SplitAfterSeconds, 0 to 3600
  std::uint32_t max_source_connections = 0;  ///< MaxSourceConnections, 0 (no limit) to 49
  std::uint32_t max_read_mb_per_second = 0;  ///< MaxReadMBPerSecond; 0: no limit
  bool asks_for_validation = false;          ///< ValidationSettings.EnableValidation: not done
  LogLevels log_levels;                      ///< Logging.LogComponents
  /// "PATH: why" of keys that were sent with another value than the default and change nothing.
  std::vector<std::string> without_effect;
  /// Keys that were sent with another value than the default and mean something to some tasks only
  /// (settings_scope.h).
  std::vector<std::string_view> scoped_keys;

  friend bool operator==(const TaskSettings&, const TaskSettings&) = default;
  /// kConfig "settings.syntax" or "settings.invalid" with JSON path, value and allowed values; all
  /// mistakes at once.
  static Result<TaskSettings> parse(std::string_view json);
  /// Likewise; what is wrong is in the document's problems too, with its place.
  static Result<TaskSettings> from(SettingsDocument& document);
};

}  // namespace wherry::control
