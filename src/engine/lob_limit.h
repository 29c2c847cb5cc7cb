// Limited LOB mode: large values are cut at a limit of their column, text between characters. What
// was cut is counted and named by key in the log, in the words of AWS DMS.
#pragma once

#include <cstdint>
#include <optional>

#include "core/log.h"
#include "core/row_batch.h"
#include "engine/full_load.h"

namespace wherry::engine {

/// Cuts a text or byte value that is longer than `limit`; how many bytes it had then. What a
/// spilled value needs is in `arena`.
Result<std::optional<std::uint64_t>> limit_cell(Cell& cell, std::uint64_t limit, Arena& arena);
/// Cuts the values of a batch that are above ColumnPlan::max_lob_bytes; returns how many. Keeps
/// those that are spilled where they are.
Result<std::uint64_t> limit_lobs(RowBatch& batch, const schema::TablePlan& plan);
/// The same, counted in the table's progress and logged with the length that each had.
Result<std::uint64_t> limit_lobs(RowBatch& batch, const schema::TablePlan& plan,
                                 TableProgress& table, const Logger& log);

}  // namespace wherry::engine
