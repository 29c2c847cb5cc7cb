// Readers: a segment or a part of it, or the rows that an index suggests. They take no lock while
// reading.
#pragma once

#include "store/table_rules.h"

namespace orasim {

class SegmentScan final : public RowScan {
 public:
  SegmentScan(SegmentPtr, RowLayout, const ReadView&, const std::atomic<bool>* cancel,
              const RowIdRange& range = {});
  bool next(RowId& id, Row& row) override;

 private:
  /// The first slot whose address is not less than `id`, or greater when `is_after`.
  [[nodiscard]] std::uint64_t find_slot(const RowId& id, bool is_after) const;

  SegmentPtr segment_;
  RowLayout layout_;
  ReadView view_;
  const std::atomic<bool>* cancel_;
  std::uint32_t data_object_;
  std::uint64_t at_ = 0, end_;
};

/// What a lookup wants: key bytes in the order of an index.
struct LookupKey {
  std::string bytes;
  std::vector<KeyExtractor::Part> parts;
  bool never = false;  ///< a part is NULL: nothing is equal to it
};

/// False when a value is not of its column's type, so that the index is of no use.
bool make_lookup_key(const KeyIndex&, const std::vector<std::size_t>& order, const Row& key,
                     LookupKey& out);
/// Whether an index or a key of the table begins with these columns, in any order.
bool has_index_on(const TableDef&, const std::vector<std::string>& columns);

class LookupScan final : public RowScan {
 public:
  LookupScan(SegmentPtr, RowLayout, const ReadView&, const std::atomic<bool>* cancel,
             std::vector<std::uint64_t> rows, LookupKey key);
  bool next(RowId& id, Row& row) override;

 private:
  SegmentPtr segment_;
  RowLayout layout_;
  ReadView view_;
  const std::atomic<bool>* cancel_;
  std::uint32_t data_object_;
  std::vector<std::uint64_t> rows_;
  std::size_t at_ = 0;
  std::string key_, scratch_;
  KeyExtractor extractor_;
};

}  // namespace orasim
