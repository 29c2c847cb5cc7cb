// A cell as text, for small results and for people: decimals plain ("-12.5"), timestamps
// "2026-08-09 12:13:14.5", zoned ones with their local time and "+02:30" behind it, bytes as
// lower-case hex, booleans "true" and "false", intervals "+3-02" and "+3 04:05:06.5", floats in the
// shortest form that reads back the same.
#pragma once

#include <optional>
#include <string>

#include "core/cell.h"

namespace wherry::oracle {

/// nullopt for NULL. REQUIRES: the cell is not spilled.
std::optional<std::string> value_text(const Cell& cell);

}  // namespace wherry::oracle
