// What the task settings say about applying changes. Names and defaults are those of AWS DMS:
// "ErrorBehavior", "ChangeProcessingTuning", "ChangeProcessingDdlHandlingPolicy".
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

#include "connect/api/changes.h"
#include "engine/error_policy.h"
#include "engine/retry.h"

namespace wherry::engine {

/// What happens to a change that does not fit what the target has.
enum class ConflictAction : std::uint8_t {
  kIgnoreRecord,  ///< left out and counted
  kLogError,      ///< … logged, and put into awsdms_apply_exceptions
  kSuspendTable,
  kStopTask,
  kWriteRecord,  ///< INSERT_RECORD, UPDATE_RECORD: the row is removed, if it is there, and inserted
};

struct ApplyErrorPolicy {
  /// DataError*, TableError*: of changes as of rows of a load.
  ErrorPolicy base;
  ConflictAction insert = ConflictAction::kLogError;      ///< ApplyErrorInsertPolicy
  ConflictAction update = ConflictAction::kLogError;      ///< ApplyErrorUpdatePolicy
  ConflictAction remove = ConflictAction::kIgnoreRecord;  ///< ApplyErrorDeletePolicy
  ConflictAction escalation = ConflictAction::kLogError;  ///< ApplyErrorEscalationPolicy
  std::uint32_t escalation_count = 0;                     ///< …Count, of a table; 0: never
  bool fails_on_truncate = false;                         ///< ApplyErrorFailOnTruncationDdl
  /// FullLoadIgnoreConflicts: rows that are there already and rows that are missing are no
  /// conflicts while the changes are applied that were cached during the load: those of
  /// transactions at or before this. 0: there is no such time.
  connect::CommitOrder ignores_conflicts_until = 0;
  friend bool operator==(const ApplyErrorPolicy&, const ApplyErrorPolicy&) = default;
};

/// ChangeProcessingDdlHandlingPolicy.
struct DdlPolicy {
  bool drops = true;      ///< HandleSourceTableDropped
  bool truncates = true;  ///< HandleSourceTableTruncated
  bool alters = true;     ///< HandleSourceTableAltered
  friend bool operator==(const DdlPolicy&, const DdlPolicy&) = default;
};

struct ApplyOptions {
  std::string task_name;
  std::uint32_t lanes = 1;  ///< ParallelApplyThreads, at least 1, at most 32; batch apply has one
  /// Transactional apply: source transactions share a target transaction until it has so many
  /// changes, or for so long, or until nothing more is at hand.
  std::uint32_t least_changes = 1000;               ///< MinTransactionSize
  std::chrono::milliseconds longest_gather{1000};   ///< CommitTimeout
  bool is_batch = false;                            ///< BatchApplyEnabled
  std::chrono::milliseconds batch_shortest{1000};   ///< BatchApplyTimeoutMin
  std::chrono::milliseconds batch_longest{30'000};  ///< BatchApplyTimeoutMax
  std::uint32_t batch_changes = 0;                  ///< BatchSplitSize; 0: as many as go well
  /// All that is held for applying: BatchApplyMemoryLimit, or a share of MemoryLimitTotal.
  std::uint64_t memory_bytes = 64ULL * 1024 * 1024;
  /// How long the source keeps what the target has: release() is called so often at least.
  std::chrono::milliseconds release_interval{1000};
  ApplyErrorPolicy errors;
  DdlPolicy ddl;
  RetryPolicy retry;
  friend bool operator==(const ApplyOptions&, const ApplyOptions&) = default;
};

}  // namespace wherry::engine
