#include "control/preflight.h"

#include <algorithm>

#include "control/change_stream.h"
#include "control/control_tables.h"
#include "control/plan_report.h"
#include "control/preflight_general.h"
#include "control/task_plan.h"

namespace wherry::control {
namespace {

using connect::Assessment;
using connect::Assessments;
using connect::Role;
using connect::Verdict;

constexpr std::string_view kSource = "source", kTarget = "target", kTask = "task";

/// What a connector is asked about: the plan, and how the task goes about it.
connect::PreflightRequest request_for(const engine::TaskPlan& plan, const TaskRequest& request) {
  const TaskSettings& settings = request.settings;
  connect::PreflightRequest out;
  out.task_name = stream_name(request.state_directory);
  for (const engine::TableTask& task : plan.tables) out.tables.push_back(task.plan);
  out.has_load = request.type != MigrationType::kCdc;
  out.has_changes = request.type != MigrationType::kFullLoad;
  out.is_batch_apply = settings.changes.apply.is_batch;
  out.existing = settings.target_table_prep_mode;
  out.subtasks = settings.max_full_load_subtasks;
  out.lanes = settings.changes.apply.lanes;
  out.load_secs = report_of(plan, request).totals.estimated_secs;
  out.control = control_tables_of(settings, out.task_name);
  return out;
}

/// One preflight; what it finds goes into one report.
class Run {
 public:
  Run(OpContext& context, const TaskRequest& request, const PreflightEnds& ends)
      : context_(context), request_(request), ends_(ends) {}

  Result<PreflightReport> all() {
    if (ends_.has_source) WHERRY_TRY(reach(request_.source, kSource, report_.source_server));
    if (ends_.has_target) WHERRY_TRY(reach(request_.target, kTarget, report_.target_server));
    add(kTask, assess_state_directory(request_));
    engine::TaskPlan plan;
    if (!report_.source_server.empty()) {
      WHERRY_ASSIGN(plan, plan_or_say_why());
      WHERRY_TRY(ask(request_.source, connect::kSource, plan));
    }
    if (!report_.target_server.empty()) WHERRY_TRY(ask(request_.target, connect::kTarget, plan));
    return std::move(report_);
  }

 private:
  void add(std::string_view side, Assessment assessment) {
    if (ends_.has_source) {
      assessment.name =
          name_for(std::move(assessment.name), request_.source.connector->info().name);
    }
    report_.assessments.push_back({side, std::move(assessment)});
  }
  void add(std::string_view side, Assessments assessments) {
    for (Assessment& each : assessments) add(side, std::move(each));
  }

  Result<void> reach(const Endpoint& endpoint, std::string_view side, std::string& server) {
    const Role role = side == kSource ? connect::kSource : connect::kTarget;
    auto probed = endpoint.connector->probe(context_, endpoint.settings, role);
    Assessment out{"wherry-check-connection", Verdict::kPassed, "the server can be reached"};
    if (!probed.ok()) {
      if (probed.error().kind == ErrorKind::kCancelled) return probed.error();
      out.verdict = Verdict::kFailed;
      std::string words = probed.error().message;
      if (!probed.error().native_text.empty()) words += ": " + probed.error().native_text;
      out.findings.push_back({endpoint.settings.url, words, probed.error().hint});
    } else {
      server = probed->server_version;
      for (std::string& warning : probed->warnings) {
        out.verdict = Verdict::kWarning;
        out.findings.push_back({{}, std::move(warning)});
      }
    }
    add(side, std::move(out));
    return {};
  }

  /// A plan that cannot be made is an assessment that failed; the rest is then asked without one.
  Result<engine::TaskPlan> plan_or_say_why() {
    auto plan = plan_without_checks(context_, request_, !report_.target_server.empty());
    if (plan.ok()) {
      add(kTask, assess_plan(*plan, request_));
      return plan;
    }
    const Error& error = plan.error();
    if (error.kind == ErrorKind::kCancelled || error.kind == ErrorKind::kTransient) return error;
    add(kTask, Assessment{"wherry-check-plan",
                          Verdict::kFailed,
                          "a plan can be made",
                          {{{}, error.message, error.hint}}});
    return engine::TaskPlan();
  }

  Result<void> ask(const Endpoint& endpoint, Role role, const engine::TaskPlan& plan) {
    auto preflight = endpoint.connector->open_preflight(context_, endpoint.settings);
    if (!preflight.ok()) {
      if (preflight.error().kind == ErrorKind::kUnsupported) return {};
      return std::move(preflight).error();
    }
    WHERRY_ASSIGN(Assessments found,
                  (*preflight)->assess(context_, role, request_for(plan, request_)));
    add(role == connect::kSource ? kSource : kTarget, std::move(found));
    return {};
  }

  OpContext& context_;
  const TaskRequest& request_;
  const PreflightEnds& ends_;
  PreflightReport report_;
};

Result<std::vector<std::string>> grants_at(OpContext& context, const Endpoint& endpoint, Role role,
                                           connect::PreflightRequest wanted,
                                           const std::string& grantee) {
  wanted.grantee = grantee;
  WHERRY_ASSIGN(const auto preflight,
                endpoint.connector->open_preflight(context, endpoint.settings));
  return preflight->grants(context, role, wanted);
}

}  // namespace

std::size_t PreflightReport::count(Verdict verdict) const {
  return static_cast<std::size_t>(
      std::count_if(assessments.begin(), assessments.end(),
                    [&](const auto& each) { return each.assessment.verdict == verdict; }));
}

std::string_view PreflightReport::status() const {
  if (count(Verdict::kFailed) != 0) return "failed";
  // What could not be found out may be wrong.
  return count(Verdict::kWarning) + count(Verdict::kError) != 0 ? "warning" : "passed";
}

Result<PreflightReport> run_preflight(OpContext& context, const TaskRequest& request,
                                      const PreflightEnds& ends) {
  return Run(context, request, ends).all();
}

Result<GrantScripts> make_grants(OpContext& context, const TaskRequest& request,
                                 const PreflightEnds& ends) {
  WHERRY_ASSIGN(const engine::TaskPlan plan,
                plan_without_checks(context, request, ends.has_target));
  if (plan.tables.empty()) {
    return make_error(ErrorKind::kConfig, "check.no_tables",
                      "no table can be moved, so there is nothing to grant",
                      "`wherry plan` says why. A user without privileges does not see Oracle's "
                      "tables: connect as an administrator, and name the task's user with "
                      "--source-grantee");
  }
  const connect::PreflightRequest wanted = request_for(plan, request);
  GrantScripts out;
  if (ends.has_source) {
    WHERRY_ASSIGN(out.source, grants_at(context, request.source, connect::kSource, wanted,
                                        ends.source_grantee));
  }
  if (ends.has_target) {
    WHERRY_ASSIGN(out.target, grants_at(context, request.target, connect::kTarget, wanted,
                                        ends.target_grantee));
  }
  return out;
}

}  // namespace wherry::control
