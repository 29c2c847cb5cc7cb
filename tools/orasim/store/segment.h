// The rows of one table since its creation or last TRUNCATE: slots in ROWID order, each with its
// chain of versions, newest first; the extents they lie in; the indexes over them.
//
// A row is known inside the store by its ordinal, its place in the order of ROWIDs. Ordinals and
// ROWIDs are never reused; a row whose insert was rolled back leaves an empty slot.
// Versions live in an arena and are freed with the segment: every older state stays readable.
//
// Threads: writers hold the store's write lock. Readers take no lock: a slot's head and the row
// count are published with release stores, and a version never changes once it is published.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "store/key_index.h"

namespace orasim {

class TransactionImpl;

/// What all versions of one transaction share. Lives as long as the store.
struct TxRecord {
  std::atomic<Scn> commit_scn{0};    ///< 0: open, or rolled back
  TransactionImpl* owner = nullptr;  ///< while open; under the write lock
};

enum class VersionKind : std::uint8_t { kRow, kDeleted, kLock };

struct Version {
  Version* previous = nullptr;
  TxRecord* tx = nullptr;
  std::uint32_t size = 0;           ///< bytes of the image that follows
  std::uint32_t sequence : 30 = 0;  ///< number of the change within its transaction
  std::uint32_t kind_bits : 2 = 0;
  [[nodiscard]] VersionKind kind() const { return static_cast<VersionKind>(kind_bits); }
  [[nodiscard]] std::string_view image() const {
    return {reinterpret_cast<const char*>(this + 1), size};
  }
};

struct RowSlot {
  std::atomic<Version*> head{nullptr};
  std::uint32_t block = 0;
  std::uint16_t slot = 0;
  std::uint16_t file = 0;
};

/// Whose eyes a reader looks with.
struct ReadView {
  Scn scn = 0;
  const TxRecord* own = nullptr;
  std::uint32_t own_sequence = 0;               ///< own changes below this number are seen
  const std::atomic<Scn>* undo_from = nullptr;  ///< ORA-01555 when undo below it is needed
};

/// Newest version that the view sees; nullptr: none, or a deleted row.
const Version* visible_version(const RowSlot&, const ReadView&);
/// Newest version that is data (row or deleted) rather than a lock.
inline Version* newest_data(const RowSlot& slot) {
  Version* v = slot.head.load(std::memory_order_acquire);
  while (v != nullptr && v->kind() == VersionKind::kLock) v = v->previous;
  return v;
}

/// Key parts for columns of a table; empty when one is unknown, virtual or a LOB.
std::vector<KeyExtractor::Part> key_parts(const TableDef&, const std::vector<std::string>& columns);

class Segment {
 public:
  /// Gives `count` fresh consecutive blocks and makes that durable in the order of the log.
  using AllocateBlocks = std::function<ExtentInfo(std::uint32_t data_object, std::uint32_t count)>;

  Segment(std::shared_ptr<const TableDef> table, AllocateBlocks allocate);

  [[nodiscard]] const TableDef& table() const { return *table_; }
  [[nodiscard]] std::shared_ptr<const TableDef> table_ptr() const { return table_; }
  [[nodiscard]] const RowLayout& layout() const { return layout_; }
  /// After DDL: the new definition; indexes that nothing in it stands behind are dropped.
  void set_table(std::shared_ptr<const TableDef> table);

  // Readers.
  [[nodiscard]] std::uint32_t data_object() const { return data_object_; }
  [[nodiscard]] std::uint64_t row_slots() const { return count_.load(std::memory_order_acquire); }
  [[nodiscard]] const RowSlot& slot(std::uint64_t ordinal) const {
    return const_cast<Segment*>(this)->slot_at(ordinal);
  }
  [[nodiscard]] RowId row_id(std::uint64_t ordinal) const;
  /// False when there is no such row slot.
  [[nodiscard]] bool find(const RowId&, std::uint64_t& ordinal) const;

  // Writers, under the store's write lock.
  /// Space for a new row; the slot is empty until push().
  std::uint64_t append_slot(std::size_t image_size);
  Version* push(std::uint64_t ordinal, TxRecord*, std::uint32_t sequence, VersionKind,
                std::string_view image);
  /// Takes the newest version off again (rollback), with the index entries only it stood for.
  void pop(std::uint64_t ordinal);
  /// Recovery: an extent and a row slot exactly where they were. Throws CorruptBytes.
  void restore_extent(const ExtentInfo&);
  void restore_slot(std::uint64_t ordinal, std::uint32_t block, std::uint16_t slot);
  void finish_restore();

  /// The index whose first columns are these, in some order; made from the rows if there is none.
  struct Match {
    KeyIndex* index = nullptr;
    std::vector<std::size_t> order;  ///< part i of the index is columns[order[i]]
  };
  Match index_for(const std::vector<std::string>& columns);
  /// Adds the newest version of the row to every index.
  void index_newest(std::uint64_t ordinal);

  [[nodiscard]] TableStats stats() const;
  [[nodiscard]] const std::vector<ExtentInfo>& extents() const { return extents_; }
  LobKeeper& lobs() { return lobs_; }
  std::set<TransactionImpl*> writers;  ///< open transactions that have changed rows
  void count_live(std::int64_t rows, std::int64_t bytes);

 private:
  static constexpr int kFirstChunkBits = 6;
  static constexpr std::size_t kChunks = 40;
  [[nodiscard]] RowSlot& slot_at(std::uint64_t ordinal);
  void ensure_chunk(std::uint64_t ordinal);
  void next_block();
  Version* allocate(std::size_t image_size);
  [[nodiscard]] bool wanted_index(const KeyIndex&) const;

  const std::uint32_t data_object_;
  std::shared_ptr<const TableDef> table_;
  RowLayout layout_;
  AllocateBlocks allocate_blocks_;
  std::array<std::atomic<RowSlot*>, kChunks> chunks_{};
  std::vector<std::unique_ptr<RowSlot[]>> chunk_owners_;
  std::atomic<std::uint64_t> count_{0};

  std::vector<ExtentInfo> extents_;
  std::uint32_t block_ = 0, blocks_left_ = 0;
  std::uint16_t next_slot_ = 0, file_ = 0;
  std::size_t block_bytes_ = 0;
  std::uint64_t used_blocks_ = 0;

  std::vector<std::unique_ptr<char[]>> arena_;
  char* arena_at_ = nullptr;
  std::size_t arena_left_ = 0, arena_next_ = 4096;

  LobKeeper lobs_;
  std::vector<std::unique_ptr<KeyIndex>> indexes_;
  std::atomic<std::int64_t> live_rows_{0}, live_bytes_{0};
};

}  // namespace orasim
