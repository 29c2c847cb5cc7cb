#include "control/task_plan.h"

namespace wherry::control {
namespace {

Result<void> probe(OpContext& context, const Endpoint& endpoint, connect::Role role) {
  const char* side = role == connect::kSource ? "source" : "target";
  auto report = endpoint.connector->probe(context, endpoint.settings, role);
  if (!report.ok()) {
    return std::move(report).error().with(side, endpoint.settings.url);
  }
  const Logger log = context.log.as(Component::kTaskManager);
  log.info("connected", {{"side", side}, {"server", report->server_version}});
  for (const std::string& warning : report->warnings) {
    log.warn("the server warns", {{"side", side}, {"warning", warning}});
  }
  return {};
}

Error nothing_selected(const schema::PlanWarnings& warnings) {
  // What the rules have selected all the same explains more than anything else.
  if (!warnings.empty()) {
    return make_error(ErrorKind::kConfig, "task.no_tables",
                      "no table of the source comes into the task: " + warnings.front().text,
                      "Change the selection rules, the endpoint's settings or the type of the task")
        .with("code", warnings.front().code);
  }
  return make_error(ErrorKind::kConfig, "task.no_tables",
                    "no table of the source is selected by the table mappings",
                    "Check the schema and table names of the selection rules: they are "
                    "case-sensitive, Oracle's are upper case unless quoted. Tables on which the "
                    "source user has no privilege are not seen: grant it SELECT on them");
}

void log_plan(const Logger& log, const engine::TaskPlan& plan) {
  for (const schema::PlanWarning& warning : plan.warnings) {
    log.warn(warning.text, {{"code", warning.code}});
  }
  for (const engine::TableTask& task : plan.tables) {
    for (const schema::PlanWarning& warning : task.plan->warnings) {
      log.warn(warning.text,
               {{"table", schema::to_text(task.plan->source)}, {"code", warning.code}});
    }
  }
  for (const engine::RefusedTable& refused : plan.refused) log.error(refused.error);
}

/// What the LOB settings of the task, or of the table, leave of the LOB columns.
schema::TablePlan with_lob_settings(const schema::TablePlan& plan, const LobSettings& lobs) {
  schema::TablePlan changed = plan;
  changed.columns.clear();
  changed.lob_inline_bytes = lobs.inline_bytes;
  changed.lob_piece_bytes = lobs.piece_bytes;
  std::vector<std::size_t> places(plan.columns.size());
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    schema::ColumnPlan column = plan.columns[i];
    places[i] = changed.columns.size();
    if (schema::is_lob(column.type) && column.origin == schema::ColumnOrigin::kSource) {
      if (!lobs.are_loaded) {
        changed.warnings.push_back({"plan.lob_left_out", schema::WarningRank::kLoss,
                                    "column " + column.source_name +
                                        " is a LOB and left out, because SupportLobs is false"});
        continue;
      }
      column.max_lob_bytes = lobs.max_bytes;
    }
    changed.columns.push_back(std::move(column));
  }
  // A key never holds a LOB, so its columns are all there.
  for (std::size_t& index : changed.key) index = places[index];
  return changed;
}

void apply_lob_settings(engine::TaskPlan& plan, const LobSettings& of_task,
                        const mapping::RuleSet& rules) {
  for (engine::TableTask& task : plan.tables) {
    LobSettings lobs = of_task;
    if (const auto own = rules.lob_setting(task.plan->source)) {
      lobs = {true, own->max_bytes, own->inline_bytes, of_task.piece_bytes};
    }
    schema::TablePlan changed = with_lob_settings(*task.plan, lobs);
    if (changed.columns.empty()) continue;  // nothing but LOBs: they are loaded
    task.plan = std::make_shared<const schema::TablePlan>(std::move(changed));
  }
}

void apply_character_rules(engine::TaskPlan& plan,
                           const std::shared_ptr<const schema::CharacterRules>& rules) {
  for (engine::TableTask& task : plan.tables) task.plan = with_characters(task.plan, rules);
}

void apply_key_time(engine::TaskPlan& plan, bool comes_first) {
  if (!comes_first) return;
  for (engine::TableTask& task : plan.tables) {
    schema::TablePlan changed = *task.plan;
    changed.key_comes_first = true;
    task.plan = std::make_shared<const schema::TablePlan>(std::move(changed));
  }
}

/// Fits the plan to the tables that the target has already.
Result<void> match_targets(OpContext& context, Prepared& prepared,
                           connect::ExistingTable existing) {
  std::vector<schema::TablePlanPtr> plans;
  for (const engine::TableTask& task : prepared.plan.tables) plans.push_back(task.plan);
  WHERRY_ASSIGN(auto matches, prepared.loader->match(context, plans, existing));
  std::vector<engine::TableTask> tasks;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    engine::TableTask& task = prepared.plan.tables[i];
    if (matches[i].refused) {
      prepared.plan.refused.push_back({task.plan->source, *std::move(matches[i].refused)});
      continue;
    }
    task.plan = std::move(matches[i].plan);
    task.is_on_target = matches[i].exists;
    tasks.push_back(std::move(task));
  }
  prepared.plan.tables = std::move(tasks);
  return {};
}

}  // namespace

