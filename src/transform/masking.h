// Data masking: what a rule hides of values on their way (AWS DMS User Guide, "Using data masking
// to hide sensitive information"). NULL stays NULL.
#pragma once

#include "core/arena.h"
#include "core/cell.h"
#include "schema/logical_type.h"
#include "schema/masking.h"

namespace wherry::transform {

/// Whether values of that type can be masked so: all kinds take text, kRandomDigits numbers too.
bool can_mask(schema::MaskingKind kind, const schema::LogicalType& type);

/// Masks a value that is set; a text that is too large to be in memory becomes kUnreadable. What
/// the cell points to then lives in `arena`. REQUIRES: can_mask(). Thread-safe.
void mask_cell(Cell& cell, const schema::Masking& masking, Arena& arena);

}  // namespace wherry::transform
