// The part of a rule's filter that its source does not evaluate, on the rows that were read from
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/row_batch.h"
#include "schema/table_plan.h"

namespace wherry::engine {

/// Used by one thread at a time.
class RowSieve {
 public:
  /// What becomes of a row whose value that decides cannot be read.
  enum class Unreadable : std::uint8_t {
    kRefused,  ///< it stays, its first value as one that cannot be loaded: refused as such rows are
    kLeftOut,
  };
  /// `read`: of the rows, schema::read_plan() of the table's. nullptr: the source evaluates all.
  static std::unique_ptr<RowSieve> make(const schema::TablePlan& read, Unreadable unreadable);

  /// Takes the rows out of the batch that the filter does not take; how many.
  std::uint64_t filter(RowBatch& batch);

 private:
  RowSieve(const schema::TablePlan& read, const schema::RowFilter& filter, Unreadable unreadable);
  bool takes(RowBatch& batch, std::size_t row);

  const schema::RowFilterTest test_;
  const Unreadable unreadable_;
  std::vector<std::size_t> places_;
  std::vector<const Cell*> cells_;
};

}  // namespace wherry::engine
