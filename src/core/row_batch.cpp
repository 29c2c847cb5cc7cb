#include "core/row_batch.h"

#include <span>

namespace wherry {

void RowBatch::reshape(std::span<const std::int32_t> origins) {
  const std::size_t old_count = column_count_, count = origins.size();
  if (row_count_ * count > cells_.size()) cells_.resize(row_count_ * count);
  std::vector<Cell> row(old_count);
  const auto move = [&](std::size_t r) {
    std::copy_n(cells_.data() + r * old_count, old_count, row.data());
    Cell* const out = cells_.data() + r * count;
    for (std::size_t c = 0; c < count; ++c) {
      out[c] = origins[c] < 0 ? Cell{} : row[static_cast<std::size_t>(origins[c])];
    }
  };
  // Rows that grow go from the last on, so that none is written over before it was read.
  if (count > old_count) {
    for (std::size_t r = row_count_; r > 0; --r) move(r - 1);
  } else {
    for (std::size_t r = 0; r < row_count_; ++r) move(r);
  }
  column_count_ = count;
  std::erase_if(lengths_, [&](ValueLength& length) {
    const auto found =
        std::find(origins.begin(), origins.end(), static_cast<std::int32_t>(length.column));
    length.column = static_cast<std::size_t>(found - origins.begin());
    return found == origins.end();
  });
}

}  // namespace wherry
