// One value in a RowBatch: 16 bytes. What the payload means is decided by `kind`, which a column
// keeps for all its rows; `state` says whether there is a value at all.
//
// Logical kinds are what sources decode to and targets encode from; they know neither Oracle nor
// PostgreSQL:
//   kBool, kInt64      payload.i64
//   kFloat32           payload.f32      kFloat64  payload.f64
//   kDecimal           payload.ptr -> DecimalView (core/decimal.h), in the batch's arena
//   kText              payload.ptr, size_bytes: UTF-8 (validated by the target's encoder)
//   kBytes             payload.ptr, size_bytes
//   kTimestamp         payload.i64 = microseconds since 1970-01-01 00:00:00 of the proleptic
//                      Gregorian calendar, wall clock; `nanos` = 0…999 below the microsecond
//   kTimestampTz       the same in UTC; `extra` = zone offset in minutes (signed)
//   kIntervalYm        payload.i64 = months
//   kIntervalDs        payload.i64 = seconds, `extra` = nanoseconds (signed, same sign)
// Oracle counts 4712 BC…1582 in the Julian calendar's field values but stores field values; Wherry
// carries the field values (year, month, day as written) and so does PostgreSQL, whose calendar is
// proleptic Gregorian: the text a user sees is the same on both sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wherry {

enum class CellKind : std::uint8_t {
  kBool,
  kInt64,
  kFloat32,
  kFloat64,
  kDecimal,
  kText,
  kBytes,
  kTimestamp,
  kTimestampTz,
  kIntervalYm,
  kIntervalDs,
};
/// Lower-case name, e.g. "timestamp_tz".
std::string_view name_of(CellKind kind);

enum class CellState : std::uint8_t {
  kNull,
  kSet,
  /// A text or byte value too large to hold in line: payload.ptr -> SpilledValue
  /// (core/spill_file.h), valid as long as the batch.
  kSpilled,
  /// The source has a value there that its own type does not explain, 29 February 1500 for one:
  /// payload.ptr, size_bytes: what is wrong with it, ASCII, valid as long as the batch. The row
  /// cannot be loaded; the others can.
  kUnreadable,
  /// Of a change: the log has no value here, and the target's stays as it is.
  kUnchanged,
};

struct Cell {
  union {
    std::int64_t i64;
    double f64;
    float f32;
    const std::byte* ptr;
  } payload;
  union {
    std::uint32_t size_bytes;
    std::int32_t extra;
  };
  CellKind kind;
  CellState state;
  std::uint16_t nanos;

  [[nodiscard]] bool is_null() const { return state == CellState::kNull; }
  /// REQUIRES: kText or kBytes, kSet; or kUnreadable.
  [[nodiscard]] std::string_view bytes() const {
    return {reinterpret_cast<const char*>(payload.ptr), size_bytes};
  }
};
static_assert(sizeof(Cell) == 16);

}  // namespace wherry
