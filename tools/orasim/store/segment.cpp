#include "store/segment.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

#include "store/byte_io.h"

namespace orasim {
namespace {

constexpr std::size_t kBlockBytes = 8192;
/// What rows may fill: a block less its headers and PCTFREE 10.
constexpr std::size_t kUsableBytes = 7260;
constexpr std::size_t kRowOverhead = 5;  // row header and directory entry
constexpr std::uint32_t kSegmentHeaderBlocks = 3;
constexpr std::size_t kLargestArenaChunk = std::size_t{1} << 20;

/// Automatic extent sizes: 64 KB for the first 16, then 1 MB, 8 MB, 64 MB.
std::uint32_t next_extent_blocks(std::size_t extents) {
  if (extents < 16) return 8;
  if (extents < 79) return 128;
  return extents < 199 ? 1024 : 8192;
}

static_assert(std::is_trivially_destructible_v<Version>, "versions are dropped with their arena");

}  // namespace

const Version* visible_version(const RowSlot& slot, const ReadView& view) {
  const Version* v = slot.head.load(std::memory_order_acquire);
  bool skipped = false;
  for (; v != nullptr; v = v->previous) {
    if (v->kind() == VersionKind::kLock) continue;
    if (v->tx == view.own && view.own != nullptr) {
      if (v->sequence < view.own_sequence) break;
      continue;
    }
    const Scn scn = v->tx->commit_scn.load(std::memory_order_acquire);
    if (scn != 0 && scn <= view.scn) break;
    skipped = skipped || scn != 0;
  }
  if (skipped && view.undo_from != nullptr &&
      view.scn < view.undo_from->load(std::memory_order_relaxed)) {
    throw OraError(
        1555, "snapshot too old: rollback segment number 9 with name \"_SYSSMU9_1\" too small");
  }
  return v == nullptr || v->kind() == VersionKind::kDeleted ? nullptr : v;
}

Segment::Segment(std::shared_ptr<const TableDef> table, AllocateBlocks allocate)
    : data_object_(table->data_object_id),
      table_(std::move(table)),
      layout_(*table_),
      allocate_blocks_(std::move(allocate)) {}

void Segment::set_table(std::shared_ptr<const TableDef> table) {
  table_ = std::move(table);
  layout_ = RowLayout(*table_);
  std::erase_if(indexes_, [this](const auto& index) { return !wanted_index(*index); });
}

RowSlot& Segment::slot_at(std::uint64_t ordinal) {
  const std::uint64_t group = (ordinal >> kFirstChunkBits) + 1;
  const int chunk = std::bit_width(group) - 1;
  const std::uint64_t first = ((std::uint64_t{1} << chunk) - 1) << kFirstChunkBits;
  return chunks_[static_cast<std::size_t>(chunk)].load(std::memory_order_acquire)[ordinal - first];
}

void Segment::ensure_chunk(std::uint64_t ordinal) {
  const std::uint64_t group = (ordinal >> kFirstChunkBits) + 1;
  const auto chunk = static_cast<std::size_t>(std::bit_width(group) - 1);
  for (std::size_t i = chunk_owners_.size(); i <= chunk; ++i) {
    chunk_owners_.push_back(std::make_unique<RowSlot[]>(std::size_t{1} << (i + kFirstChunkBits)));
    chunks_[i].store(chunk_owners_.back().get(), std::memory_order_release);
  }
}

RowId Segment::row_id(std::uint64_t ordinal) const {
  const RowSlot& s = slot(ordinal);
  return RowId{data_object_, s.file, s.block, s.slot};
}

bool Segment::find(const RowId& id, std::uint64_t& ordinal) const {
  if (id.object != data_object_) return false;
  std::uint64_t low = 0, high = row_slots();
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const RowSlot& s = slot(middle);
    if (s.block < id.block || (s.block == id.block && s.slot < id.slot)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low >= row_slots()) return false;
  const RowSlot& s = slot(low);
  ordinal = low;
  return s.block == id.block && s.slot == id.slot && s.file == id.file;
}

void Segment::next_block() {
  if (blocks_left_ == 0) {
    const ExtentInfo extent = allocate_blocks_(data_object_, next_extent_blocks(extents_.size()));
    const std::uint32_t header = extents_.empty() ? kSegmentHeaderBlocks : 0;
    extents_.push_back(extent);
    file_ = extent.file;
    block_ = extent.first_block + header;
    blocks_left_ = extent.block_count - header;
  } else {
    ++block_;
  }
  --blocks_left_;
  next_slot_ = 0;
  block_bytes_ = 0;
  ++used_blocks_;
}

std::uint64_t Segment::append_slot(std::size_t image_size) {
  const std::size_t cost = std::min(image_size + kRowOverhead, kUsableBytes);
  if (used_blocks_ == 0 || block_bytes_ + cost > kUsableBytes) next_block();
  block_bytes_ += cost;
  const std::uint64_t ordinal = count_.load(std::memory_order_relaxed);
  ensure_chunk(ordinal);
  RowSlot& s = slot_at(ordinal);
  s.block = block_;
  s.slot = next_slot_++;
  s.file = file_;
  count_.store(ordinal + 1, std::memory_order_release);
  return ordinal;
}

Version* Segment::allocate(std::size_t image_size) {
  constexpr std::size_t kAlign = alignof(Version);
  const std::size_t size = (sizeof(Version) + image_size + kAlign - 1) / kAlign * kAlign;
  if (size > arena_left_) {
    const std::size_t chunk = std::max(size, arena_next_);
    arena_.push_back(std::make_unique_for_overwrite<char[]>(chunk));
    arena_at_ = arena_.back().get();
    arena_left_ = chunk;
    arena_next_ = std::min(arena_next_ * 2, kLargestArenaChunk);
  }
  auto* v = new (arena_at_) Version{};
  arena_at_ += size;
  arena_left_ -= size;
  return v;
}

Version* Segment::push(std::uint64_t ordinal, TxRecord* tx, std::uint32_t sequence,
                       VersionKind kind, std::string_view image) {
  RowSlot& s = slot_at(ordinal);
  Version* v = allocate(image.size());
  v->previous = s.head.load(std::memory_order_relaxed);
  v->tx = tx;
  v->size = static_cast<std::uint32_t>(image.size());
  v->sequence = sequence & 0x3FFFFFFFU;
  v->kind_bits = static_cast<std::uint32_t>(kind) & 3U;
  if (!image.empty()) std::memcpy(static_cast<void*>(v + 1), image.data(), image.size());
  s.head.store(v, std::memory_order_release);
  return v;
}

void Segment::pop(std::uint64_t ordinal) {
  RowSlot& s = slot_at(ordinal);
  Version* gone = s.head.load(std::memory_order_relaxed);
  if (gone->kind() == VersionKind::kRow) {
    std::string key, other;
    for (const auto& index : indexes_) {
      if (!index->key_of(gone->image(), key)) continue;
      bool still_needed = false;
      for (const Version* v = gone->previous; v != nullptr && !still_needed; v = v->previous) {
        still_needed =
            v->kind() == VersionKind::kRow && index->key_of(v->image(), other) && other == key;
      }
      if (!still_needed) index->entries.remove(key, ordinal);
    }
  }
  s.head.store(gone->previous, std::memory_order_release);
}

void Segment::restore_extent(const ExtentInfo& extent) {
  if (!extents_.empty() && extent.first_block <= extents_.back().first_block) {
    throw CorruptBytes("extents are out of order");
  }
  extents_.push_back(extent);
  file_ = extent.file;
}

void Segment::restore_slot(std::uint64_t ordinal, std::uint32_t block, std::uint16_t slot) {
  // A gap is left by rows that were never committed; it cannot be longer than what was allocated.
  std::uint64_t capacity = 0;
  for (const ExtentInfo& e : extents_) capacity += std::uint64_t{e.block_count} * kUsableBytes;
  if (ordinal >= capacity) throw CorruptBytes("a row lies outside the extents of its table");
  ensure_chunk(ordinal);
  RowSlot& s = slot_at(ordinal);
  s.block = block;
  s.slot = slot;
  s.file = file_;
  if (ordinal >= count_.load(std::memory_order_relaxed)) {
    count_.store(ordinal + 1, std::memory_order_release);
  }
}

void Segment::finish_restore() {
  std::uint32_t last = 0;
  for (std::uint64_t i = 0; i < row_slots(); ++i) {
    RowSlot& s = slot_at(i);
    if (s.block == 0 && i > 0) {
      // An empty slot takes the address of the row before it: addresses stay in order.
      s.block = slot_at(i - 1).block;
      s.slot = slot_at(i - 1).slot;
      s.file = slot_at(i - 1).file;
    }
    if (s.block != last) ++used_blocks_;
    last = s.block;
  }
  if (extents_.empty()) return;
  const ExtentInfo& end = extents_.back();
  const std::uint32_t header = extents_.size() == 1 ? kSegmentHeaderBlocks : 0;
  // Go on in the first block that holds nothing.
  block_ = std::max(last, end.first_block + header - 1);
  blocks_left_ = end.first_block + end.block_count - 1 - block_;
  block_bytes_ = kUsableBytes;
  used_blocks_ = std::max<std::uint64_t>(used_blocks_, 1);
}

std::vector<KeyExtractor::Part> key_parts(const TableDef& table,
                                          const std::vector<std::string>& columns) {
  std::vector<KeyExtractor::Part> parts;
  for (const std::string& name : columns) {
    const int at = table.find_column(name);
    if (at < 0 || table.columns[static_cast<std::size_t>(at)].is_virtual) return {};
    const ColumnDef& column = table.columns[static_cast<std::size_t>(at)];
    if (is_lob_payload(column.type.type)) return {};
    KeyExtractor::Part part{column.stored_slot, column.type.type, {}, false};
    part.has_when_absent =
        !column.value_when_absent.is_null() &&
        encode_payload(column.type.type, column.value_when_absent, part.when_absent);
    parts.push_back(std::move(part));
  }
  return parts;
}

namespace {

/// Whether the first wanted.size() parts of `index` are `wanted` in some order.
bool match_order(const KeyIndex& index, const std::vector<KeyIndex::Part>& wanted,
                 std::vector<std::size_t>& order) {
  if (index.parts().size() < wanted.size()) return false;
  order.clear();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found = std::find_if(wanted.begin(), wanted.end(), [&](const auto& part) {
      return part.slot == index.parts()[i].slot;
    });
    if (found == wanted.end()) return false;
    order.push_back(static_cast<std::size_t>(found - wanted.begin()));
  }
  return true;
}

}  // namespace

