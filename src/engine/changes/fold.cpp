#include "engine/changes/fold.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/changes/key_hash.h"

namespace wherry::engine {
namespace {

bool has_cells(const Cell* cells, const std::vector<std::size_t>& columns) {
  return std::all_of(columns.begin(), columns.end(), [&](std::size_t i) {
    return cells[i].state == CellState::kSet || cells[i].state == CellState::kNull;
  });
}

/// `after`, or a copy of it whose identity is complete.
const Cell* completed(const TableRoute& table, const Cell* before, const Cell* after,
                      std::size_t columns, Arena& arena) {
  if (has_cells(after, table.identity())) return after;
  auto* out = reinterpret_cast<Cell*>(arena.allocate(columns * sizeof(Cell)));
  std::memcpy(out, after, columns * sizeof(Cell));
  for (const std::size_t i : table.identity()) {
    if (out[i].state == CellState::kUnchanged) out[i] = before[i];
  }
  return out;
}

}  // namespace

bool changes_identity(const TableRoute& table, const Cell* before, const Cell* after) {
  if (before == nullptr || before == after) return false;
  return std::any_of(table.identity().begin(), table.identity().end(), [&](std::size_t i) {
    return after[i].state != CellState::kUnchanged && !equal_key_cells(before[i], after[i]);
  });
}

const Cell* located_by(const TableRoute& table, const Cell* before, const Cell* after) {
  if (before != nullptr) return has_cells(before, table.identity()) ? before : nullptr;
  return after != nullptr && has_cells(after, table.identity()) ? after : nullptr;
}

void TableFold::reset(const TableRoute& table, const std::unordered_set<std::uint64_t>* absent) {
  table_ = &table;
  absent_ = absent;
  is_ambiguous_ = false;
  leaving_ = 0;
  columns_ = table.plan().columns.size();
  is_ordered_ = !table.has_plain_identity;
  changes_ = 0;
  entries_.clear();
  if (slots_.empty()) slots_.resize(64);
  if (++generation_ == 0) {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    generation_ = 1;
  }
}

bool TableFold::has_identity(const Cell* cells) const {
  return has_cells(cells, table_->identity());
}

std::uint32_t TableFold::find_or_add(std::uint64_t hash, const Cell* key) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].generation == generation_) {
    const NetChange& entry = entries_[slots_[at].entry];
    if (entry.hash == hash && equal_keys(entry.key, key, table_->identity()))
      return slots_[at].entry;
    at = (at + 1) & mask;
  }
  const auto made = static_cast<std::uint32_t>(entries_.size());
  slots_[at] = {generation_, made};
  NetChange& entry = entries_.emplace_back();
  entry.hash = hash;
  entry.key = key;
  entry.live = made;
  if (entries_.size() * 2 > slots_.size()) grow();
  return made;
}

void TableFold::grow() {
  std::vector<Slot> slots(slots_.size() * 2);
  const std::size_t mask = slots.size() - 1;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].is_detached) continue;
    std::size_t at = entries_[i].hash & mask;
    while (slots[at].generation == generation_) at = (at + 1) & mask;
    slots[at] = {generation_, i};
  }
  slots_ = std::move(slots);
}

/// An entry for a row whose identity belongs to another entry, whose own row is elsewhere.
std::uint32_t TableFold::add_detached(std::uint32_t at, const Cell* after, std::uint32_t number) {
  const auto made = static_cast<std::uint32_t>(entries_.size());
  NetChange& entry = entries_.emplace_back();
  entry.hash = entries_[at].hash;
  entry.key = entry.after = after;
  entry.live = made;
  entry.first = number;
  entry.count = 1;
  entry.kind = NetKind::kInsert;
  entry.is_detached = true;
  if (entries_.size() * 2 > slots_.size()) grow();
  return made;
}

void TableFold::insert(const Cell* after, std::uint32_t number) {
  ++changes_;
  if (is_ordered_) return;
  if (!has_identity(after)) return give_up();
  const std::uint32_t at = find_or_add(hash_key(after, table_->identity()), after);
  NetChange& entry = entries_[at];
  if (entry.count != 0 && entry.live != kNobody) return give_up();
  entry.is_vacated = true;
  if (entry.kind == NetKind::kInsert || entry.kind == NetKind::kRekey ||
      entry.kind == NetKind::kReplace) {
    const std::uint32_t made = add_detached(at, after, number);
    entries_[at].live = made;
    return;
  }
  if (entry.kind == NetKind::kNone) entry.first = number;
  entry.kind = entry.kind == NetKind::kDelete ? NetKind::kReplace : NetKind::kInsert;
  ++entry.count;
  entry.after = after;
  entry.is_merged = false;
  entry.live = at;
}

void TableFold::leave(std::uint32_t at) {
  entries_[at].live = kNobody;
  entries_[at].is_vacated = true;
}

