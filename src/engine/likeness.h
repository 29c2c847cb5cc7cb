// Values that were carried into a column of another family of types, made comparable: what the
// column does not keep of how they were written is taken away on both sides.
#pragma once

#include "core/arena.h"
#include "core/cell.h"
#include "core/result.h"
#include "schema/table_plan.h"

namespace wherry::engine {

/// Rewrites the cell so that alike values become equal cells. A value that is none of the family
/// stays as it is. New bytes lie in `arena`. kResource "validate.value_too_large" for a spilled
/// document above 64 MB, which would have to be in memory whole.
Result<void> make_alike(Cell& cell, schema::Likeness likeness, Arena& arena);

}  // namespace wherry::engine
