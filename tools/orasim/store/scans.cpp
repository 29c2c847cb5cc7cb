#include "store/scans.h"

#include <algorithm>

namespace orasim {
namespace {

void check_cancel(const std::atomic<bool>* cancel) {
  if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) {
    throw OraError(1013, "user requested cancel of current operation");
  }
}

RowId id_of(const RowSlot& slot, std::uint32_t data_object) {
  return RowId{data_object, slot.file, slot.block, slot.slot};
}

bool begins_with(const std::vector<std::string>& index, const std::vector<std::string>& columns) {
  return index.size() >= columns.size() &&
         std::is_permutation(columns.begin(), columns.end(), index.begin(),
                             index.begin() + static_cast<std::ptrdiff_t>(columns.size()));
}

}  // namespace

SegmentScan::SegmentScan(SegmentPtr segment, RowLayout layout, const ReadView& view,
                         const std::atomic<bool>* cancel, const RowIdRange& range)
    : segment_(std::move(segment)),
      layout_(std::move(layout)),
      view_(view),
      cancel_(cancel),
      data_object_(segment_->data_object()),
      end_(segment_->row_slots()) {
  if (range.last) end_ = find_slot(*range.last, true);
  if (range.first) at_ = std::min(end_, find_slot(*range.first, false));
}

/// Slots lie in the order of their addresses.
std::uint64_t SegmentScan::find_slot(const RowId& id, bool is_after) const {
  std::uint64_t low = 0;
  std::uint64_t high = end_;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const RowId here = id_of(segment_->slot(middle), data_object_);
    if (here < id || (is_after && here == id)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool SegmentScan::next(RowId& id, Row& row) {
  for (; at_ < end_; ++at_) {
    if (at_ % 256 == 0) check_cancel(cancel_);
    const RowSlot& slot = segment_->slot(at_);
    const Version* v = visible_version(slot, view_);
    if (v == nullptr) continue;
    id = id_of(slot, data_object_);
    decode_row(layout_, v->image(), row);
    ++at_;
    return true;
  }
  return false;
}

bool make_lookup_key(const KeyIndex& index, const std::vector<std::size_t>& order, const Row& key,
                     LookupKey& out) {
  std::string payload;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const KeyExtractor::Part& part = index.parts()[i];
    const Value& v = key[order[i]];
    out.parts.push_back(part);
    payload.clear();
    if (v.is_null()) {
      out.never = true;
    } else if (!encode_payload(part.type, v, payload)) {
      return false;
    } else {
      append_key_part(part.type, Field{payload.data(), payload.size()}, out.bytes);
    }
  }
  return true;
}

bool has_index_on(const TableDef& table, const std::vector<std::string>& columns) {
  if (columns.empty()) return false;
  return std::any_of(table.indexes.begin(), table.indexes.end(),
                     [&](const IndexDef& i) {
                       return !i.function_based && begins_with(i.columns, columns);
                     }) ||
         std::any_of(
             table.constraints.begin(), table.constraints.end(), [&](const ConstraintDef& c) {
               return c.enabled && c.kind != ConstraintKind::kCheck &&
                      c.kind != ConstraintKind::kForeignKey && begins_with(c.columns, columns);
             });
}

LookupScan::LookupScan(SegmentPtr segment, RowLayout layout, const ReadView& view,
                       const std::atomic<bool>* cancel, std::vector<std::uint64_t> rows,
                       LookupKey key)
    : segment_(std::move(segment)),
      layout_(std::move(layout)),
      view_(view),
      cancel_(cancel),
      data_object_(segment_->data_object()),
      rows_(std::move(rows)),
      key_(std::move(key.bytes)),
      extractor_(std::move(key.parts)) {}

bool LookupScan::next(RowId& id, Row& row) {
  while (at_ < rows_.size()) {
    if (at_ % 256 == 0) check_cancel(cancel_);
    const RowSlot& slot = segment_->slot(rows_[at_++]);
    const Version* v = visible_version(slot, view_);
    if (v == nullptr || !extractor_.key_of(v->image(), scratch_) || scratch_ != key_) continue;
    id = id_of(slot, data_object_);
    decode_row(layout_, v->image(), row);
    return true;
  }
  return false;
}

}  // namespace orasim
