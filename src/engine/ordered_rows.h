// One side of a comparison: rows in key order, one at a time, with the promised order checked.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "connect/api/connector.h"
#include "engine/row_sieve.h"

namespace wherry::engine {

/// A key copied out of its batch.
class KeyCopy {
 public:
  void assign(const Cell* row, const std::vector<std::size_t>& key);
  [[nodiscard]] bool empty() const { return cells_.empty(); }
  [[nodiscard]] int compare_with(const Cell* row, const std::vector<std::size_t>& key) const;

 private:
  std::vector<Cell> cells_;
  Arena arena_;
};

class OrderedRows {
 public:
  /// `plan`: of the rows that are read. `side` is "source" or "target", for messages. `counter`
  /// counts rows as they pass.
  OrderedRows(std::unique_ptr<connect::ChunkReader> reader, schema::TablePlanPtr plan,
              std::size_t batch_bytes, std::string side, std::atomic<std::uint64_t>& counter)
      : reader_(std::move(reader)),
        plan_(std::move(plan)),
        sieve_(RowSieve::make(*plan_, RowSieve::Unreadable::kLeftOut)),
        batch_(batch_bytes),
        side_(std::move(side)),
        counter_(counter) {}

  /// Goes to the next row. kData "validate.order" when the key does not ascend.
  Result<void> advance(OpContext& context);
  /// nullptr at the end; valid until the next advance().
  [[nodiscard]] const Cell* row() const { return row_; }

 private:
  Result<void> refill(OpContext& context);
  Result<void> check_order(const Cell* previous);

  std::unique_ptr<connect::ChunkReader> reader_;
  schema::TablePlanPtr plan_;
  const std::unique_ptr<RowSieve> sieve_;  ///< nullptr: all rows are taken
  RowBatch batch_;
  std::string side_;
  std::atomic<std::uint64_t>& counter_;
  KeyCopy last_of_batch_;
  std::size_t next_ = 0;
  const Cell* row_ = nullptr;
  bool at_end_ = false;
};

/// Key order of two rows.
int compare_keys(const Cell* a, const Cell* b, const std::vector<std::size_t>& key);

}  // namespace wherry::engine
