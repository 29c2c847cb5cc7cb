// Date, time and interval values as text, for columns that hold them as text (the forms are listed
// in schema/postgres_types.h). Formatting writes into the caller's buffer, parsing is exact and
// takes what formatting wrote, with one space or 'T' between date and time and 0 to 9 fraction
// digits. The calendar is the proleptic Gregorian one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wherry {

/// Enough for every form below.
inline constexpr std::size_t kTimeTextBytes = 64;

/// Each returns the number of bytes written to `out`, which has room for kTimeTextBytes.
std::size_t format_timestamp(char* out, std::int64_t micros, unsigned nanos, int fraction_digits);
std::size_t format_timestamp_tz(char* out, std::int64_t utc_micros, unsigned nanos,
                                int offset_minutes, int fraction_digits);
std::size_t format_interval_ym(char* out, std::int64_t months);
std::size_t format_interval_ds(char* out, std::int64_t seconds, int nanos, int fraction_digits);

struct ParsedTimestamp {
  std::int64_t micros = 0;  ///< UTC when there is an offset
  unsigned nanos = 0;
  std::optional<int> offset_minutes;
};
std::optional<ParsedTimestamp> parse_timestamp(std::string_view text);
/// Months.
std::optional<std::int64_t> parse_interval_ym(std::string_view text);
struct ParsedSeconds {
  std::int64_t seconds = 0;
  int nanos = 0;  ///< same sign
};
/// Also a date alone, blanks around it, and an offset without a space before it.
std::optional<ParsedTimestamp> parse_moment(std::string_view text);
/// "12:13:14.5": seconds since midnight.
std::optional<ParsedSeconds> parse_clock(std::string_view text);
std::optional<ParsedSeconds> parse_interval_ds(std::string_view text);

}  // namespace wherry
