#include "control/change_advice.h"

#include <utility>

namespace wherry::control {
namespace {

schema::TablePlanPtr with_warnings(const schema::TablePlanPtr& plan,
                                   const std::vector<std::string>& warnings) {
  if (warnings.empty()) return plan;
  auto changed = std::make_shared<schema::TablePlan>(*plan);
  for (const std::string& warning : warnings) {
    changed->warnings.push_back({"plan.source_log", schema::WarningRank::kRisk, warning});
  }
  return changed;
}

/// No log has the values of a column that is generated.
std::optional<Error> refuse_generated_filter(const engine::TableTask& task) {
  if (task.plan->filter == nullptr) return std::nullopt;
  for (const schema::ColumnFilter& filter : *task.plan->filter) {
    const int column = task.definition.find_column(filter.column);
    const bool is_generated =
        column >= 0 && task.definition.columns[static_cast<std::size_t>(column)].is_generated;
    if (!is_generated) continue;
    return make_error(ErrorKind::kSchema, "plan.filter_not_logged",
                      "a filter asks for a generated column, whose values no log has",
                      "Filter by the columns that it is made of, or use --migration-type full-load")
        .with("table", schema::to_text(task.plan->source))
        .with("column", filter.column);
  }
  return std::nullopt;
}

}  // namespace

Result<schema::PlanWarnings> examine_changes(OpContext& context, connect::ChangeSource& source,
                                             const std::string& stream_name, StartRetry& retry,
                                             engine::TaskPlan& plan) {
  connect::StreamRequest wanted;
  wanted.task_name = stream_name;
  for (const engine::TableTask& task : plan.tables) {
    wanted.tables.push_back(schema::read_plan(task.plan));
  }
  WHERRY_ASSIGN(connect::StreamAdvice advice,
                retry.run("source", [&] { return source.examine(context, wanted); }));
  const Logger log = context.log.as(Component::kSourceCapture);
  for (const std::string& warning : advice.warnings) log.warn(warning);
  std::vector<engine::TableTask> tasks;
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    engine::TableTask& task = plan.tables[i];
    connect::StreamAdvice::Table& own = advice.tables.at(i);
    if (!own.refused) own.refused = refuse_generated_filter(task);
    for (const std::string& warning : own.warnings) {
      log.warn(warning, {{"table", schema::to_text(task.plan->source)}});
    }
    if (own.refused) {
      plan.refused.push_back({task.plan->source, *own.refused});
      log.error(*own.refused);
      continue;
    }
    task.plan = with_warnings(task.plan, own.warnings);
    tasks.push_back(std::move(task));
  }
  plan.tables = std::move(tasks);
  schema::PlanWarnings out;
  for (std::string& warning : advice.warnings) {
    out.push_back({"plan.source_server", schema::WarningRank::kRisk, std::move(warning)});
  }
  return out;
}

}  // namespace wherry::control
