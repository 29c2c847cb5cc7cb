// What can be known of a task before it starts: DMS's premigration assessments of both ends, and
// the privileges that its users need. Changes nothing anywhere. docs/reference/preflight.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/api/preflight.h"
#include "control/task.h"

namespace wherry::control {

/// Which ends were named; `request` has a connector for the other end all the same, which is asked
/// for types only.
struct PreflightEnds {
  bool has_source = true, has_target = true;
  std::string source_grantee, target_grantee;  ///< empty: the users of the endpoints
};

struct SidedAssessment {
  std::string_view side;  ///< "source", "target", "task"
  connect::Assessment assessment;
};

struct PreflightReport {
  std::string source_server, target_server;  ///< empty: not asked, or not reached
  std::vector<SidedAssessment> assessments;

  [[nodiscard]] std::size_t count(connect::Verdict verdict) const;
  /// Of the whole, as DMS has it for a run: "failed", "warning", "passed".
  [[nodiscard]] std::string_view status() const;
};

/// Statements for an administrator of each end.
struct GrantScripts {
  std::vector<std::string> source, target;
};

/// An end that cannot be reached is an assessment that failed; errors are those of the request.
Result<PreflightReport> run_preflight(OpContext& context, const TaskRequest& request,
                                      const PreflightEnds& ends);
/// For exactly the plan of the request. Both ends must answer, and the source's user must see the
/// tables.
Result<GrantScripts> make_grants(OpContext& context, const TaskRequest& request,
                                 const PreflightEnds& ends);

/// The worst first. `most_findings`: of one assessment that are shown.
std::string to_text(const PreflightReport& report, std::size_t most_findings = 10);
std::string to_text(const GrantScripts& scripts, const PreflightEnds& ends);
/// One object each; docs/reference/preflight.md.
std::string to_json(const PreflightReport& report);
std::string to_json(const GrantScripts& scripts, const PreflightEnds& ends);

}  // namespace wherry::control
