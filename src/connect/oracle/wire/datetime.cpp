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

constexpr int kFirstGregorianYear = 1583;               // the first whole one
constexpr std::int64_t kGregorianStartDays = -141'427;  // 1582-10-15
constexpr std::int64_t kShiftYears = 4800;              // years count up from one before all
constexpr std::int64_t kJulianEpochDays =
    2'472'670;  // of 1970-01-01, counted from that year's March

/// Days since 1970-01-01 (Gregorian) of a date of Oracle's calendar.
std::int64_t oracle_days_of(std::int64_t year, unsigned month, unsigned day) {
  const std::int64_t gregorian = days_from_civil(year, month, day);
  if (gregorian >= kGregorianStartDays) return gregorian;
  // Years that begin with March have the leap day at their end.
  const std::int64_t y = year + kShiftYears - (month <= 2 ? 1 : 0);
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return y * 365 + y / 4 + day_of_year - kJulianEpochDays;
}

/// The other way round; the date's name, which the Gregorian calendar need not have.
CivilTime oracle_date_of(std::int64_t days) {
  if (days >= kGregorianStartDays) return civil_from_micros(days * kMicrosPerDay);
  constexpr std::int64_t kDaysPerCycle = 1461;
  const std::int64_t from_shift = days + kJulianEpochDays;
  const std::int64_t y = (4 * from_shift + 3) / kDaysPerCycle;
  const auto day_of_year = static_cast<unsigned>(from_shift - (y * 365 + y / 4));
  const unsigned from_march = (5 * day_of_year + 2) / 153;
  CivilTime date;
  date.day = day_of_year - (153 * from_march + 2) / 5 + 1;
  date.month = from_march < 10 ? from_march + 3 : from_march - 9;
  date.year = y - kShiftYears + (date.month <= 2 ? 1 : 0);
  return date;
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

struct Fields {
  int year = 0;
  unsigned month = 0, day = 0, second_of_day = 0;
  std::uint32_t nanos = 0;
};

std::uint32_t big_endian(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         at[3];
}

/// False for what no calendar has; whether the month has the day is left to the caller.
inline bool read_fields(ByteView image, Fields& out) {
  if (image.size() != 7 && image.size() < 11) return false;
  const std::uint8_t* const b = image.data();
  const unsigned hour = b[4] - 1U, minute = b[5] - 1U, second = b[6] - 1U;
  out.month = b[2];
  out.day = b[3];
  out.second_of_day = (hour * 60 + minute) * 60 + second;
  out.nanos = image.size() > 7 ? big_endian(b + 7) : 0;
  return read_year(b, out.year) && out.month - 1 <= 11 && out.day - 1 <= 30 && hour <= 23 &&
         minute <= 59 && second <= 59 && out.nanos < kNanosPerSecond;
}

}  // namespace

ValueStatus decode_datetime(ByteView image, Instant& out) {
  Fields at;
  if (!read_fields(image, at) || at.day > days_in(at.year, at.month)) return ValueStatus::kBadDate;
  const std::int64_t seconds =
      days_of(at.year, at.month, at.day) * kSecondsPerDay + at.second_of_day;
  out.micros = seconds * kMicrosPerSecond + at.nanos / 1000;
  out.nanos = static_cast<std::uint16_t>(at.nanos % 1000);
  return ValueStatus::kOk;
}

bool is_near_julian(ByteView image) {
  int year = 0;
  return image.size() >= 7 && read_year(image.data(), year) && year < kFirstGregorianYear;
}

ValueStatus decode_datetime_moved(ByteView image, std::int64_t by_micros, Instant& out) {
  Fields at;
  const auto is_leap_day = [](std::int64_t year, unsigned month, unsigned day) {
    return month == 2 && day == 29 && year % 4 == 0;
  };
  if (!read_fields(image, at) ||
      (at.day > days_in(at.year, at.month) && !is_leap_day(at.year, at.month, at.day))) {
    return ValueStatus::kBadDate;
  }
  const std::int64_t clock =
      at.second_of_day * kMicrosPerSecond + at.nanos / 1000 + by_micros + kMicrosPerDay;
  const std::int64_t days = oracle_days_of(at.year, at.month, at.day) + clock / kMicrosPerDay - 1;
  const CivilTime date = oracle_date_of(days);
  if (date.day > days_in(static_cast<int>(date.year), date.month)) return ValueStatus::kBadDate;
  out.micros = days_of(static_cast<int>(date.year), date.month, date.day) * kMicrosPerDay +
               clock % kMicrosPerDay;
  out.nanos = static_cast<std::uint16_t>(at.nanos % 1000);
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

/// The name in Oracle's calendar of the instant whose wall clock at `offset_micros` is the
/// Gregorian one of `utc_micros`.
CivilTime oracle_utc(std::int64_t utc_micros, std::int64_t offset_micros) {
  const CivilTime local = civil_from_micros(utc_micros + offset_micros);
  if (local.year > kFirstGregorianYear || offset_micros == 0) return civil_from_micros(utc_micros);
  const std::int64_t clock =
      micros_from_civil({1970, 1, 2, local.hour, local.minute, local.second, local.microsecond}) -
      offset_micros;
  CivilTime utc = civil_from_micros(clock);
  const CivilTime date = oracle_date_of(oracle_days_of(local.year, local.month, local.day) +
                                        clock / kMicrosPerDay - 1);
  utc.year = date.year;
  utc.month = date.month;
  utc.day = date.day;
  return utc;
}

void write_datetime(Writer& out, const CivilTime& time) {
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
  write_datetime(out, civil_from_micros(micros));
  return taken(out);
}

std::string encode_timestamp(std::int64_t micros, unsigned nanos) {
  Writer out;
  write_datetime(out, civil_from_micros(micros));
  if (const std::uint32_t fraction = fraction_of(micros, nanos)) out.u32(fraction);
  return taken(out);
}

std::string encode_timestamp_tz(std::int64_t utc_micros, unsigned nanos, int offset_minutes) {
  Writer out;
  write_datetime(out, oracle_utc(utc_micros, offset_minutes * 60 * kMicrosPerSecond));
  out.u32(fraction_of(utc_micros, nanos));
  out.u8(static_cast<std::uint8_t>(offset_minutes / 60 + 20));
  out.u8(static_cast<std::uint8_t>(offset_minutes % 60 + 60));
  return taken(out);
}

std::string encode_timestamp_region(std::int64_t utc_micros, unsigned nanos,
                                    std::uint16_t region_id) {
  constexpr unsigned kIsRegion = 0x80;
  Writer out;
  write_datetime(out, civil_from_micros(utc_micros));
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
