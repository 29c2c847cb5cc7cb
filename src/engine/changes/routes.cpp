#include "engine/changes/routes.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "engine/lob_limit.h"

namespace wherry::engine {
namespace {

Cell unchanged_cell() {
  Cell cell;
  std::memset(&cell, 0, sizeof cell);
  cell.state = CellState::kUnchanged;
  return cell;
}

bool has_lob_limit(const schema::TablePlan& plan) {
  return std::any_of(plan.columns.begin(), plan.columns.end(),
                     [](const auto& column) { return column.max_lob_bytes != 0; });
}

/// A mutable copy of a route, to be given out again.
std::shared_ptr<TableRoute> copy_of(const TableRoutePtr& route) {
  return std::make_shared<TableRoute>(*route);
}

}  // namespace

void Routes::set(std::vector<connect::ApplyTable> tables,
                 const std::vector<schema::TableRef>& sources,
                 const std::vector<connect::CommitOrder>& loaded_at) {
  tables_.clear();
  retired_.clear();
  by_source_.clear();
  by_shape_.clear();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto route = std::make_shared<TableRoute>();
    route->table = std::move(tables[i]);
    route->source = sources[i];
    route->loaded_at = loaded_at[i];
    route->progress = &progress_.table(sources[i]);
    route->index = static_cast<std::uint32_t>(i);
    by_source_[sources[i]] = i;
    by_source_.try_emplace(route->plan().source, i);
    tables_.push_back(std::move(route));
  }
  find_families();
}

void Routes::replace(const schema::TableRef& source, std::optional<connect::ApplyTable> table) {
  by_shape_.clear();
  const auto [at, is_new] = by_source_.try_emplace(source, tables_.size());
  if (is_new) tables_.emplace_back();
  TableRoutePtr& place = tables_[at->second];
  if (place) retired_.push_back(place);
  if (!table) {
    place = nullptr;
    return;
  }
  auto route = std::make_shared<TableRoute>();
  route->loaded_at = place ? place->loaded_at : 0;
  route->table = std::move(*table);
  route->source = source;
  route->progress = &progress_.table(source);
  route->index = static_cast<std::uint32_t>(at->second);
  place = std::move(route);
  find_families();
}

const TableRoute* Routes::find(const schema::TableRef& source) const {
  const auto found = by_source_.find(source);
  return found == by_source_.end() ? nullptr : tables_[found->second].get();
}

const ShapeRoute& Routes::of(const connect::RowShape& shape) {
  const auto found = by_shape_.find(shape.id);
  if (found != by_shape_.end()) return found->second;
  return by_shape_.emplace(shape.id, make(shape)).first->second;
}

ShapeRoute Routes::make(const connect::RowShape& shape) {
  ShapeRoute out;
  out.table = find(shape.source);
  if (out.table == nullptr) out.table = find(shape.definition.table);
  if (out.table == nullptr) return out;
  const auto& known = column_names_[shape.source];
  const auto& columns = out.table->plan().columns;
  for (const schema::ColumnPlan& column : columns) {
    int at = shape.definition.find_column(column.source_name);
    for (std::size_t i = 0; at < 0 && i < shape.column_ids.size(); ++i) {
      const auto name = known.find(shape.column_ids[i]);
      if (name != known.end() && name->second == column.source_name) at = static_cast<int>(i);
    }
    out.origins.push_back(at);
  }
  out.is_straight =
      columns.size() == shape.definition.columns.size() && !has_lob_limit(out.table->plan());
  for (std::size_t i = 0; i < out.origins.size(); ++i) {
    out.is_straight = out.is_straight && out.origins[i] == static_cast<std::int32_t>(i);
  }
  learn(shape, out);
  return out;
}

void Routes::learn(const connect::RowShape& shape, const ShapeRoute& route) {
  auto& known = column_names_[shape.source];
  for (std::size_t i = 0; i < route.origins.size() && !shape.column_ids.empty(); ++i) {
    if (route.origins[i] < 0) continue;
    known[shape.column_ids[static_cast<std::size_t>(route.origins[i])]] =
        route.table->plan().columns[i].source_name;
  }
}

Result<const Cell*> Routes::map(const ShapeRoute& route, const Cell* cells, Arena& arena) {
  if (cells == nullptr || route.is_straight) return cells;
  const std::size_t count = route.origins.size();
  auto* out = reinterpret_cast<Cell*>(arena.allocate(count * sizeof(Cell)));
  const auto& columns = route.table->plan().columns;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t from = route.origins[i];
    out[i] = from < 0 ? unchanged_cell() : cells[from];
    if (columns[i].max_lob_bytes == 0) continue;
    WHERRY_TRY(limit_cell(out[i], columns[i].max_lob_bytes, arena));
  }
  return out;
}

void Routes::find_families() {
  const std::size_t count = tables_.size();
  std::vector<std::shared_ptr<TableRoute>> made(count);
  std::map<schema::TableRef, std::size_t> by_target;
  for (std::size_t i = 0; i < count; ++i) {
    if (!tables_[i]) continue;
    made[i] = copy_of(tables_[i]);
    by_target[made[i]->plan().target] = i;
  }
  std::vector<std::size_t> leader(count);
  std::iota(leader.begin(), leader.end(), std::size_t{0});
  const auto root = [&](std::size_t at) {
    while (leader[at] != at) at = leader[at];
    return at;
  };
  std::vector<std::vector<std::size_t>> parents(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!made[i]) continue;
    made[i]->is_child = made[i]->is_parent = made[i]->is_in_cycle = false;
    made[i]->depth = 0;
    made[i]->has_other_keys = std::any_of(
        made[i]->table.keys.begin(), made[i]->table.keys.end(),
        [&](const auto& key) { return !key.is_plain || key.columns != made[i]->table.identity; });
    for (const auto& key : made[i]->table.foreign_keys) {
      const auto parent = by_target.find(key.parent);
      if (parent == by_target.end()) continue;
      leader[root(i)] = root(parent->second);
      parents[i].push_back(parent->second);
    }
  }
  // Depths settle after as many rounds as there are levels; in a cycle they never do.
  for (std::size_t round = 0; round <= count; ++round) {
    for (std::size_t i = 0; i < count; ++i) {
      for (const std::size_t parent : parents[i]) {
        made[i]->is_child = made[parent]->is_parent = true;
        if (parent == i || made[i]->depth > made[parent]->depth) continue;
        made[i]->depth = made[parent]->depth + 1;
        if (round == count) made[i]->is_in_cycle = true;
      }
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!made[i]) continue;
    made[i]->family = static_cast<std::uint32_t>(root(i));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!made[i] || !made[i]->is_in_cycle) continue;
    for (auto& other : made) {
      if (other && other->family == made[i]->family) other->is_in_cycle = true;
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!made[i]) continue;
    retired_.push_back(tables_[i]);
    tables_[i] = std::move(made[i]);
  }
}

}  // namespace wherry::engine
