// Calendar arithmetic on the proleptic Gregorian calendar, any year, no tables, no locale.
#pragma once

#include <cstdint>
#include <string>

namespace wherry {

inline constexpr std::int64_t kSecondsPerDay = 86'400;
inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;

/// Days since 1970-01-01. `year` is astronomical: 0 is 1 BC, -4711 is 4712 BC.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);

struct CivilTime {
  std::int64_t year = 1970;  ///< astronomical
  unsigned month = 1, day = 1, hour = 0, minute = 0, second = 0, microsecond = 0;
};
std::int64_t micros_from_civil(const CivilTime& time);
CivilTime civil_from_micros(std::int64_t micros);

/// "2026-08-09 12:13:14.123456789", fraction cut to `fraction_digits` (0: no point); years before 1
/// print as "0044-03-15 … BC", as PostgreSQL writes them.
std::string timestamp_text(std::int64_t micros, unsigned nanos, int fraction_digits);
/// "+02:30"
std::string offset_text(int offset_minutes);

}  // namespace wherry
