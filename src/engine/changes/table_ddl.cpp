#include "engine/changes/table_ddl.h"

#include <algorithm>

namespace wherry::engine {
namespace {

bool is_same_column(const schema::ColumnPlan& old, const schema::ColumnPlan& column) {
  if (old.origin != column.origin) return false;
  const bool has_numbers = old.source_number != 0 && column.source_number != 0;
  return has_numbers ? old.source_number == column.source_number
                     : old.source_name == column.source_name;
}

std::optional<std::size_t> origin_of(const schema::TablePlan& plan,
                                     const schema::ColumnPlan& column) {
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if (is_same_column(plan.columns[i], column)) return i;
  }
  return std::nullopt;
}

connect::ColumnFill fill_of(const connect::RowShape& shape, const schema::ColumnPlan& column) {
  if (column.origin != schema::ColumnOrigin::kSource) return {};
  const int at = shape.definition.find_column(column.source_name);
  const bool is_known = at >= 0 && static_cast<std::size_t>(at) < shape.fills.size();
  return is_known ? shape.fills[static_cast<std::size_t>(at)] : connect::ColumnFill{};
}

/// False when a column is gone.
bool move_columns(const std::vector<std::optional<std::size_t>>& to,
                  std::vector<std::size_t>& columns) {
  for (std::size_t& column : columns) {
    if (!to[column]) return false;
    column = *to[column];
  }
  return true;
}

}  // namespace

std::vector<std::optional<std::size_t>> destinations_of(const connect::TableAlteration& change) {
  std::vector<std::optional<std::size_t>> out(change.from->columns.size());
  for (std::size_t i = 0; i < change.origins.size(); ++i) {
    if (change.origins[i]) out[*change.origins[i]] = i;
  }
  return out;
}

connect::TableAlteration alteration_of(const schema::TablePlanPtr& from,
                                       const schema::TablePlanPtr& to,
                                       const connect::RowShape& shape) {
  connect::TableAlteration out;
  out.from = from;
  out.to = to;
  for (const schema::ColumnPlan& column : to->columns) {
    out.origins.push_back(origin_of(*from, column));
    const connect::ColumnFill fill = fill_of(shape, column);
    out.values.push_back(fill.kind == connect::ColumnFill::Kind::kValue ? std::optional(fill.value)
                                                                        : std::nullopt);
  }
  return out;
}

std::vector<std::size_t> columns_by_row(const connect::TableAlteration& alteration,
                                        const connect::RowShape& shape) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < alteration.to->columns.size(); ++i) {
    const bool is_new = !alteration.origins[i];
    const auto kind = fill_of(shape, alteration.to->columns[i]).kind;
    if (is_new && kind == connect::ColumnFill::Kind::kByRow) out.push_back(i);
  }
  return out;
}

bool changes_target(const connect::TableAlteration& alteration) {
  const schema::TablePlan& from = *alteration.from;
  const schema::TablePlan& to = *alteration.to;
  if (from.target != to.target || from.columns.size() != to.columns.size()) return true;
  for (std::size_t i = 0; i < to.columns.size(); ++i) {
    if (!alteration.origins[i]) return true;
    const schema::ColumnPlan& origin = from.columns[*alteration.origins[i]];
    if (origin.target_name != to.columns[i].target_name ||
        origin.target_type != to.columns[i].target_type) {
      return true;
    }
  }
  return false;
}

connect::ApplyTable altered(const connect::ApplyTable& table,
                            const connect::TableAlteration& alteration) {
  connect::ApplyTable out = table;
  out.plan = alteration.to;
  out.native = nullptr;
  const auto to = destinations_of(alteration);
  std::erase_if(out.keys, [&](connect::ApplyKey& key) { return !move_columns(to, key.columns); });
  if (!move_columns(to, out.identity)) out.identity.clear();
  std::erase_if(out.foreign_keys, [&](connect::ApplyTable::ForeignKey& key) {
    return !move_columns(to, key.columns);
  });
  return out;
}

connect::ApplyTable created(const schema::TablePlanPtr& plan) {
  connect::ApplyTable out;
  out.plan = plan;
  if (plan->key.empty()) return out;
  out.keys.push_back({plan->key, plan->key_is_primary, true});
  out.identity = plan->key;
  return out;
}

}  // namespace wherry::engine
