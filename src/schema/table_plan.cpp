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

/// Values as the filter compares them: whole, and not in a form that the engine alone knows.
bool is_comparable(const ColumnPlan& column, const ColumnFilter& filter) {
  return column.origin == ColumnOrigin::kSource && column.source_name == filter.column &&
         column.type.kind != TypeKind::kNative && column.max_lob_bytes == 0 &&
         filter_family(column.type) == filter_family(filter.type);
}

/// The columns that the rest of the filter needs, read beside those that are compared.
std::vector<ColumnPlan> filter_columns(const TablePlan& plan) {
  std::vector<ColumnPlan> out;
  for (const ColumnFilter& filter : engine_filter(plan)) {
    for (const auto* list : {&plan.side_columns, &plan.columns}) {
      const auto found = std::find_if(list->begin(), list->end(), [&](const auto& each) {
        return is_comparable(each, filter);
      });
      if (found == list->end()) continue;
      ColumnPlan& column = out.emplace_back(*found);
      column.is_native = false;
      column.likeness = Likeness::kExact;
      column.character_rules = nullptr;
      column.masking = {};
      break;
    }
  }
  return out;
}

}  // namespace

RowFilter source_filter(const TablePlan& plan) {
  return plan.filter == nullptr ? RowFilter() : part_of(*plan.filter, FilterSide::kSource);
}

RowFilter engine_filter(const TablePlan& plan) {
  return plan.filter == nullptr ? RowFilter() : part_of(*plan.filter, FilterSide::kEngine);
}

std::vector<std::optional<std::size_t>> places_of(const RowFilter& filter, const TablePlan& plan) {
  std::vector<std::optional<std::size_t>> out;
  for (const ColumnFilter& each : filter) {
    auto& place = out.emplace_back();
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
      // The last one: side columns are read for nothing else.
      if (is_comparable(plan.columns[i], each)) place = i;
    }
  }
  return out;
}

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
  std::vector<ColumnPlan> side_columns = filter_columns(*plan);
  if (!makes_rows(*plan) && side_columns.empty()) return plan;
  auto out = reduced(*plan, is_as_read);
  out->side_columns = std::move(side_columns);
  return out;
}

}  // namespace wherry::schema
