// Comparison of cells of the same kind, as a migration means it: by value, with what the load
// changes on purpose (U+0000 in text becomes a space) counted as equal.
#pragma once

#include <cstdint>
#include <string>

#include "core/cell.h"
#include "core/result.h"

namespace wherry::engine {

/// <0, 0, >0 in key order: NULLs last, text by code point, NaN greatest.
/// REQUIRES: the same kind, neither spilled.
int compare_cells(const Cell& a, const Cell& b);
/// Equality, also of spilled values (read in pieces; I/O errors are returned).
Result<bool> equal_cells(const Cell& a, const Cell& b);
/// Mixes a cell into a hash; equal cells give equal hashes, spilled or not.
Result<std::uint64_t> hash_cell(const Cell& cell, std::uint64_t seed);
/// For people: decimal text, quoted text cut at `max_bytes`, hexadecimal bytes, "NULL".
std::string cell_text(const Cell& cell, std::size_t max_bytes);

}  // namespace wherry::engine