Result<SourceTables> source_tables(OpContext& context, const TaskRequest& request,
                                   std::vector<std::string> schemas) {
  WHERRY_ASSIGN(auto catalog,
                request.source.connector->open_catalog(context, request.source.settings));
  SourceTables out;
  WHERRY_ASSIGN(out.tables,
                catalog->describe_tables(context, {std::move(schemas), request.rules.needs_views(),
                                                   request.rules.needs_tablespaces()}));
  WHERRY_ASSIGN(out.filter_judge, catalog->filter_judge(context));
  return out;
}

/// CharacterSetSettings concern text of bounded length only.
schema::TablePlanPtr with_characters(const schema::TablePlanPtr& plan,
                                     const std::shared_ptr<const schema::CharacterRules>& rules) {
  if (plan == nullptr || rules == nullptr) return plan;
  auto changed = std::make_shared<schema::TablePlan>(*plan);
  for (schema::ColumnPlan& column : changed->columns) {
    const bool is_read = column.origin != schema::ColumnOrigin::kAdded;
    if (is_read && column.type.kind == schema::TypeKind::kText) column.character_rules = rules;
  }
  for (schema::ColumnPlan& column : changed->side_columns) {
    if (column.type.kind == schema::TypeKind::kText) column.character_rules = rules;
  }
  return changed;
}

engine::PlanOptions plan_options(const TaskRequest& request, connect::FilterJudge judge) {
  return {request.source.connector == request.target.connector,
          request.type != MigrationType::kFullLoad, request.settings.errors.masking,
          std::move(judge)};
}

void apply_settings(engine::TaskPlan& plan, const TaskRequest& request) {
  apply_lob_settings(plan, request.settings.lobs, request.rules);
  apply_character_rules(plan, request.settings.characters);
  apply_key_time(plan, !request.settings.create_pk_after_full_load);
}

Result<Prepared> prepare_task(OpContext& context, const TaskRequest& request,
                              TaskObserver& observer, StartRetry& retry,
                              connect::ExistingTable existing) {
  observer.on_phase("connecting");
  for (const std::string& what : request.settings.without_effect) {
    context.log.as(Component::kTaskManager)
        .info("a task setting has no effect", {{"setting", what}});
  }
  for (const std::string& warning : request.rules.warnings()) {
    context.log.as(Component::kTaskManager).warn("a rule is passed over", {{"rule", warning}});
  }
  WHERRY_TRY(retry.run("source", [&] { return probe(context, request.source, connect::kSource); }));
  WHERRY_TRY(retry.run("target", [&] { return probe(context, request.target, connect::kTarget); }));
  observer.on_phase("planning");
  Prepared prepared;
  WHERRY_ASSIGN(auto found, retry.run("source", [&] {
    return source_tables(context, request, request.rules.named_schemas());
  }));
  WHERRY_ASSIGN(prepared.loader, retry.run("target", [&] {
    return request.target.connector->open_loader(context, request.target.settings);
  }));
  WHERRY_ASSIGN(prepared.plan,
                engine::make_plan(std::move(found.tables), request.rules, *prepared.loader,
                                  plan_options(request, std::move(found.filter_judge))));
  apply_settings(prepared.plan, request);
  WHERRY_TRY(retry.run("target", [&] { return match_targets(context, prepared, existing); }));
  log_plan(context.log.as(Component::kMetadataManager), prepared.plan);
  if (prepared.plan.empty() && request.settings.fail_on_no_tables_captured) {
    return nothing_selected(prepared.plan.warnings);
  }
  return prepared;
}

Result<engine::TaskPlan> plan_without_checks(OpContext& context, const TaskRequest& request,
                                             bool meets_target) {
  Prepared prepared;
  WHERRY_ASSIGN(auto found, source_tables(context, request, request.rules.named_schemas()));
  WHERRY_ASSIGN(prepared.loader,
                request.target.connector->open_loader(context, request.target.settings));
  WHERRY_ASSIGN(prepared.plan,
                engine::make_plan(std::move(found.tables), request.rules, *prepared.loader,
                                  plan_options(request, std::move(found.filter_judge))));
  apply_settings(prepared.plan, request);
  if (meets_target) {
    WHERRY_TRY(match_targets(context, prepared, request.settings.target_table_prep_mode));
  }
  return std::move(prepared.plan);
}

Result<void> check_privileges(OpContext& context, const TaskRequest& request,
                              const Prepared& prepared) {
  std::vector<schema::TablePlanPtr> plans;
  for (const engine::TableTask& task : prepared.plan.tables) plans.push_back(task.plan);
  if (plans.empty()) return {};
  return prepared.loader->check_privileges(context, plans, request.settings.target_table_prep_mode);
}

void limit_values(engine::TaskPlan& plan, std::uint64_t max_value_bytes) {
  for (engine::TableTask& task : plan.tables) {
    schema::TablePlan changed = *task.plan;
    changed.max_value_bytes = max_value_bytes;
    task.plan = std::make_shared<const schema::TablePlan>(std::move(changed));
  }
}

}  // namespace wherry::control
