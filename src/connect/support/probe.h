// Assessments whose question is one query: its rows name what is wrong. A connector has a table of
// them, and runs it here with its own way to ask.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connect/api/preflight.h"

namespace wherry::connect {

/// Which rows of a probe's answer count.
enum class ProbeScope : std::uint8_t {
  kServer,   ///< all
  kTables,   ///< those of tables of the request
  kSchemas,  ///< those of schemas that tables of the request are in
};

struct Probe {
  std::string_view name;
  Verdict verdict;  ///< when a row counts
  ProbeScope scope;
  std::string_view text;  ///< what is looked at, as a sentence without its full stop
  /// Five text columns: schema, table, column (NULL where they do not apply), what was found,
  /// the remedy.
  std::string_view sql;
  /// Whether it concerns the task; nullptr: always.
  bool (*applies)(const PreflightRequest&) = nullptr;
  int least_version = 0;  ///< of the server, as its connector counts
};

/// An assessment that Wherry need not make, and why.
struct NeedlessAssessment {
  std::string_view name;
  std::string_view reason;
};

struct ProbeRow {
  std::string schema, table, column, text, remedy;
};
using AskProbe = std::function<Result<std::vector<ProbeRow>>(std::string_view sql)>;

/// Runs what applies, in order; the rest is kSkipped. The names of tables are those of the end
/// `role`. An answer that is an error is kError, but a lost connection (kTransient) and kCancelled
/// end it.
Result<Assessments> run_probes(std::span<const Probe> probes, Role role,
                               const PreflightRequest& request, int server_version,
                               const AskProbe& ask);
/// One that was judged by other means: `findings` make it `verdict`, none of them kPassed.
Assessment assessment_of(std::string_view name, std::string_view text, Verdict verdict,
                         std::vector<AssessmentFinding> findings);
/// kError, with the server's words.
Assessment not_assessed(std::string_view name, std::string_view text, const Error& error);
Assessment skipped(std::string_view name, std::string_view reason);
Assessments skipped(std::span<const NeedlessAssessment> needless);

}  // namespace wherry::connect
