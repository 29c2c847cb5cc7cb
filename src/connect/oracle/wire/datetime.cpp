#include "connect/oracle/wire/datetime.h"

#include "connect/oracle/wire/writer.h"
#include "core/civil_time.h"

namespace wherry::oracle::wire {
namespace {

constexpr std::uint32_t kIntervalBias = 0x80000000;
constexpr int kPartBias = 60;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

/// days_from_civil() for years from -4799 on, with unsigned arithmetic throughout: this runs for
/// every date of a load.
inline std::int64_t days_of(int year, unsigned month, unsigned day) {
  constexpr unsigned kShiftYears = 4800, kDaysPerEra = 146'097;
  constexpr std::int64_t kEpochDays = 719'468 + std::int64_t{kShiftYears / 400} * kDaysPerEra;
  const unsigned y =
      static_cast<unsigned>(year + static_cast<int>(kShiftYears)) - (month <= 2 ? 1U : 0U);
  const unsigned era = y / 400, year_of_era = y % 400;
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return std::int64_t{era} * kDaysPerEra + day_of_era - kEpochDays;
}

inline bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

inline unsigned days_in(int year, unsigned month) {
  constexpr std::uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

/// Oracle's years have no 0; ours (astronomical) do: 1 BC is 0.
inline bool read_year(const std::uint8_t* image, int& year) {
  const int century = image[0] - 100, rest = image[1] - 100;
  const int oracle_year = century * 100 + rest;
  const bool mixed_signs = (century > 0 && rest < 0) || (century < 0 && rest > 0);
  if (oracle_year == 0 || oracle_year < -4712 || oracle_year > 9999 || mixed_signs || rest > 99 ||
      rest < -99) {
    return false;
  }
  year = oracle_year > 0 ? oracle_year : oracle_year + 1;
  return true;
}

std::uint32_t big_endian(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         at[3];
}

}  // namespace

ValueStatus decode_datetime(ByteView image, Instant& out) {
  if (image.size() != 7 && image.size() < 11) return ValueStatus::kBadDate;
  const std::uint8_t* const b = image.data();
  int year = 0;
  const unsigned month = b[2], day = b[3];
  const unsigned hour = b[4] - 1U, minute = b[5] - 1U, second = b[6] - 1U;
  if (!read_year(b, year) || month - 1 > 11 || day == 0 || hour > 23 || minute > 59 ||
      second > 59 || day > days_in(year, month)) {
    return ValueStatus::kBadDate;
  }
  const std::uint32_t nanos = image.size() > 7 ? big_endian(b + 7) : 0;
  if (nanos >= kNanosPerSecond) return ValueStatus::kBadDate;
  const std::int64_t seconds =
      days_of(year, month, day) * kSecondsPerDay + (hour * 60 + minute) * 60 + second;
  out.micros = seconds * kMicrosPerSecond + nanos / 1000;
  out.nanos = static_cast<std::uint16_t>(nanos % 1000);
  return ValueStatus::kOk;
}

ZoneField decode_zone(std::uint8_t byte11, std::uint8_t byte12) {
  ZoneField zone;
  if (byte11 == 0 && byte12 == 0) return zone;
  if ((byte11 & 0x80) != 0) {
    zone.kind = ZoneField::Kind::kRegion;
    zone.region_id = static_cast<std::uint16_t>((byte11 & 0x7F) << 6 | byte12 >> 2);
    zone.is_local = (byte12 & 0x01) != 0;
    zone.is_daylight = (byte12 & 0x02) != 0;
    return zone;
  }
  zone.offset_minutes = ((byte11 & 0x3F) - 20) * 60 + (byte12 - 60);
  zone.is_local = (byte11 & 0x40) != 0;
  return zone;
}

ValueStatus decode_interval_ym(ByteView image, std::int64_t& months) {
  if (image.size() != 5) return ValueStatus::kBadInterval;
  const std::int64_t years = std::int64_t{big_endian(image.data())} - kIntervalBias;
  months = years * 12 + (image[4] - kPartBias);
  return ValueStatus::kOk;
}

ValueStatus decode_interval_ds(ByteView image, std::int64_t& seconds, std::int32_t& nanoseconds) {
  if (image.size() != 11) return ValueStatus::kBadInterval;
  const std::int64_t days = std::int64_t{big_endian(image.data())} - kIntervalBias;
  const std::int64_t nanos = std::int64_t{big_endian(image.data() + 7)} - kIntervalBias;
  if (nanos <= -kNanosPerSecond || nanos >= kNanosPerSecond) return ValueStatus::kBadInterval;
  seconds = days * kSecondsPerDay + (image[4] - kPartBias) * 3600 + (image[5] - kPartBias) * 60 +
            (image[6] - kPartBias);
  nanoseconds = static_cast<std::int32_t>(nanos);
  // python-oracledb sends negative values with parts of both signs; they come back as they went in.
  if (seconds < 0 && nanos > 0) {
    ++seconds;
    nanoseconds -= kNanosPerSecond;
  } else if (seconds > 0 && nanos < 0) {
    --seconds;
    nanoseconds += kNanosPerSecond;
  }
  return ValueStatus::kOk;
}

namespace {

std::string taken(Writer& out) {
  return std::string(text_of(out.bytes()));
}

void write_datetime(Writer& out, std::int64_t micros) {
  const CivilTime time = civil_from_micros(micros);
  const int year = static_cast<int>(time.year > 0 ? time.year : time.year - 1);
  out.u8(static_cast<std::uint8_t>(year / 100 + 100));
  out.u8(static_cast<std::uint8_t>(year % 100 + 100));
  out.u8(static_cast<std::uint8_t>(time.month));
  out.u8(static_cast<std::uint8_t>(time.day));
  out.u8(static_cast<std::uint8_t>(time.hour + 1));
  out.u8(static_cast<std::uint8_t>(time.minute + 1));
  out.u8(static_cast<std::uint8_t>(time.second + 1));
}

std::uint32_t fraction_of(std::int64_t micros, unsigned nanos) {
  const std::int64_t below = ((micros % kMicrosPerSecond) + kMicrosPerSecond) % kMicrosPerSecond;
  return static_cast<std::uint32_t>(below * 1000 + nanos);
}

}  // namespace

std::string encode_date(std::int64_t micros) {
  Writer out;
  write_datetime(out, micros);
  return taken(out);
}

std::string encode_timestamp(std::int64_t micros, unsigned nanos) {
  Writer out;
  write_datetime(out, micros);
  if (const std::uint32_t fraction = fraction_of(micros, nanos)) out.u32(fraction);
  return taken(out);
}

std::string encode_timestamp_tz(std::int64_t utc_micros, unsigned nanos, int offset_minutes) {
  Writer out;
  write_datetime(out, utc_micros);
  out.u32(fraction_of(utc_micros, nanos));
  out.u8(static_cast<std::uint8_t>(offset_minutes / 60 + 20));
  out.u8(static_cast<std::uint8_t>(offset_minutes % 60 + 60));
  return taken(out);
}

std::string encode_timestamp_region(std::int64_t utc_micros, unsigned nanos,
                                    std::uint16_t region_id) {
  constexpr unsigned kIsRegion = 0x80;
  Writer out;
  write_datetime(out, utc_micros);
  out.u32(fraction_of(utc_micros, nanos));
  out.u8(static_cast<std::uint8_t>(kIsRegion | region_id >> 6));
  out.u8(static_cast<std::uint8_t>((region_id & 0x3F) << 2));
  return taken(out);
}

std::string encode_interval_ym(std::int64_t months) {
  Writer out;
  out.u32(static_cast<std::uint32_t>(months / 12 + kIntervalBias));
  out.u8(static_cast<std::uint8_t>(months % 12 + kPartBias));
  return taken(out);
}

std::string encode_interval_ds(std::int64_t seconds, std::int32_t nanoseconds) {
  Writer out;
  const std::int64_t in_day = seconds % kSecondsPerDay;
  out.u32(static_cast<std::uint32_t>(seconds / kSecondsPerDay + kIntervalBias));
  out.u8(static_cast<std::uint8_t>(in_day / 3600 + kPartBias));
  out.u8(static_cast<std::uint8_t>(in_day / 60 % 60 + kPartBias));
  out.u8(static_cast<std::uint8_t>(in_day % 60 + kPartBias));
  out.u32(static_cast<std::uint32_t>(std::int64_t{nanoseconds} + kIntervalBias));
  return taken(out);
}

}  // namespace wherry::oracle::wire