Segment::Match Segment::index_for(const std::vector<std::string>& columns) {
  Match match;
  const std::vector<KeyIndex::Part> parts = key_parts(*table_, columns);
  if (parts.empty()) return match;
  for (const auto& index : indexes_) {
    if (match_order(*index, parts, match.order)) {
      match.index = index.get();
      return match;
    }
  }
  auto index = std::make_unique<KeyIndex>(parts);
  std::string key;
  for (std::uint64_t i = 0; i < row_slots(); ++i) {
    for (const Version* v = slot(i).head.load(); v != nullptr; v = v->previous) {
      if (v->kind() == VersionKind::kRow && index->key_of(v->image(), key)) {
        index->entries.add(key, i);
      }
    }
  }
  match_order(*index, parts, match.order);
  match.index = index.get();
  indexes_.push_back(std::move(index));
  return match;
}

void Segment::index_newest(std::uint64_t ordinal) {
  const Version* v = slot(ordinal).head.load(std::memory_order_relaxed);
  std::string key;
  for (const auto& index : indexes_) {
    if (index->key_of(v->image(), key)) index->entries.add(key, ordinal);
  }
}

bool Segment::wanted_index(const KeyIndex& index) const {
  const auto matches = [&](const std::vector<std::string>& columns) {
    const auto parts = key_parts(*table_, columns);
    return std::equal(parts.begin(), parts.end(), index.parts().begin(), index.parts().end(),
                      [](const auto& a, const auto& b) {
                        return a.slot == b.slot && a.type == b.type &&
                               a.has_when_absent == b.has_when_absent;
                      });
  };
  return std::any_of(table_->indexes.begin(), table_->indexes.end(),
                     [&](const IndexDef& i) { return matches(i.columns); }) ||
         std::any_of(table_->constraints.begin(), table_->constraints.end(),
                     [&](const ConstraintDef& c) {
                       return c.kind != ConstraintKind::kCheck && matches(c.columns);
                     });
}

TableStats Segment::stats() const {
  TableStats stats;
  for (const ExtentInfo& extent : extents_) stats.blocks += extent.block_count;
  stats.bytes = stats.blocks * kBlockBytes;
  stats.row_count = static_cast<std::uint64_t>(std::max<std::int64_t>(0, live_rows_.load()));
  stats.row_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, live_bytes_.load()));
  return stats;
}

void Segment::count_live(std::int64_t rows, std::int64_t bytes) {
  live_rows_ += rows;
  live_bytes_ += bytes;
}

}  // namespace orasim
