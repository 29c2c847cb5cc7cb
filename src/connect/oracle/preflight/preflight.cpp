#include "connect/oracle/preflight/preflight.h"

#include <map>

#include "connect/oracle/changes/change_source.h"
#include "connect/oracle/errors.h"
#include "connect/oracle/preflight/grants.h"
#include "connect/oracle/preflight/probes.h"
#include "connect/oracle/session_pool.h"

namespace wherry::oracle {
namespace {

using connect::Assessment;
using connect::AssessmentFinding;
using connect::Assessments;
using connect::PreflightRequest;
using connect::Role;
using connect::Verdict;

connect::AskProbe asker(OpContext& context, Session& session) {
  return [&](std::string_view sql) -> Result<std::vector<connect::ProbeRow>> {
    WHERRY_ASSIGN(const auto rows, session.rows(context, sql));
    std::vector<connect::ProbeRow> out;
    for (const TextRow& row : rows) {
      const auto text = [&](std::size_t column) { return row.at(column).value_or(""); };
      out.push_back({text(0), text(1), text(2), text(3), text(4)});
    }
    return out;
  };
}

/// What is looked at by ChangeSource::examine(), as the assessments that DMS has for it.
struct RedoQuestion {
  std::string_view name, text;
};
constexpr RedoQuestion kDatabaseLogging = {
    "oracle-supplemental-db-level", "the database has supplemental logging, the minimal one"};
constexpr RedoQuestion kKeyLogging = {
    "oracle-validate-supplemental-logging-for-pk",
    "the redo says which row of a table with a key an update means"};
constexpr RedoQuestion kRowLogging = {
    "oracle-validate-supplemental-logging-all-columns",
    "the redo has whole rows of tables without a key, and of those whose rules need them"};
constexpr RedoQuestion kShortNames = {
    "oracle-check-object-30-bytes-limit",
    "LogMiner tells the changes of every table: no name has more than 30 bytes"};
constexpr RedoQuestion kPermissions = {"oracle-validate-permissions-on-source",
                                       "the user may read the tables and the redo"};
constexpr RedoQuestion kOther = {"wherry-check-redo", "the changes of every table can be had"};

const RedoQuestion& question_of(const Error& error, const schema::TablePlan* plan) {
  if (error.kind == ErrorKind::kPermission) return kPermissions;
  if (error.code == "oracle.long_name") return kShortNames;
  if (error.code != "oracle.supplemental_logging") return kOther;
  if (plan == nullptr) return kDatabaseLogging;
  return plan->key.empty() || schema::needs_whole_rows(*plan) ? kRowLogging : kKeyLogging;
}

class RedoFindings {
 public:
  void add(const Error& error, const schema::TablePlan* plan) {
    AssessmentFinding finding{plan == nullptr ? "" : schema::to_text(plan->source), error.message,
                              error.hint};
    if (!error.native_text.empty()) finding.text += ": " + error.native_text;
    found_[question_of(error, plan).name].push_back(std::move(finding));
  }
  void warn(const std::string& text, const schema::TablePlan* plan) {
    warnings_.push_back({plan == nullptr ? "" : schema::to_text(plan->source), text});
  }
  void put(Assessments& out) {
    for (const RedoQuestion& each :
         {kPermissions, kDatabaseLogging, kKeyLogging, kRowLogging, kShortNames}) {
      out.push_back(connect::assessment_of(each.name, each.text, Verdict::kFailed,
                                           std::move(found_[each.name])));
    }
    std::vector<AssessmentFinding>& others = found_[kOther.name];
    const Verdict verdict = others.empty() ? Verdict::kWarning : Verdict::kFailed;
    for (AssessmentFinding& warning : warnings_) others.push_back(std::move(warning));
    out.push_back(connect::assessment_of(kOther.name, kOther.text, verdict, std::move(others)));
  }

