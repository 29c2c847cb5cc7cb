#include "engine/planner.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/plan_names.h"
#include "engine/plan_table.h"
#include "engine/plan_views.h"

namespace wherry::engine {
namespace {

/// Tables that replication tools keep for themselves are nobody's data.
bool is_control_table(const schema::TableRef& table) {
  for (const std::string_view prefix : {"awsdms_", "AWSDMS_", "wherry_", "WHERRY_"}) {
    if (table.name.compare(0, prefix.size(), prefix) == 0) return true;
  }
  return false;
}

/// Columns of a ranges rule exist and can be compared with what is written in a rule (AWS DMS User
/// Guide: no DOUBLE, FLOAT, BLOB, CLOB, NCLOB).
Result<void> check_ranges(const schema::TableDef& table,
                          const std::optional<schema::ParallelLoad>& rule) {
  if (!rule || rule->type != schema::ParallelLoadType::kRanges) return {};
  for (const std::string& name : rule->columns) {
    const int found = table.find_column(name);
    std::string problem = "does not exist";
    if (found >= 0) {
      const schema::LogicalType& type = table.columns[static_cast<std::size_t>(found)].type;
      const bool is_float =
          type.kind == schema::TypeKind::kFloat32 || type.kind == schema::TypeKind::kFloat64;
      if (!schema::is_lob(type) && !is_float) continue;
      problem = "has a type that has no ranges";
    }
    return make_error(ErrorKind::kSchema, "plan.bad_ranges",
                      "a column of the table's parallel-load rule " + problem,
                      "Correct the rule in the table mappings; names are compared exactly")
        .with("column", name);
  }
  return {};
}

struct Ordered {
  TableTask task;
  std::int64_t load_order = 0;
  bool has_key_name_of_rule = false;
};

bool starts_before(const Ordered& a, const Ordered& b) {
  if (a.load_order != b.load_order) return a.load_order > b.load_order;
  const auto& x = a.task.definition;
  const auto& y = b.task.definition;
  if (x.estimated_bytes != y.estimated_bytes) return x.estimated_bytes > y.estimated_bytes;
  return x.table < y.table;
}

/// Names and types of the columns that a plan brings to the target, in any order.
std::map<std::string, std::string> columns_of(const schema::TablePlan& plan) {
  std::map<std::string, std::string> out;
  for (const schema::ColumnPlan& column : plan.columns) {
    out.emplace(column.target_name, column.target_type);
  }
  return out;
}

Error differing_target(const schema::TablePlan& plan, const schema::TablePlan& first) {
  return make_error(
             ErrorKind::kSchema, "plan.shared_target_differs",
             "the table would come into " + schema::to_text(plan.target) + " beside " +
                 schema::to_text(first.source) +
                 ", and both do not bring the same columns of the same types",
             "Rename one of the tables, or make their columns alike, with the table mappings")
      .with("table", schema::to_text(plan.source));
}

/// The plan of one of several tables, `all` of them, that come into one.
schema::TablePlanPtr shared_plan(const schema::TablePlan& plan, const std::string& all) {
  auto out = std::make_shared<schema::TablePlan>(plan);
  out->shares_target = true;
  out->warnings.push_back(
      {"plan.shared_target", schema::WarningRank::kRisk,
       "several tables come into " + schema::to_text(plan.target) + ": " + all +
           ". Their keys must differ; it cannot be compared with the source, and neither "
           "truncated, altered nor dropped because one of them is"});
  return out;
}

void drop(std::vector<Ordered>& ordered, const std::set<schema::TableRef>& gone) {
  std::erase_if(ordered,
                [&](const Ordered& each) { return gone.contains(each.task.plan->source); });
}

/// Several tables may come into one of the target when they bring the same columns.
void settle_shared_targets(std::vector<Ordered>& ordered, std::vector<RefusedTable>& refused) {
  std::map<schema::TableRef, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    groups[ordered[i].task.plan->target].push_back(i);
  }
  std::set<schema::TableRef> gone;
  for (auto& [target, members] : groups) {
    if (members.size() == 1) continue;
    const schema::TablePlan& first = *ordered[members.front()].task.plan;
    const auto wanted = columns_of(first);
    std::string all;
    std::vector<std::size_t> kept;
    for (const std::size_t i : members) {
      const schema::TablePlan& plan = *ordered[i].task.plan;
      if (columns_of(plan) == wanted) {
        kept.push_back(i);
        all += (all.empty() ? "" : ", ") + schema::to_text(plan.source);
      } else {
        refused.push_back({plan.source, differing_target(plan, first)});
        gone.insert(plan.source);
      }
    }
    if (kept.size() == 1) continue;
    for (const std::size_t i : kept) {
      ordered[i].task.plan = shared_plan(*ordered[i].task.plan, all);
    }
  }
  drop(ordered, gone);
}

void settle_keys(std::vector<Ordered>& ordered, std::size_t max_bytes,
                 std::vector<RefusedTable>& refused) {
  std::vector<NamedKey> keys;
  for (Ordered& entry : ordered) keys.push_back({&entry.task.plan, entry.has_key_name_of_rule});
  std::set<schema::TableRef> gone;
  for (RefusedTable& table : settle_key_names(keys, max_bytes)) {
    gone.insert(table.table);
    refused.push_back(std::move(table));
  }
  drop(ordered, gone);
}

void refuse_long_names(const std::vector<MisnamedTable>& misnamed,
                       const std::vector<Ordered>& fitting, std::size_t max_bytes,
                       std::vector<RefusedTable>& refused) {
  std::vector<schema::TablePlanPtr> plans;
  for (const Ordered& entry : fitting) plans.push_back(entry.task.plan);
  for (RefusedTable& table : refuse_misnamed(misnamed, plans, max_bytes)) {
    refused.push_back(std::move(table));
  }
}

/// Errors of the whole plan come together, as far as they are of one kind.
void join(std::optional<Error>& all, Error next) {
  if (!all) {
    all = std::move(next);
  } else if (all->code == next.code && next.code == "plan.name_collision") {
    all->message += "; " + next.message;
  }
}

}  // namespace

