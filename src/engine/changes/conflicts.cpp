#include "engine/changes/conflicts.h"

#include <algorithm>
#include <bit>
#include <utility>

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

/// NULL: a key with one is equal to no other. An identity with one is a value like others.
KeyValue value_of(const Cell* cells, const KeyColumns& key, bool is_identity, std::uint64_t seed,
                  std::uint64_t& hash) {
  if (cells == nullptr) return KeyValue::kUnknown;
  KeyValue out = KeyValue::kKnown;
  std::uint64_t sum = seed;
  for (std::size_t i = 0; i < key.here.size(); ++i) {
    const Cell& cell = cells[key.here[i]];
    const bool is_null = cell.state == CellState::kNull;
    if (is_null && !is_identity) return KeyValue::kNull;
    if (cell.state != CellState::kSet && !is_null) {
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
    out.old_value = value_of(before, key, is_identity, seed, out.old_hash);
  }
  if (change.kind != ChangeKind::kDelete) {
    out.new_value = value_of(after, key, is_identity, seed, out.new_hash);
  }
  return out;
}

/// `is_identity`: an update without an image before it has left the key as it was.
void collect_key(const WindowChange& change, const std::vector<std::size_t>& columns,
                 bool is_identity, Touches& out) {
  const schema::TableRef& name = change.table->plan().target;
  const KeyTouch touch = touch_of(change, {columns, columns}, key_seed(name), is_identity);
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
                         bool is_comparable, Touches& out) {
  const KeyTouch touch =
      touch_of(change, {key.columns, key.parent_columns}, key_seed(key.parent), false);
  if (!touch.changes) return;
  if (touch.old_value == KeyValue::kKnown) out.reads.push_back(touch.old_hash);
  if (touch.new_value == KeyValue::kKnown) out.reads.push_back(touch.new_hash);
  if (!is_comparable || touch.old_value == KeyValue::kUnknown ||
      touch.new_value == KeyValue::kUnknown) {
    out.reads.push_back(references_hash(key.parent));
  }
}

/// Whether rows that refer to the changed one, nobody knows which, must come before or after it.
bool touches_references(const WindowChange& change) {
  const TableRoute& table = *change.table;
  if (!table.is_parent) return false;
  if (table.has_loose_references || change.kind == ChangeKind::kDelete) return true;
  return change.kind == ChangeKind::kUpdate &&
         (changes_identity(table, change.before, change.after) || table.has_other_keys);
}

constexpr std::size_t kFewestSlots = 1024;
constexpr std::size_t kFirstSweep = 256 * 1024;

std::uint64_t reader_hash(std::uint64_t hash, std::uint32_t lane) {
  return mix_hash(hash, lane);
}

}  // namespace

void ConflictTracker::collect(const WindowChange& change, Touches& out) {
  const TableRoute& table = *change.table;
  const schema::TableRef& name = table.plan().target;
  if (table.table.has_triggers) out.writes.push_back(kTriggers);
  if (!table.has_plain_identity) {
    out.writes.push_back(table_hash(name));
  } else {
    collect_key(change, table.identity(), true, out);
  }
  for (const connect::ApplyKey& key : table.table.keys) {
    if (!key.is_plain) {
      out.writes.push_back(table_hash(name));
    } else if (key.columns != table.identity()) {
      collect_key(change, key.columns, false, out);
    }
  }
  for (std::size_t i = 0; i < table.table.foreign_keys.size(); ++i) {
    collect_foreign_key(change, table.table.foreign_keys[i], table.has_comparable_parent[i], out);
  }
  if (touches_references(change)) out.writes.push_back(references_hash(name));
}

const ConflictTracker::Slot* ConflictTracker::find(std::uint64_t hash, Slot::Kind kind) const {
  if (slots_.empty()) return nullptr;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.kind == Slot::Kind::kFree) return nullptr;
    if (slot.hash == hash && slot.kind == kind) return &slot;
  }
}

