// PostgreSQL's times on the wire: microseconds since 2000-01-01 (64 bits), days since then (32
// bits). Range and special values: PostgreSQL 15, src/include/datatype/timestamp.h.
#pragma once

#include <cstdint>
#include <limits>

#include "core/civil_time.h"

namespace wherry::postgres::wire {

/// 2000-01-01 less 1970-01-01.
inline constexpr std::int64_t kEpochDays = 10'957;
inline constexpr std::int64_t kEpochMicros = kEpochDays * kMicrosPerDay;
/// 4714-11-24 BC, in microseconds since 1970.
inline constexpr std::int64_t kMinMicros = -211'813'488'000'000'000 + kEpochMicros;
/// Some centuries below the end of 294276, so that adding a zone's offset cannot overflow.
inline constexpr std::int64_t kMaxMicros = 9'200'000'000'000'000'000;
inline constexpr std::int64_t kInfinity64 = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kMinusInfinity64 = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int32_t kInfinity32 = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int32_t kMinusInfinity32 = std::numeric_limits<std::int32_t>::min();
inline constexpr int kMaxOffsetMinutes = 24 * 60;

}  // namespace wherry::postgres::wire
