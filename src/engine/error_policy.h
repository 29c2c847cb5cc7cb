// What happens to rows and tables that cannot be loaded. Names, values and defaults are those of
// AWS DMS ("ErrorBehavior" in the task settings).
#pragma once

#include <cstdint>

namespace wherry::engine {

enum class ErrorAction : std::uint8_t {
  kIgnoreRecord,  ///< the row is left out and counted
  kLogError,      ///< … and logged
  kSuspendTable,  ///< the table is given up, the others go on
  kStopTask,
};

struct ErrorPolicy {
  ErrorAction data = ErrorAction::kLogError;            ///< DataErrorPolicy
  ErrorAction truncation = ErrorAction::kLogError;      ///< DataTruncationErrorPolicy
  ErrorAction masking = ErrorAction::kStopTask;         ///< DataMaskingErrorPolicy
  ErrorAction escalation = ErrorAction::kSuspendTable;  ///< DataErrorEscalationPolicy
  std::uint32_t escalation_count = 0;  ///< DataErrorEscalationCount, rows of a table; 0: never
  ErrorAction table = ErrorAction::kSuspendTable;  ///< TableErrorPolicy
  std::uint32_t table_escalation_count = 0;        ///< TableErrorEscalationCount, tables; 0: never
  friend bool operator==(const ErrorPolicy&, const ErrorPolicy&) = default;
};

}  // namespace wherry::engine