Result<TaskPlan> make_plan(std::vector<schema::TableDef> catalogue, const mapping::RuleSet& rules,
                           connect::TargetLoader& target, const PlanOptions& options) {
  TaskPlan plan;
  std::vector<Ordered> ordered;
  ViewChoice views(rules, options);
  std::vector<MisnamedTable> misnamed;
  std::optional<Error> stopping;
  for (schema::TableDef& table : catalogue) {
    if (is_control_table(table.table)) continue;
    const auto load_order = rules.select(table.table, table.kind);
    if (!load_order) views.pass_over(table);
    if (!load_order || !views.takes(table)) continue;
    auto parallel_load = rules.parallel_load(table.table);
    auto planned = plan_table(table, rules, target, options);
    schema::PlanWarnings of_kind;
    if (auto settled = settle_kind(table, parallel_load, of_kind); planned.ok() && !settled.ok()) {
      planned = std::move(settled).error();
    }
    if (auto checked = check_ranges(table, parallel_load); planned.ok() && !checked.ok()) {
      planned = std::move(checked).error();
    }
    if (!planned.ok()) {
      if (planned.error().kind == ErrorKind::kConfig) {
        join(stopping, std::move(planned).error());
        continue;
      }
      plan.refused.push_back(
          {table.table, std::move(planned).error().with("table", schema::to_text(table.table))});
      continue;
    }
    if (!planned->long_names.empty()) {
      misnamed.push_back({std::move(planned->plan), std::move(planned->long_names)});
      continue;
    }
    planned->plan.warnings.insert(planned->plan.warnings.begin(), of_kind.begin(), of_kind.end());
    Ordered& entry = ordered.emplace_back();
    entry.task.plan = std::make_shared<const schema::TablePlan>(std::move(planned->plan));
    entry.task.left_out = std::move(planned->left_out);
    entry.task.rules = std::move(planned->rules);
    entry.task.definition = std::move(table);
    entry.task.parallel_load = std::move(parallel_load);
    entry.load_order = *load_order;
    entry.has_key_name_of_rule = planned->has_key_name_of_rule;
  }
  if (stopping) return *std::move(stopping);
  std::sort(ordered.begin(), ordered.end(), starts_before);
  settle_shared_targets(ordered, plan.refused);
  settle_keys(ordered, target.max_name_bytes(), plan.refused);
  refuse_long_names(misnamed, ordered, target.max_name_bytes(), plan.refused);
  for (Ordered& entry : ordered) plan.tables.push_back(std::move(entry.task));
  plan.warnings = views.warnings();
  return plan;
}

}  // namespace wherry::engine
