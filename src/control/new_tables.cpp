#include "control/new_tables.h"

#include <algorithm>

#include "control/change_stream.h"

namespace wherry::control {
namespace {

Error target_exists(const schema::TablePlan& plan) {
  return make_error(ErrorKind::kSchema, "task.target_exists",
                    "a table that is new at the source is there on the target already, and "
                    "TargetTablePrepMode is DO_NOTHING",
                    "wherry reload --table empties the target's table and loads the source's")
      .with("table", schema::to_text(plan.target));
}

/// Of tables that can be had, those that the target has already.
Result<void> refuse_existing(OpContext& context, const NewTableParts& parts,
                             const std::vector<schema::TablePlanPtr>& plans,
                             const std::vector<schema::TableRef>& asked,
                             connect::StreamAdvice& advice) {
  const auto mode = parts.request.settings.target_table_prep_mode;
  if (mode != connect::ExistingTable::kKeep) return {};
  WHERRY_ASSIGN(const auto matches, parts.loader.match(context, plans, mode));
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const bool is_asked = std::find(asked.begin(), asked.end(), plans[i]->source) != asked.end();
    if (matches[i].exists && !is_asked && !advice.tables[i].refused) {
      advice.tables[i].refused = target_exists(*plans[i]);
    }
  }
  return {};
}

}  // namespace

Result<std::vector<schema::TableRef>> take_new_tables(OpContext& context,
                                                      const NewTableParts& parts,
                                                      connect::CommitOrder applied,
                                                      const std::vector<schema::TableRef>& asked,
                                                      ChangeRecorder& recorder) {
  std::vector<schema::TableRef> names;
  if (!parts.state.has_new_table(applied)) return names;
  // The state will say what a target that crashes must not forget; one that has crashed already
  // may have less than it had confirmed.
  WHERRY_ASSIGN(const connect::CommitOrder durable,
                durable_order(context, parts.target, parts.source, parts.state.stream().name));
  applied = std::min(applied, durable);
  std::vector<engine::LaterPlan> made;
  connect::StreamRequest wanted;
  wanted.task_name = parts.state.stream().name;
  for (const auto& [name, record] : parts.state.tables()) {
    if (!is_due_new_table(record, applied)) continue;
    names.push_back(name);
    made.push_back(record.later.back());
    wanted.tables.push_back(schema::read_plan(record.later.back().plan));
  }
  if (names.empty()) return names;
  WHERRY_ASSIGN(connect::StreamAdvice advice, parts.source.include(context, wanted));
  WHERRY_TRY(refuse_existing(context, parts, wanted.tables, asked, advice));
  const Logger log = context.log.as(Component::kTablesManager);
  std::vector<schema::TableRef> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const connect::StreamAdvice::Table& own = advice.tables.at(i);
    for (const std::string& warning : own.warnings) {
      log.warn(warning, {{"table", schema::to_text(names[i])}});
    }
    if (own.is_gone) {
      log.info("a new table is gone before it was loaded", {{"table", schema::to_text(names[i])}});
      WHERRY_TRY(parts.state.add_plan(names[i], {made[i].since, nullptr}));
    } else if (own.refused) {
      log.error(*own.refused);
      log.error("the new table is not followed", {{"table", schema::to_text(names[i])}});
      WHERRY_TRY(parts.state.suspend(names[i], own.refused->code));
      recorder.suspend(made[i].plan->target, own.refused->code);
    } else {
      out.push_back(names[i]);
    }
  }
  return out;
}

}  // namespace wherry::control
