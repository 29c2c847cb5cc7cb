#include "engine/changes/routes.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "engine/character_pass.h"
#include "engine/lob_limit.h"

namespace wherry::engine {
namespace {

Cell unchanged_cell() {
  Cell cell;
  std::memset(&cell, 0, sizeof cell);
  cell.state = CellState::kUnchanged;
  return cell;
}

/// Values are not all as they come.
bool changes_values(const schema::TablePlan& plan) {
  return std::any_of(plan.columns.begin(), plan.columns.end(), [](const auto& column) {
    return column.max_lob_bytes != 0 || column.character_rules != nullptr;
  });
}

/// Whether equal values of both columns have equal cells.
bool has_same_form(const schema::ColumnPlan& a, const schema::ColumnPlan& b, bool is_native) {
  if (is_native) return a.target_type == b.target_type;
  if (a.type == b.type && a.trim_blanks == b.trim_blanks) return true;
  const bool is_padded = a.type.blank_padded || b.type.blank_padded;
  return !is_padded && schema::cell_kind_of(a.type) == schema::cell_kind_of(b.type);
}

bool has_plain_key(const connect::ApplyTable& table, const std::vector<std::size_t>& columns) {
  return std::any_of(table.keys.begin(), table.keys.end(), [&](const connect::ApplyKey& key) {
    return key.is_plain && std::is_permutation(key.columns.begin(), key.columns.end(),
                                               columns.begin(), columns.end());
  });
}

/// Whether values of the key can be compared with values of the parent's key by their cells.
bool is_comparable(const connect::ApplyTable& child, const connect::ApplyTable::ForeignKey& key,
                   const connect::ApplyTable& parent) {
  if (key.columns.empty() || !has_plain_key(parent, key.parent_columns)) return false;
  if (child.plan->is_native != parent.plan->is_native ||
      child.plan->is_native_text != parent.plan->is_native_text) {
    return false;
  }
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    if (!has_same_form(child.plan->columns[key.columns[i]],
                       parent.plan->columns[key.parent_columns[i]], child.plan->is_native)) {
      return false;
    }
  }
  return true;
}

/// Where a plan's column is in a row, also when the source has renamed it and the target has not;
/// -1: nowhere.
std::int32_t place_of(const schema::TableDef& definition, const schema::ColumnPlan& planned) {
  if (planned.origin != schema::ColumnOrigin::kSource) return -1;
  for (std::size_t i = 0; i < definition.columns.size(); ++i) {
    const schema::ColumnDef& column = definition.columns[i];
    const bool has_numbers = column.number != 0 && planned.source_number != 0;
    if (has_numbers ? column.number == planned.source_number : column.name == planned.source_name) {
      return static_cast<std::int32_t>(i);
    }
  }
  return -1;
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

void Routes::replace(const schema::TableRef& source, std::optional<connect::ApplyTable> table,
                     const std::vector<std::optional<std::size_t>>& columns) {
  by_shape_.clear();
  const auto [at, is_new] = by_source_.try_emplace(source, tables_.size());
  if (is_new) tables_.emplace_back();
  TableRoutePtr& place = tables_[at->second];
  if (place) retired_.push_back(place);
  if (!table) {
    place = nullptr;
    return find_families();
  }
  if (place) move_references(place->plan().target, table->plan->target, columns);
  auto route = std::make_shared<TableRoute>();
  route->loaded_at = place ? place->loaded_at : 0;
  route->table = std::move(*table);
  route->source = source;
  route->progress = &progress_.table(source);
  route->index = static_cast<std::uint32_t>(at->second);
  place = std::move(route);
  find_families();
}

/// Foreign keys that point to a table follow its columns.
void Routes::move_references(const schema::TableRef& from, const schema::TableRef& to,
                             const std::vector<std::optional<std::size_t>>& columns) {
  for (TableRoutePtr& route : tables_) {
    if (!route) continue;
    auto moved = copy_of(route);
    std::erase_if(moved->table.foreign_keys, [&](connect::ApplyTable::ForeignKey& key) {
      if (key.parent != from) return false;
      key.parent = to;
      for (std::size_t& column : key.parent_columns) {
        if (columns.empty()) continue;
        if (!columns[column]) return true;
        column = *columns[column];
      }
      return false;
    });
    retired_.push_back(std::exchange(route, std::move(moved)));
  }
}

const TableRoute* Routes::find(const schema::TableRef& source) const {
  const auto found = by_source_.find(source);
  return found == by_source_.end() ? nullptr : tables_[found->second].get();
}

Result<const ShapeRoute*> Routes::of(const connect::RowShape& shape) {
  const auto found = by_shape_.find(shape.id);
  if (found != by_shape_.end()) return &found->second;
  WHERRY_ASSIGN(ShapeRoute made, make(shape));
  return &by_shape_.emplace(shape.id, std::move(made)).first->second;
}

Result<ShapeRoute> Routes::make(const connect::RowShape& shape) {
  ShapeRoute out;
  out.table = find(shape.source);
  if (out.table == nullptr) out.table = find(shape.definition.table);
  if (out.table == nullptr) return out;
  const auto& columns = out.table->plan().columns;
  for (const schema::ColumnPlan& column : columns) {
    out.origins.push_back(place_of(shape.definition, column));
  }
  if (const auto& filter = out.table->plan().filter; filter != nullptr) {
    out.filter = std::make_shared<const schema::RowFilterTest>(*filter, shape.definition.columns);
  }
  WHERRY_ASSIGN(out.maker, ChangeMaker::make(out.table->table.plan, out.table->identity(), shape));
  out.is_straight = columns.size() == shape.definition.columns.size() &&
                    !changes_values(out.table->plan()) && out.maker == nullptr;
  for (std::size_t i = 0; i < out.origins.size(); ++i) {
    out.is_straight = out.is_straight && out.origins[i] == static_cast<std::int32_t>(i);
  }
  return out;
}

Result<const Cell*> Routes::map(const ShapeRoute& route, const Cell* cells, Arena& arena) {
  if (cells == nullptr || route.is_straight) return cells;
  WHERRY_ASSIGN(const Cell* copy, map_copy(route, cells, arena));
  return copy;
}

Result<Cell*> Routes::map_copy(const ShapeRoute& route, const Cell* cells, Arena& arena) {
  if (cells == nullptr) return static_cast<Cell*>(nullptr);
  const std::size_t count = route.origins.size();
  auto* out = reinterpret_cast<Cell*>(arena.allocate(count * sizeof(Cell)));
  const auto& columns = route.table->plan().columns;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t from = route.origins[i];
    out[i] = from < 0 ? unchanged_cell() : cells[from];
    if (columns[i].character_rules != nullptr) {
      replace_characters(out[i], *columns[i].character_rules, arena);
    }
    if (columns[i].max_lob_bytes == 0) continue;
    WHERRY_TRY(limit_cell(out[i], columns[i].max_lob_bytes, arena));
  }
  return out;
}

Cell* unchanged_cells(std::size_t count, Arena& arena) {
  auto* const cells = reinterpret_cast<Cell*>(arena.allocate(count * sizeof(Cell)));
  std::fill_n(cells, count, unchanged_cell());
  return cells;
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
    made[i]->has_loose_references = false;
    made[i]->has_plain_identity =
        made[i]->table.is_identity_plain && !made[i]->table.identity.empty();
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
  for (std::size_t i = 0; i < count; ++i) {
    if (!made[i]) continue;
    made[i]->has_comparable_parent.clear();
    for (const auto& key : made[i]->table.foreign_keys) {
      const auto parent = by_target.find(key.parent);
      const bool is_comparable_key =
          parent != by_target.end() &&
          is_comparable(made[i]->table, key, made[parent->second]->table);
      made[i]->has_comparable_parent.push_back(is_comparable_key);
      if (parent != by_target.end() && !is_comparable_key) {
        made[parent->second]->has_loose_references = true;
      }
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
