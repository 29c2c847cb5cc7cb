// What a rule's filter makes of a change: an update may bring a row into what the task moves, or
// take one out of it.
#pragma once

#include <cstdint>
#include <span>

#include "connect/api/changes.h"
#include "core/arena.h"
#include "schema/row_filter.h"

namespace wherry::engine {

struct FilteredChange {
  enum class Verdict : std::uint8_t {
    kTaken,    ///< as `change`
    kLeftOut,  ///< concerns rows that the task does not move
    kUnknown,  ///< the log does not have what decides, or what a row needs that comes in
  };
  Verdict verdict = Verdict::kTaken;
  connect::Change change;  ///< of another kind perhaps; cells may live in `arena`
};

/// `needed`: columns of the shape that a row which comes in must have; negative ones are none.
/// REQUIRES: an insert, update or delete; `test` is of the shape's columns.
FilteredChange filter_change(const schema::RowFilterTest& test,
                             std::span<const std::int32_t> needed, const connect::Change& change,
                             Arena& arena);

}  // namespace wherry::engine
