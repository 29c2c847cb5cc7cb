// What the policies of "ErrorBehavior" say about a change that the target does not take, and how it
// is written down. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "engine/changes/apply_options.h"
#include "engine/changes/window.h"

namespace wherry::engine {

/// The code of errors that end the task because a policy says STOP_TASK.
inline constexpr const char* kApplyStopped = "apply.stopped_by_policy";

enum class ChangeFault : std::uint8_t {
  kInsertConflict,  ///< a row is there already
  kUpdateConflict,  ///< the row is not there
  kDeleteConflict,  ///< the row is not there
  kData,            ///< the target cannot take the row
  kTable,           ///< the target cannot take any row of the table
};

struct Verdict {
  ConflictAction action = ConflictAction::kLogError;
  const char* policy = "";  ///< the setting that says so
};

/// Errors that a change or its table is the cause of; others have nothing to do with them.
bool is_fault_of_change(const Error& error);
ChangeFault fault_of(const WindowChange& change, const Error& error);

class ApplyErrors {
 public:
  ApplyErrors(const ApplyErrorPolicy& policy, ApplyProgress& progress)
      : policy_(policy), progress_(progress) {}
  /// `pending`: faults of the same sort of that table that are not counted yet.
  [[nodiscard]] Verdict judge(ChangeFault fault, const TableRoute& table,
                              std::uint64_t pending) const;

 private:
  [[nodiscard]] Verdict judge_table() const;
  const ApplyErrorPolicy& policy_;
  ApplyProgress& progress_;
};

/// `cause` as the error that ends the task.
Error stopped_by(const Verdict& verdict, const Error& cause);
/// The update or delete of a row that the target does not have.
Error missing_row_error(const WindowChange& change);
/// Rows that the log does not identify.
Error no_identity_error(const TableRoute& table);
/// "INSERT INTO "s"."t" (…) VALUES (…)": for awsdms_apply_exceptions, never for a log.
std::string statement_text(const WindowChange& change);

}  // namespace wherry::engine
