// Dates, timestamps and intervals. Facts: reference oracle-wire-types, 6.5 and 6.6.
#pragma once

#include <cstdint>
#include <string>

#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/value_status.h"

namespace wherry::oracle::wire {

struct Instant {
  std::int64_t micros = 0;  ///< since 1970-01-01 00:00, proleptic Gregorian
  std::uint16_t nanos = 0;  ///< below the microsecond
};
/// 7 bytes (DATE), or 11 with nanoseconds; longer images give their first 11.
ValueStatus decode_datetime(ByteView image, Instant& out);

/// Whether the image is of a time when Oracle counts by the Julian calendar, or within days of it.
bool is_near_julian(ByteView image);
/// decode_datetime() of the wall clock `by_micros` (within a day) later, as Oracle's calendar
/// counts: Julian up to 1582-10-04, followed by 1582-10-15 (Oracle Database SQL Language Reference,
/// Data Types, on Julian dates). kBadDate for a day that only the Julian calendar has.
ValueStatus decode_datetime_moved(ByteView image, std::int64_t by_micros, Instant& out);

/// The last two bytes of a TIMESTAMP WITH TIME ZONE.
struct ZoneField {
  enum class Kind : std::uint8_t { kOffset, kRegion } kind = Kind::kOffset;
  std::int32_t offset_minutes = 0;
  std::uint16_t region_id = 0;
  bool is_local = false;     ///< the date fields are local time, else UTC
  bool is_daylight = false;  ///< of the two readings of a local time, the daylight saving one
};
ZoneField decode_zone(std::uint8_t byte11, std::uint8_t byte12);

ValueStatus decode_interval_ym(ByteView image, std::int64_t& months);
ValueStatus decode_interval_ds(ByteView image, std::int64_t& seconds, std::int32_t& nanoseconds);

// Images without the length byte.
std::string encode_date(std::int64_t micros);
/// 7 bytes when there is no fraction, as servers demand.
std::string encode_timestamp(std::int64_t micros, unsigned nanos);
std::string encode_timestamp_tz(std::int64_t utc_micros, unsigned nanos, int offset_minutes);
/// In the region form; the fields are UTC.
std::string encode_timestamp_region(std::int64_t utc_micros, unsigned nanos,
                                    std::uint16_t region_id);
std::string encode_interval_ym(std::int64_t months);
std::string encode_interval_ds(std::int64_t seconds, std::int32_t nanoseconds);

}  // namespace wherry::oracle::wire
