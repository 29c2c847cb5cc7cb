#include "engine/changes/conflicts.h"

#include <algorithm>

#include "engine/changes/key_hash.h"

namespace wherry::engine {
namespace {

using connect::ApplyTable;
using connect::ChangeKind;

std::uint64_t hash_name(std::uint64_t seed, const schema::TableRef& table) {
  return hash_bytes(hash_bytes(seed, table.schema.data(), table.schema.size()), table.name.data(),
                    table.name.size());
}
/// Stands for the table as a whole.
std::uint64_t table_hash(const schema::TableRef& table) {
  return hash_name(1, table);
}
/// Stands for all rows that may refer to the table, where the log does not say to which row.
std::uint64_t references_hash(const schema::TableRef& table) {
  return hash_name(2, table);
}
constexpr std::uint64_t kTriggers = 3;

/// Of a key's values; each is mixed with its column, so that the order of columns does not matter.
std::uint64_t key_seed(const schema::TableRef& table) {
  return hash_name(4, table);
}

enum class KeyValue : std::uint8_t { kKnown, kUnknown, kNull };

/// A key's columns in a row and, by the same place, in the table whose key it is.
struct KeyColumns {
  const std::vector<std::size_t>& here;
  const std::vector<std::size_t>& there;
};

/// NULL: a key with one is equal to no other.
KeyValue value_of(const Cell* cells, const KeyColumns& key, std::uint64_t seed,
                  std::uint64_t& hash) {
  if (cells == nullptr) return KeyValue::kUnknown;
  KeyValue out = KeyValue::kKnown;
  std::uint64_t sum = seed;
  for (std::size_t i = 0; i < key.here.size(); ++i) {
    const Cell& cell = cells[key.here[i]];
    if (cell.state == CellState::kNull) return KeyValue::kNull;
    if (cell.state != CellState::kSet) {
      out = KeyValue::kUnknown;
    } else {
      sum += hash_key_cell(mix_hash(seed, key.there[i]), cell);
    }
  }
  hash = sum;
  return out;
}

bool touches_any(const Cell* after, const std::vector<std::size_t>& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [&](std::size_t i) { return after[i].state != CellState::kUnchanged; });
}

/// The old and new values of one key of a changed row.
struct KeyTouch {
  std::uint64_t old_hash = 0, new_hash = 0;
  KeyValue old_value = KeyValue::kNull, new_value = KeyValue::kNull;
  bool changes = true;  ///< an update may change it
};

KeyTouch touch_of(const WindowChange& change, const KeyColumns& key, std::uint64_t seed,
                  bool is_identity) {
  KeyTouch out;
  const Cell* before = change.before;
  const Cell* after = change.after;
  if (change.kind == ChangeKind::kUpdate) {
    // Without an image before it, an update has left the identity as it was.
    if (before == nullptr && is_identity) before = after;
    out.changes = touches_any(after, key.here);
  }
  if (change.kind != ChangeKind::kInsert) {
    out.old_value = value_of(before, key, seed, out.old_hash);
  }
  if (change.kind != ChangeKind::kDelete) {
    out.new_value = value_of(after, key, seed, out.new_hash);
  }
  return out;
}

void collect_key(const WindowChange& change, const connect::ApplyKey& key, Touches& out) {
  const TableRoute& table = *change.table;
  const schema::TableRef& name = table.plan().target;
  const bool is_identity = key.columns == table.identity();
  if (!key.is_plain) {
    out.writes.push_back(table_hash(name));
    return;
  }
  const KeyTouch touch = touch_of(change, {key.columns, key.columns}, key_seed(name), is_identity);
  if (touch.old_value == KeyValue::kKnown) out.writes.push_back(touch.old_hash);
  if (touch.new_value == KeyValue::kKnown &&
      (touch.new_hash != touch.old_hash || touch.old_value != KeyValue::kKnown)) {
    out.writes.push_back(touch.new_hash);
  }
  if (is_identity || !touch.changes) return;
  // Whoever gives up an unknown value comes before or after all who might take it.
  const bool is_old_unknown = touch.old_value == KeyValue::kUnknown;
  const bool is_new_unknown = touch.new_value == KeyValue::kUnknown;
  (is_old_unknown || is_new_unknown ? out.writes : out.reads).push_back(table_hash(name));
}

void collect_foreign_key(const WindowChange& change, const ApplyTable::ForeignKey& key,
                         Touches& out) {
  const KeyTouch touch =
      touch_of(change, {key.columns, key.parent_columns}, key_seed(key.parent), false);
  if (!touch.changes) return;
  if (touch.old_value == KeyValue::kKnown) out.reads.push_back(touch.old_hash);
  if (touch.new_value == KeyValue::kKnown) out.reads.push_back(touch.new_hash);
  if (touch.old_value == KeyValue::kUnknown || touch.new_value == KeyValue::kUnknown) {
    out.reads.push_back(references_hash(key.parent));
  }
}

}  // namespace

void ConflictTracker::collect(const WindowChange& change, Touches& out) const {
  const TableRoute& table = *change.table;
  const schema::TableRef& name = table.plan().target;
  if (table.table.has_triggers) out.writes.push_back(kTriggers);
  if (table.identity().empty()) out.writes.push_back(table_hash(name));
  for (const connect::ApplyKey& key : table.table.keys) collect_key(change, key, out);
  for (const auto& key : table.table.foreign_keys) collect_foreign_key(change, key, out);
  if (!table.is_parent) return;
  const bool may_leave =
      change.kind == ChangeKind::kDelete ||
      (change.kind == ChangeKind::kUpdate &&
       (changes_identity(table, change.before, change.after) || table.has_other_keys));
  if (may_leave) out.writes.push_back(references_hash(name));
}

std::uint32_t ConflictTracker::lanes_before(
    const Touches& touches, const std::array<std::uint64_t, kMostLanes>& committed) const {
  std::uint32_t lanes = 0;
  const auto add_writer = [&](const Entry& entry) {
    if (entry.write_number > committed[entry.write_lane]) lanes |= 1U << entry.write_lane;
  };
  for (const std::uint64_t hash : touches.writes) {
    const auto found = entries_.find(hash);
    if (found == entries_.end()) continue;
    add_writer(found->second);
    for (std::uint32_t lane = 0; lane < kMostLanes; ++lane) {
      const bool reads = (found->second.read_lanes >> lane & 1U) != 0;
      if (reads && found->second.read_number > committed[lane]) lanes |= 1U << lane;
    }
  }
  for (const std::uint64_t hash : touches.reads) {
    const auto found = entries_.find(hash);
    if (found != entries_.end()) add_writer(found->second);
  }
  return lanes;
}

void ConflictTracker::assign(const Touches& touches, std::uint32_t lane, std::uint64_t number) {
  for (const std::uint64_t hash : touches.writes) {
    Entry& entry = entries_[hash];
    entry.write_number = number;
    entry.write_lane = lane;
  }
  for (const std::uint64_t hash : touches.reads) {
    Entry& entry = entries_[hash];
    entry.read_number = number;
    entry.read_lanes |= 1U << lane;
  }
}

void ConflictTracker::sweep(const std::array<std::uint64_t, kMostLanes>& committed) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = at->second;
    for (std::uint32_t lane = 0; lane < kMostLanes; ++lane) {
      if (entry.read_number <= committed[lane]) entry.read_lanes &= ~(1U << lane);
    }
    const bool is_over = entry.read_lanes == 0 && entry.write_number <= committed[entry.write_lane];
    at = is_over ? entries_.erase(at) : std::next(at);
  }
}

}  // namespace wherry::engine