void TableFold::update(const Cell* before, const Cell* after, std::uint32_t number, Arena& arena) {
  ++changes_;
  if (is_ordered_) return;
  const Cell* where = located_by(*table_, before, after);
  if (where == nullptr) return give_up();
  const std::uint32_t at = find_or_add(hash_key(where, table_->identity()), where);
  NetChange& entry = entries_[at];
  const bool moves = changes_identity(*table_, before, after);
  if (entry.count == 0) {
    entry.count = 1;
    entry.first = number;
    entry.kind = NetKind::kUpdate;
    entry.before = where;
    entry.after = after;
  } else if (entry.live == kNobody) {
    return give_up();
  } else if (entry.leaving != kNobody) {
    if (!moves) return give_up();
    const std::uint32_t row = std::exchange(entry.leaving, kNobody);
    entry.is_vacated = true;
    --leaving_;
    merge(entries_[row], after, arena);
    return move(row, where, after, arena);
  } else if (moves && entry.live != at && !entry.is_vacated) {
    return move_ambiguous(at, where, after, number, arena);
  } else {
    merge(entries_[entry.live], after, arena);
  }
  if (!moves) return;
  const std::uint32_t row = entries_[at].live;
  leave(at);
  move(row, where, after, arena);
}

/// A row has come to the identity `at`, and the one that may have been there has not been seen to
/// leave: which one moves on now?
void TableFold::move_ambiguous(std::uint32_t at, const Cell* before, const Cell* after,
                               std::uint32_t number, Arena& arena) {
  NetChange& entry = entries_[at];
  if (absent_ == nullptr) {
    is_ambiguous_ = true;
    return give_up();
  }
  if (absent_->contains(entry.hash)) {
    const std::uint32_t row = entry.live;
    merge(entries_[row], after, arena);
    leave(at);
    return move(row, before, after, arena);
  }
  entry.is_vacated = true;
  entry.kind = NetKind::kUpdate;
  entry.first = number;
  entry.before = before;
  entry.after = after;
  entry.is_merged = false;
  move(at, before, after, arena);
}

void TableFold::merge(NetChange& row, const Cell* after, Arena& arena) const {
  ++row.count;
  const Cell* const end = after + columns_;
  const Cell* unchanged =
      std::find_if(after, end, [](const Cell& c) { return c.state == CellState::kUnchanged; });
  if (unchanged == end) {
    row.after = after;
    row.is_merged = false;
    return;
  }
  auto* out = const_cast<Cell*>(row.after);  // ours when is_merged
  if (!row.is_merged) {
    out = reinterpret_cast<Cell*>(arena.allocate(columns_ * sizeof(Cell)));
    std::memcpy(out, row.after, columns_ * sizeof(Cell));
    row.after = out;
    row.is_merged = true;
  }
  for (std::size_t i = 0; i < columns_; ++i) {
    if (after[i].state != CellState::kUnchanged) out[i] = after[i];
  }
}

/// The row of an entry gets the identity that `after` has.
void TableFold::move(std::uint32_t row, const Cell* before, const Cell* after, Arena& arena) {
  const Cell* key = completed(*table_, before, after, columns_, arena);
  const std::uint32_t to = find_or_add(hash_key(key, table_->identity()), key);
  if (entries_[row].kind == NetKind::kReplace) {
    // Taken apart: the row that was there goes, and the one in its place is new elsewhere.
    const NetChange replaced = entries_[row];
    entries_[row].kind = NetKind::kDelete;
    row = add_detached(to, replaced.after, replaced.first);
    entries_[row].count = replaced.count;
    entries_[row].is_merged = replaced.is_merged;
  }
  NetChange& place = entries_[to];
  if (place.count == 0) {
    place.count = 1;
  } else if (place.live != kNobody) {
    if (place.leaving != kNobody) return give_up();
    place.leaving = place.live;
    ++leaving_;
  }
  place.live = row;
  NetChange& moved = entries_[row];
  if (moved.kind == NetKind::kUpdate) moved.kind = NetKind::kRekey;
  if (moved.kind == NetKind::kInsert) {
    moved.after = completed(*table_, before, moved.after, columns_, arena);
  }
}

void TableFold::remove(const Cell* before, std::uint32_t number) {
  ++changes_;
  if (is_ordered_) return;
  if (!has_identity(before)) return give_up();
  const std::uint32_t at = find_or_add(hash_key(before, table_->identity()), before);
  NetChange& entry = entries_[at];
  if (entry.count == 0) {
    entry.count = 1;
    entry.first = number;
    entry.kind = NetKind::kDelete;
    entry.before = before;
  } else if (entry.live == kNobody || entry.leaving != kNobody) {
    return give_up();
  } else {
    NetChange& row = entries_[entry.live];
    ++row.count;
    if (row.kind == NetKind::kReplace) row.before = before;
    row.kind = row.kind == NetKind::kInsert ? NetKind::kNone : NetKind::kDelete;
  }
  entry.live = kNobody;
  entry.is_vacated = true;
}

}  // namespace wherry::engine
