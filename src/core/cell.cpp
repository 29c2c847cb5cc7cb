#include "core/cell.h"

#include <array>

namespace wherry {

std::string_view name_of(CellKind kind) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "bool",  "int64",     "float32",      "float64",     "decimal",    "text",
      "bytes", "timestamp", "timestamp_tz", "interval_ym", "interval_ds"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace wherry
