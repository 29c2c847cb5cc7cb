#include "engine/plan_views.h"

#include <algorithm>

namespace wherry::engine {
namespace {

/// More names than this are counted only.
constexpr std::size_t kMostNames = 20;

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  const std::size_t shown = std::min(names.size(), kMostNames);
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown) {
    out += " and " + std::to_string(names.size() - shown) + " more";
  }
  return out;
}

bool cuts_by_partitions(const std::optional<schema::ParallelLoad>& rule) {
  using Type = schema::ParallelLoadType;
  return rule && rule->type != Type::kNone && rule->type != Type::kRanges;
}

}  // namespace

bool ViewChoice::takes(const schema::TableDef& table) {
  if (!schema::is_view(table.kind)) return true;
  if (has_changes_) {
    without_changes_.push_back(schema::to_text(table.table));
    return false;
  }
  if (table.missing_setting.empty()) return true;
  withheld_[table.missing_setting].push_back(schema::to_text(table.table));
  return false;
}

void ViewChoice::pass_over(const schema::TableDef& table) {
  if (!schema::is_view(table.kind)) return;
  const auto rule = rules_.naming_view(table.table);
  if (!rule) return;
  named_.push_back({"plan.view_not_selected", schema::WarningRank::kRisk,
                    "rule-id " + std::to_string(*rule) + " names " + schema::to_text(table.table) +
                        ", which is a view, and takes tables only: give its object-locator "
                        "table-type view or all"});
}

schema::PlanWarnings ViewChoice::warnings() const {
  schema::PlanWarnings out = named_;
  if (!without_changes_.empty()) {
    out.push_back({"plan.view_without_changes", schema::WarningRank::kLoss,
                   "the source's log has no changes of views, so a task with changes leaves them "
                   "out: " +
                       listed(without_changes_) +
                       ". Load them by a task of --migration-type full-load"});
  }
  for (const auto& [setting, names] : withheld_) {
    out.push_back({"plan.views_not_exposed", schema::WarningRank::kLoss,
                   "views are left out, because the source's endpoint does not have the setting " +
                       setting + ": " + listed(names)});
  }
  return out;
}

Result<void> settle_kind(const schema::TableDef& table, std::optional<schema::ParallelLoad>& rule,
                         schema::PlanWarnings& warnings) {
  if (table.kind == schema::TableKind::kForeignTable) {
    warnings.push_back({"plan.foreign_table", schema::WarningRank::kRisk,
                        "its rows come from another server, and not as of the moment at which the "
                        "other tables are read"});
  }
  if (!schema::is_view(table.kind)) return {};
  warnings.push_back({"plan.view", schema::WarningRank::kNote,
                      "a view at the source becomes a table, whose columns may all be NULL, with a "
                      "key only by a define-primary-key rule; it is not compared"});
  if (!cuts_by_partitions(rule)) return {};
  if (rule->type == schema::ParallelLoadType::kPartitionsList) {
    return make_error(ErrorKind::kSchema, "plan.view_has_no_partitions",
                      "the table-settings rule lists partitions of a view, which has none",
                      "Give the rule parallel-load of type ranges, or give the selection rule a "
                      "filter");
  }
  rule.reset();
  warnings.push_back({"plan.view_not_cut", schema::WarningRank::kRisk,
                      "a view has no partitions: it is read in one piece, and the parallel-load "
                      "rule passed over; type ranges would cut it"});
  return {};
}

}  // namespace wherry::engine