 private:
  std::map<std::string_view, std::vector<AssessmentFinding>> found_;
  std::vector<AssessmentFinding> warnings_;
};

/// Older servers are refused when the session begins.
Assessment assess_version(const ServerInfo& server) {
  constexpr int kOldestTried = 12;
  std::vector<AssessmentFinding> findings;
  if (server.major_version < kOldestTried) {
    findings.push_back({{},
                        "this is Oracle Database " + server.version,
                        "try the task with a copy first: less is known of this version"});
  }
  return connect::assessment_of("oracle-validate-supported-versions-of-source",
                                "the server's version is 12.1 or later", Verdict::kWarning,
                                std::move(findings));
}

/// All tables are read as of one moment, which undo must reach back to until the last one is read.
Result<Assessment> assess_undo(OpContext& context, Session& session,
                               const PreflightRequest& request) {
  constexpr std::string_view kName = "wherry-check-undo-retention";
  constexpr std::string_view kText =
      "undo is kept for as long as the load may take (UNDO_RETENTION), for tables are read as of "
      "one moment";
  constexpr std::uint64_t kStandardSecs = 900;  // Oracle Database Reference, UNDO_RETENTION
  if (!request.has_load) return connect::skipped(kName, "it does not concern this task");
  if (request.load_secs < kStandardSecs) {
    return connect::assessment_of(kName, kText, Verdict::kWarning, {});
  }
  const auto rows =
      session.rows(context, "select value from v$parameter where name = 'undo_retention'");
  if (!rows.ok()) {
    const ErrorKind kind = rows.error().kind;
    if (kind == ErrorKind::kTransient || kind == ErrorKind::kCancelled) return rows.error();
    return connect::not_assessed(kName, kText, rows.error());
  }
  std::vector<AssessmentFinding> findings;
  const std::string kept = rows->empty() ? "" : rows->front().at(0).value_or("");
  const std::string needed = std::to_string(request.load_secs);
  const bool is_shorter =
      kept.size() < needed.size() || (kept.size() == needed.size() && kept < needed);
  if (is_shorter) {
    findings.push_back(
        {{},
         "it is kept for " + kept + " seconds, and the load may take " + needed,
         "alter system set undo_retention = " + std::to_string(2 * request.load_secs) +
             ", with an undo tablespace that is large enough"});
  }
  return connect::assessment_of(kName, kText, Verdict::kWarning, std::move(findings));
}

class OraclePreflight final : public connect::Preflight {
 public:
  OraclePreflight(EndpointOptions options, std::string user)
      : options_(std::move(options)), user_(std::move(user)) {}

  Result<Assessments> assess(OpContext& context, Role, const PreflightRequest& request) override {
    WHERRY_ASSIGN(const auto session, open_session(context, options_.connect));
    WHERRY_ASSIGN(Assessments out,
                  connect::run_probes(source_probes(), connect::kSource, request,
                                      session->server().major_version, asker(context, *session)));
    out.push_back(assess_version(session->server()));
    WHERRY_ASSIGN(Assessment undo, assess_undo(context, *session, request));
    out.push_back(std::move(undo));
    if (request.has_changes) WHERRY_TRY(assess_redo(context, request, out));
    for (Assessment& each : connect::skipped(needless_assessments())) {
      out.push_back(std::move(each));
    }
    return out;
  }

  Result<std::vector<std::string>> grants(OpContext& context, Role,
                                          const PreflightRequest& request) override {
    WHERRY_ASSIGN(const auto session, open_session(context, options_.connect));
    return source_grants(request, request.grantee.empty() ? user_ : request.grantee, options_,
                         session->server().major_version);
  }

 private:
  Result<void> assess_redo(OpContext& context, const PreflightRequest& request, Assessments& out) {
    connect::StreamRequest wanted;
    wanted.task_name = request.task_name;
    for (const schema::TablePlanPtr& plan : request.tables) {
      wanted.tables.push_back(schema::read_plan(plan));
    }
    RedoFindings findings;
    const auto advice = make_change_source(options_)->examine(context, wanted);
    if (!advice.ok()) {
      const ErrorKind kind = advice.error().kind;
      if (kind == ErrorKind::kTransient || kind == ErrorKind::kCancelled) return advice.error();
      // What oracle-check-archivelog-mode says need not be said twice.
      if (advice.error().code != "oracle.no_archiving") findings.add(advice.error(), nullptr);
    } else {
      for (std::size_t i = 0; i < wanted.tables.size(); ++i) {
        const connect::StreamAdvice::Table& table = advice->tables.at(i);
        if (table.refused) findings.add(*table.refused, wanted.tables[i].get());
        for (const std::string& warning : table.warnings) {
          findings.warn(warning, wanted.tables[i].get());
        }
      }
    }
    findings.put(out);
    return {};
  }

  const EndpointOptions options_;
  const std::string user_;
};

}  // namespace

std::unique_ptr<connect::Preflight> make_preflight(EndpointOptions options, std::string user) {
  return std::make_unique<OraclePreflight>(std::move(options), std::move(user));
}

}  // namespace wherry::oracle
