#include "engine/changes/table_ddl.h"

#include <algorithm>

namespace wherry::engine {
namespace {

std::optional<std::size_t> find_source(const schema::TablePlan& plan, const std::string& name) {
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if (plan.columns[i].source_name == name) return i;
  }
  return std::nullopt;
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
                                       const connect::RowShape& shape,
                                       const std::map<std::uint32_t, std::string>& names) {
  connect::TableAlteration out;
  out.from = from;
  out.to = to;
  for (const schema::ColumnPlan& column : to->columns) {
    const int at = shape.definition.find_column(column.source_name);
    const bool has_number =
        at >= 0 && static_cast<std::size_t>(at) < shape.column_ids.size() && !names.empty();
    if (!has_number) {
      out.origins.push_back(find_source(*from, column.source_name));
      continue;
    }
    const auto known = names.find(shape.column_ids[static_cast<std::size_t>(at)]);
    out.origins.push_back(known == names.end() ? std::nullopt : find_source(*from, known->second));
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
