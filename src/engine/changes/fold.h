// What many changes of one table come to: for each identity one net change. No allocation for each
// change: entries and slots are kept from window to window.
//
//   first \ next   insert     update           delete
//   insert         conflict   insert (merged)  nothing
//   update         conflict   update (merged)  delete (first identity)
//   delete         replace    conflict         conflict
//
// A row whose identity changes is followed under its new one. Inside a statement two rows may have
// one identity for a moment (UPDATE … SET id = id + 1): the one that was there first is the one
// that moves on. Where the fold must know for that whether the target has a row, it is_ambiguous()
// until it is told; where the log says what cannot be, the changes count in their order:
// is_ordered().
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "core/arena.h"
#include "core/cell.h"
#include "engine/changes/routes.h"

namespace wherry::engine {

enum class NetKind : std::uint8_t { kNone, kInsert, kUpdate, kRekey, kDelete, kReplace };

/// What has become of the row that had one identity first.
struct NetChange {
  std::uint64_t hash = 0;
  const Cell* key = nullptr;     ///< has the identity that the entry stands for
  const Cell* before = nullptr;  ///< has the identity that the row has at the target
  const Cell* after = nullptr;
  std::uint32_t live = 0;              ///< the entry whose row has this identity now; kNobody
  std::uint32_t leaving = 0xFFFFFFFF;  ///< the one that has it still, and must move on
  std::uint32_t first = 0;             ///< the change of the window that the row begins with
  std::uint32_t count = 0;             ///< changes of the row
  NetKind kind = NetKind::kNone;
  bool is_vacated = false;   ///< the row that had it at the target has left it, or there was none
  bool is_merged = false;    ///< `after` is ours to change
  bool is_detached = false;  ///< another entry stands for the identity
};

class TableFold {
 public:
  static constexpr std::uint32_t kNobody = 0xFFFFFFFF;

  /// Empties it for the changes of a table. `absent`: hashes of identities that no row of the
  /// target has; nullptr: not known.
  void reset(const TableRoute& table, const std::unordered_set<std::uint64_t>* absent = nullptr);
  /// REQUIRES: reset(); cells by the plan's columns, good as long as the fold is; `number` is the
  /// change's in its window. Rows that are merged are made in `arena`.
  void insert(const Cell* after, std::uint32_t number);
  void update(const Cell* before, const Cell* after, std::uint32_t number, Arena& arena);
  void remove(const Cell* before, std::uint32_t number);

  [[nodiscard]] const TableRoute* table() const { return table_; }
  /// The net changes do not tell what happened: the changes count, in their order.
  [[nodiscard]] bool is_ordered() const { return is_ordered_ || leaving_ != 0; }
  /// … unless it is known which identities the target has.
  [[nodiscard]] bool is_ambiguous() const { return is_ambiguous_; }
  [[nodiscard]] const std::vector<NetChange>& entries() const { return entries_; }
  [[nodiscard]] std::uint32_t changes() const { return changes_; }

 private:
  struct Slot {
    std::uint32_t generation = 0;
    std::uint32_t entry = 0;
  };
  bool has_identity(const Cell* cells) const;
  /// Index of the entry of that identity; a new one has count 0.
  std::uint32_t find_or_add(std::uint64_t hash, const Cell* key);
  void grow();
  void merge(NetChange& row, const Cell* after, Arena& arena) const;
  std::uint32_t add_detached(std::uint32_t at, const Cell* after, std::uint32_t number);
  void move(std::uint32_t row, const Cell* before, const Cell* after, Arena& arena);
  void move_ambiguous(std::uint32_t at, const Cell* before, const Cell* after, std::uint32_t number,
                      Arena& arena);
  void leave(std::uint32_t at);
  void give_up() { is_ordered_ = true; }

  const TableRoute* table_ = nullptr;
  std::size_t columns_ = 0;
  const std::unordered_set<std::uint64_t>* absent_ = nullptr;
  bool is_ordered_ = false, is_ambiguous_ = false;
  std::uint32_t leaving_ = 0;  ///< entries with a row that must move on
  std::uint32_t changes_ = 0;
  std::uint32_t generation_ = 0;
  std::vector<Slot> slots_;  ///< a power of two, at most half full
  std::vector<NetChange> entries_;
};

/// The identity cells that both rows have differ. REQUIRES: `before` has its identity.
bool changes_identity(const TableRoute& table, const Cell* before, const Cell* after);
/// Which of an update's rows has the identity that it had before: nullptr when neither has.
const Cell* located_by(const TableRoute& table, const Cell* before, const Cell* after);

}  // namespace wherry::engine
