// What is looked at before a task starts: assessments of a task's two ends, and the privileges that
// its users need. A connector answers for its own end, and changes nothing there. Names and meaning
// of the assessments are DMS's where it has one of the kind (AWS DMS User Guide, "Enabling and
// working with premigration assessments"); names of Wherry's own begin with "wherry-".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connect/api/connector.h"

namespace wherry::connect {

/// How an assessment ended; DMS's IndividualAssessment status in lower case (name_of()).
enum class Verdict : std::uint8_t {
  kPassed,
  kWarning,  ///< the task runs, and somebody should know
  kFailed,   ///< the task, or some table of it, will not run as asked
  kSkipped,  ///< it does not concern this task, or not Wherry at all; the text says why
  kError,    ///< it could not be found out
};
constexpr std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return "passed";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kFailed:
      return "failed";
    case Verdict::kSkipped:
      return "skipped";
    case Verdict::kError:
      return "error";
  }
  return {};
}

/// One thing that an assessment has found.
struct AssessmentFinding {
  std::string object = {};  ///< "HR.EMPLOYEES", "HR.EMPLOYEES.SALARY"; empty: the server
  std::string text;
  std::string remedy = {};  ///< the statement that mends it, or what to do; empty: nothing
};

struct Assessment {
  std::string name;
  Verdict verdict = Verdict::kPassed;
  std::string text = {};  ///< what was looked at, or why it was not
  std::vector<AssessmentFinding> findings = {};
};
using Assessments = std::vector<Assessment>;

/// What the task is about.
struct PreflightRequest {
  std::string task_name;
  std::vector<TablePlanPtr> tables;  ///< as they are to be read and loaded; may be empty
  bool has_load = true, has_changes = false;
  bool is_batch_apply = false;
  ExistingTable existing = ExistingTable::kKeep;
  std::uint32_t subtasks = 8;   ///< that load beside each other
  std::uint32_t lanes = 1;      ///< that apply changes beside each other
  std::uint64_t load_secs = 0;  ///< that the load may take; 0: unknown
  ControlTables control = {};   ///< of the target
  std::string grantee = {};     ///< who gets the grants; empty: the user of the settings
};

/// Thread-safe. Every call is for the end `role`, kSource or kTarget.
class Preflight {
 public:
  virtual ~Preflight() = default;
  /// An assessment that fails to run is kError and does not end the others; an error is one of the
  /// connection itself.
  virtual Result<Assessments> assess(OpContext&, Role role, const PreflightRequest&) = 0;
  /// Statements for an administrator, in their order, that give a user who may do nothing what this
  /// task needs, and no more; comments of the engine stand before what needs explaining. The user
  /// itself is expected to be there.
  virtual Result<std::vector<std::string>> grants(OpContext&, Role role,
                                                  const PreflightRequest&) = 0;
};

}  // namespace wherry::connect
