#include "control/task.h"

#include "control/change_advice.h"
#include "control/change_stream.h"
#include "control/load_step.h"
#include "control/plan_report.h"
#include "control/task_plan.h"
#include "core/failpoint.h"

namespace wherry::control {

Result<engine::TaskPlan> plan_task(OpContext& context, const TaskRequest& request,
                                   TaskObserver& observer) {
  StartRetry retry(context, request.settings.retry, observer, false);
  const auto existing = request.settings.target_table_prep_mode;
  WHERRY_ASSIGN(Prepared prepared, prepare_task(context, request, observer, retry, existing));
  WHERRY_TRY(retry.run("target", [&] { return check_privileges(context, request, prepared); }));
  if (request.type == MigrationType::kFullLoad) return std::move(prepared.plan);
  WHERRY_ASSIGN(const auto source, retry.run("source", [&] {
    return request.source.connector->open_change_source(context, request.source.settings);
  }));
  const std::string name = stream_name(request.state_directory);
  WHERRY_ASSIGN(const schema::PlanWarnings warnings,
                examine_changes(context, *source, name, retry, prepared.plan));
  prepared.plan.warnings.insert(prepared.plan.warnings.end(), warnings.begin(), warnings.end());
  return std::move(prepared.plan);
}

Result<PlanReport> make_plan_report(OpContext& context, const TaskRequest& request,
                                    TaskObserver& observer, std::uint64_t sample_rows) {
  WHERRY_ASSIGN(const engine::TaskPlan plan, plan_task(context, request, observer));
  PlanReport out = report_of(plan, request);
  if (sample_rows == 0) return out;
  const auto& [source, source_settings] = request.source;
  const auto& [target, target_settings] = request.target;
  WHERRY_ASSIGN(const auto loader, target->open_loader(context, target_settings));
  WHERRY_ASSIGN(const auto view, source->open_snapshot(context, source_settings, {}));
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    auto sample = engine::sample_table(context, *view, *loader, plan.tables[i], sample_rows);
    if (sample.ok()) {
      add_sample(out.tables[i], *std::move(sample));
      continue;
    }
    const ErrorKind kind = sample.error().kind;
    if (kind == ErrorKind::kCancelled || kind == ErrorKind::kTransient) {
      return std::move(sample).error().with("table", schema::to_text(plan.tables[i].plan->source));
    }
    // What keeps one table from being looked at, its load will meet; the others are seen.
    out.tables[i].warnings.push_back(
        {"plan.no_sample", schema::WarningRank::kRisk,
         "the table could not be looked at: " + sample.error().to_log_text()});
  }
  return out;
}

namespace {

/// Sets the point to load from: the recorded one when the task goes on, else a new one that is
/// recorded. Afterwards the state knows every planned table.
Result<void> choose_position(OpContext& context, const TaskRequest& request,
                             const engine::TaskPlan& plan, TaskState& state, StartRetry& retry,
                             engine::SourceViews& views) {
  const Endpoint& source = request.source;
  WHERRY_ASSIGN(TableRecords records, table_records(context, request, plan, state, retry));
  if (resumes(request, state)) {
    views.set_first(state.position());
    return state.add(records);
  }
  WHERRY_ASSIGN(auto view, retry.run("source", [&] {
    return source.connector->open_snapshot(context, source.settings, {});
  }));
  WHERRY_TRY(state.begin(source.settings.url, request.target.settings.url, view->position(),
                         std::move(records)));
  failpoint("task.begun");
  views.set_first(std::move(view));
  return {};
}

}  // namespace

Result<LoadOutcome> run_full_load_task(OpContext& context, const TaskRequest& original,
                                       TaskObserver& observer) {
  WHERRY_ASSIGN(auto state, TaskState::open(original.state_directory));
  WHERRY_TRY(check_start(original.start, *state));
  const TaskRequest request = with_own_settings(original, *state);
  WHERRY_TRY(check_type(request, *state));
  StartRetry retry(context, request.settings.retry, observer, !state->is_fresh());
  WHERRY_ASSIGN(Prepared prepared, prepare_task(context, request, observer, retry,
                                                request.settings.target_table_prep_mode));
  limit_values(prepared.plan, prepared.loader->max_value_bytes());
  WHERRY_TRY(retry.run("target", [&] { return check_privileges(context, request, prepared); }));
  WHERRY_ASSIGN(std::shared_ptr<connect::ControlWriter> control, retry.run("target", [&] {
    return open_control(context, *prepared.loader, request.settings, *state);
  }));
  engine::SourceViews views(source_opener(request));
  const std::string load_before = state->load_id();
  WHERRY_TRY(choose_position(context, request, prepared.plan, *state, retry, views));
  StateJournal journal(*state);
  LoadOutcome outcome;
  const LoadParts parts{prepared, *state, views, journal, std::move(control)};
  WHERRY_TRY(run_load(context, request, parts, retry, observer, load_before, outcome));
  return outcome;
}

}  // namespace wherry::control