ConflictTracker::Slot& ConflictTracker::find_or_add(std::uint64_t hash, Slot::Kind kind) {
  if ((used_ + 1) * 2 > slots_.size()) grow(std::max(kFewestSlots, slots_.size() * 2));
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at].kind != Slot::Kind::kFree; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && slots_[at].kind == kind) return slots_[at];
  }
  slots_[at] = {hash, 0, 0, 0, kind};
  ++used_;
  return slots_[at];
}

void ConflictTracker::grow(std::size_t size) {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(size));
  const std::size_t mask = size - 1;
  for (const Slot& slot : old) {
    if (slot.kind == Slot::Kind::kFree) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].kind != Slot::Kind::kFree) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

ConflictTracker::ConflictTracker() : next_sweep_(kFirstSweep) {}

void ConflictTracker::clear() {
  if (used_ == 0) return;
  std::fill(slots_.begin(), slots_.end(), Slot{});
  used_ = 0;
  next_sweep_ = kFirstSweep;
}

std::uint32_t ConflictTracker::lanes_before(const Touches& touches,
                                            const Numbers& committed) const {
  std::uint32_t lanes = 0;
  const auto add = [&](const Slot* slot) {
    if (slot != nullptr && slot->number > committed[slot->lane]) lanes |= 1U << slot->lane;
  };
  for (const std::uint64_t hash : touches.writes) {
    const Slot* slot = find(hash, Slot::Kind::kWriter);
    if (slot == nullptr) continue;
    add(slot);
    for (std::uint32_t left = slot->read_lanes; left != 0; left &= left - 1) {
      const auto lane = static_cast<std::uint32_t>(std::countr_zero(left));
      add(find(reader_hash(hash, lane), Slot::Kind::kReader));
    }
  }
  for (const std::uint64_t hash : touches.reads) add(find(hash, Slot::Kind::kWriter));
  return lanes;
}

void ConflictTracker::assign(const Touches& touches, std::uint32_t lane, std::uint64_t number) {
  for (const std::uint64_t hash : touches.writes) {
    Slot& slot = find_or_add(hash, Slot::Kind::kWriter);
    slot.number = number;
    slot.lane = static_cast<std::uint8_t>(lane);
  }
  for (const std::uint64_t hash : touches.reads) {
    find_or_add(hash, Slot::Kind::kWriter).read_lanes |= 1U << lane;
    Slot& reader = find_or_add(reader_hash(hash, lane), Slot::Kind::kReader);
    reader.number = number;
    reader.lane = static_cast<std::uint8_t>(lane);
  }
}

void ConflictTracker::sweep_when_large(const Numbers& committed) {
  if (used_ < next_sweep_) return;
  sweep(committed);
  next_sweep_ = std::max(kFirstSweep, used_ * 2);
}

void ConflictTracker::sweep(const Numbers& committed) {
  const std::vector<Slot> old = std::exchange(slots_, {});
  used_ = 0;
  for (const Slot& slot : old) {
    if (slot.kind == Slot::Kind::kFree || slot.number <= committed[slot.lane]) continue;
    if (slot.kind == Slot::Kind::kReader) {
      find_or_add(slot.hash, slot.kind) = slot;
      continue;
    }
    Slot& kept = find_or_add(slot.hash, slot.kind);
    kept.number = slot.number;
    kept.lane = slot.lane;
  }
  // Who was read keeps the readers that are left.
  for (const Slot& slot : old) {
    if (slot.kind != Slot::Kind::kWriter) continue;
    for (std::uint32_t left = slot.read_lanes; left != 0; left &= left - 1) {
      const auto lane = static_cast<std::uint32_t>(std::countr_zero(left));
      if (find(reader_hash(slot.hash, lane), Slot::Kind::kReader) == nullptr) continue;
      find_or_add(slot.hash, Slot::Kind::kWriter).read_lanes |= 1U << lane;
    }
  }
}

}  // namespace wherry::engine
