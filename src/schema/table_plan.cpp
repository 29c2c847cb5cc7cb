#include "schema/table_plan.h"

#include <algorithm>
#include <optional>

namespace wherry::schema {
namespace {

bool is_as_read(const ColumnPlan& column) {
  return column.origin == ColumnOrigin::kSource && column.masking.kind == MaskingKind::kNone;
}

/// The plan with those columns only that `is_kept` takes.
template <class Keep>
std::shared_ptr<TablePlan> reduced(const TablePlan& plan, const Keep& is_kept) {
  auto out = std::make_shared<TablePlan>(plan);
  out->columns.clear();
  out->side_columns.clear();
  std::vector<std::optional<std::size_t>> places(plan.columns.size());
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if (!is_kept(plan.columns[i])) continue;
    places[i] = out->columns.size();
    out->columns.push_back(plan.columns[i]);
  }
  out->key.clear();
  for (const std::size_t column : plan.key) {
    if (!places[column]) {
      out->key.clear();
      break;
    }
    out->key.push_back(*places[column]);
  }
  return out;
}

}  // namespace

bool makes_rows(const TablePlan& plan) {
  return !plan.side_columns.empty() ||
         !std::all_of(plan.columns.begin(), plan.columns.end(), is_as_read);
}

TablePlanPtr read_plan(const TablePlanPtr& plan) {
  if (!makes_rows(*plan)) return plan;
  auto out = reduced(
      *plan, [](const ColumnPlan& column) { return column.origin == ColumnOrigin::kSource; });
  out->columns.insert(out->columns.end(), plan->side_columns.begin(), plan->side_columns.end());
  return out;
}

TablePlanPtr comparable_plan(const TablePlanPtr& plan) {
  if (!makes_rows(*plan)) return plan;
  return reduced(*plan, is_as_read);
}

}  // namespace wherry::schema
