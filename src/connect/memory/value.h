// Values as the in-memory database keeps them: owned, one type for every column. What the members
// mean is decided by the column's cell kind, as in core/cell.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/cell.h"
#include "core/result.h"

namespace wherry::memory {

struct Value {
  bool is_null = true;
  std::int64_t i64 = 0;     ///< kBool, kInt64, times and intervals
  double f64 = 0;           ///< kFloat32, kFloat64
  std::uint16_t nanos = 0;  ///< kTimestamp, kTimestampTz
  std::int32_t extra = 0;   ///< kTimestampTz, kIntervalDs
  std::string bytes;        ///< kText, kBytes; kDecimal: its plain text

  static Value null() { return {}; }
  static Value integer(std::int64_t value);  ///< also kBool, kIntervalYm
  static Value real(double value);
  /// REQUIRES: decimal text.
  static Value decimal(std::string_view text);
  static Value text(std::string value);  ///< also kBytes
  static Value timestamp(std::int64_t micros, std::uint16_t nanos = 0);
  static Value timestamp_tz(std::int64_t micros, std::int32_t offset_minutes,
                            std::uint16_t nanos = 0);
  static Value interval_ds(std::int64_t seconds, std::int32_t nanos);

  friend bool operator==(const Value&, const Value&) = default;
};
using Row = std::vector<Value>;

/// A cell whose text, bytes or digits lie in `arena`.
Cell to_cell(const Value& value, CellKind kind, Arena& arena);
/// Copies a cell, spilled values included; I/O errors are returned.
Result<Value> from_cell(const Cell& cell);
/// <0, 0, >0 in key order: NULLs last, text by code point, NaN greatest.
int compare(const Value& a, const Value& b, CellKind kind);

}  // namespace wherry::memory
