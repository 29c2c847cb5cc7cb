// Rows on their way from a source to a target: row-major cells beside the arena that holds what
// they point to. A batch is filled by one thread, handed over whole, read by another, and recycled
// by its BatchPool. Filling stops at the byte budget or the row limit, so memory depends on
// settings only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/assert.h"
#include "core/cell.h"

namespace wherry {

/// The true length of a value of which a batch holds the beginning only.
struct ValueLength {
  std::size_t row = 0;
  std::size_t column = 0;
  std::uint64_t length = 0;
  bool in_characters = false;  ///< UTF-16 units, else bytes
};

class RowBatch {
 public:
  static constexpr std::size_t kDefaultBudgetBytes = 256 * 1024;

  explicit RowBatch(std::size_t budget_bytes = kDefaultBudgetBytes,
                    std::size_t max_rows = std::numeric_limits<std::size_t>::max())
      : budget_bytes_(budget_bytes), max_rows_(max_rows) {}
  RowBatch(const RowBatch&) = delete;
  RowBatch& operator=(const RowBatch&) = delete;

  /// Empties the batch and sets its shape; memory is kept.
  void reset(std::size_t column_count) {
    column_count_ = column_count;
    row_count_ = 0;
    owned_.clear();
    opaque_.clear();
    lengths_.clear();
    arena_.reset();
  }
  /// A row in the form that both ends have of themselves and nobody decodes (TablePlan::is_native).
  /// Such a batch has no cells. REQUIRES: no column_count().
  void append_opaque_row(std::string_view bytes) {
    opaque_.append(bytes);
    ++row_count_;
  }
  [[nodiscard]] std::string_view opaque_rows() const { return opaque_; }
  [[nodiscard]] bool is_opaque() const { return !opaque_.empty(); }
  /// A new row of `column_count()` cells for the caller to fill; valid until the next append_row().
  Cell* append_row() {
    const std::size_t at = row_count_ * column_count_;
    if (at + column_count_ > cells_.size()) cells_.resize(std::max(2 * at, at + column_count_));
    ++row_count_;
    Cell* const row = cells_.data() + at;
    std::fill_n(row, column_count_, Cell{});
    return row;
  }
  /// Takes back the row appended last.
  void drop_last_row() {
    WHERRY_ASSERT(row_count_ > 0, "no row to drop");
    --row_count_;
  }
  /// Leaves those rows that `keeps(index)` takes, in their order; `index` counts the rows as they
  /// were. Returns how many went. REQUIRES: no opaque rows.
  template <class Keeps>
  std::size_t retain_rows(const Keeps& keeps) {
    std::size_t kept = 0, noted = 0, next_note = 0;
    for (std::size_t r = 0; r < row_count_; ++r) {
      const bool is_kept = keeps(r);
      for (; next_note < lengths_.size() && lengths_[next_note].row == r; ++next_note) {
        if (!is_kept) continue;
        lengths_[noted] = lengths_[next_note];
        lengths_[noted++].row = kept;
      }
      if (!is_kept) continue;
      if (kept != r) std::copy_n(row(r), column_count_, row(kept));
      ++kept;
    }
    const std::size_t gone = row_count_ - kept;
    lengths_.resize(noted);
    row_count_ = kept;
    return gone;
  }
  /// Gives all rows another shape: cell i is the one that was at origins[i], or NULL where that is
  /// negative. What cells point to stays where it is.
  void reshape(std::span<const std::int32_t> origins);
  [[nodiscard]] const Cell& at(std::size_t row, std::size_t column) const {
    return cells_[row * column_count_ + column];
  }
  [[nodiscard]] const Cell* row(std::size_t r) const { return cells_.data() + r * column_count_; }
  [[nodiscard]] Cell* row(std::size_t r) { return cells_.data() + r * column_count_; }
  [[nodiscard]] std::size_t row_count() const { return row_count_; }
  [[nodiscard]] std::size_t column_count() const { return column_count_; }
  [[nodiscard]] bool empty() const { return row_count_ == 0; }

  [[nodiscard]] Arena& arena() { return arena_; }
  /// Keeps `resource` (a spill file, say) alive until the batch is reset.
  void keep(std::shared_ptr<const void> resource) { owned_.push_back(std::move(resource)); }

  /// Of a value that was not read to its end, because more is not wanted. In the order of rows.
  void note_length(const ValueLength& length) { lengths_.push_back(length); }
  /// nullptr: the batch holds the whole value, or nobody knows how long it is.
  [[nodiscard]] const ValueLength* length_of(std::size_t row, std::size_t column) const {
    auto found = std::lower_bound(
        lengths_.begin(), lengths_.end(), row,
        [](const ValueLength& length, std::size_t wanted) { return length.row < wanted; });
    for (; found != lengths_.end() && found->row == row; ++found) {
      if (found->column == column) return &*found;
    }
    return nullptr;
  }

  /// Bytes of cells and values; what MB figures and the budget count.
  [[nodiscard]] std::size_t used_bytes() const {
    return row_count_ * column_count_ * sizeof(Cell) + opaque_.size() + arena_.used_bytes();
  }
  [[nodiscard]] std::size_t budget_bytes() const { return budget_bytes_; }
  [[nodiscard]] bool is_full() const {
    return used_bytes() >= budget_bytes_ || row_count_ >= max_rows_;
  }

 private:
  std::size_t budget_bytes_;
  std::size_t max_rows_;
  std::size_t column_count_ = 0;
  std::size_t row_count_ = 0;
  std::vector<Cell> cells_;  ///< row_count_ rows, and room for more
  std::vector<std::shared_ptr<const void>> owned_;
  std::string opaque_;
  std::vector<ValueLength> lengths_;
  Arena arena_;
};

}  // namespace wherry
