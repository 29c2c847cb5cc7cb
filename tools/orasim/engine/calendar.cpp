#include "engine/calendar.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "engine/error.h"
#include "engine/time_zone.h"

namespace orasim {
namespace {

constexpr std::int64_t kSecondsPerDay = 86400;
constexpr std::int64_t kFirstGregorianDay = 2299161;  // 15 October 1582
constexpr std::int32_t kNanosPerSecond = 1'000'000'000;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - static_cast<std::int64_t>(a % b != 0 && (a < 0) != (b < 0));
}

/// Oracle's years have no 0: -1 (1 BC) is astronomical 0.
std::int64_t astronomical(int year) {
  return year < 0 ? year + 1 : year;
}

bool is_gregorian(int year, int month, int day) {
  return year > 1582 || (year == 1582 && (month > 10 || (month == 10 && day >= 15)));
}

bool is_leap(int year) {
  const std::int64_t y = astronomical(year);
  if (y % 4 != 0) return false;
  return year < 1582 || y % 100 != 0 || y % 400 == 0;
}

/// Days before 1 March of the shifted year plus days since; shared by both calendars.
std::int64_t day_number(int year, int month, int day, bool gregorian) {
  const std::int64_t a = (14 - month) / 12;
  const std::int64_t y = astronomical(year) + 4800 - a;
  const std::int64_t m = month + 12 * a - 3;
  const std::int64_t base = day + (153 * m + 2) / 5 + 365 * y + floor_divide(y, 4);
  if (!gregorian) return base - 32083;
  return base - floor_divide(y, 100) + floor_divide(y, 400) - 32045;
}

[[noreturn]] void year_out_of_range() {
  throw OraError(1841, "(full) year must be between -4713 and +9999, and not be 0");
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

DateTime midnight(DateTime t) {
  t.hour = t.minute = t.second = 0;
  t.nanosecond = 0;
  return t;
}

DateTime with_date(const DateTime& like, std::int64_t day) {
  DateTime t = from_julian_day(day);
  t.hour = like.hour;
  t.minute = like.minute;
  t.second = like.second;
  t.nanosecond = like.nanosecond;
  t.offset_minutes = like.offset_minutes;
  t.region_id = like.region_id;
  return t;
}

DateTime first_of_month(DateTime t) {
  t.day = 1;
  return midnight(t);
}

DateTime first_of_year(DateTime t) {
  t.month = 1;
  return first_of_month(t);
}

/// Monday of the ISO week.
DateTime iso_week_start(const DateTime& t) {
  const std::int64_t day = julian_day(t);
  return midnight(with_date(t, day - (weekday(t) + 5) % 7));
}

DateTime iso_year_start(const DateTime& t) {
  DateTime fourth = first_of_year(iso_week_start(t));
  const DateTime thursday = with_date(t, julian_day(iso_week_start(t)) + 3);
  fourth.year = thursday.year;
  fourth.day = 4;
  return iso_week_start(fourth);
}

/// Days since `start` in whole weeks, for W and WW.
DateTime week_from(const DateTime& t, const DateTime& start) {
  const std::int64_t days = julian_day(t) - julian_day(start);
  return midnight(with_date(t, julian_day(start) + days / 7 * 7));
}

DateTime century_start(const DateTime& t) {
  DateTime start = first_of_year(t);
  start.year = static_cast<std::int16_t>((t.year - 1) / 100 * 100 + 1);
  return start;
}

enum class Unit {
  kCentury,
  kYear,
  kIsoYear,
  kQuarter,
  kMonth,
  kWw,
  kIw,
  kW,
  kDay,
  kWeekStart,
  kHour,
  kMinute
};

Unit unit_of(std::string_view model) {
  struct Named {
    std::string_view name;
    Unit unit;
  };
  static constexpr std::array<Named, 32> kUnits = {{
      {"CC", Unit::kCentury},    {"SCC", Unit::kCentury},  {"SYYYY", Unit::kYear},
      {"YYYY", Unit::kYear},     {"YEAR", Unit::kYear},    {"SYEAR", Unit::kYear},
      {"YYY", Unit::kYear},      {"YY", Unit::kYear},      {"Y", Unit::kYear},
      {"IYYY", Unit::kIsoYear},  {"IYY", Unit::kIsoYear},  {"IY", Unit::kIsoYear},
      {"I", Unit::kIsoYear},     {"Q", Unit::kQuarter},    {"MONTH", Unit::kMonth},
      {"MON", Unit::kMonth},     {"MM", Unit::kMonth},     {"RM", Unit::kMonth},
      {"WW", Unit::kWw},         {"IW", Unit::kIw},        {"W", Unit::kW},
      {"DDD", Unit::kDay},       {"DD", Unit::kDay},       {"J", Unit::kDay},
      {"DAY", Unit::kWeekStart}, {"DY", Unit::kWeekStart}, {"D", Unit::kWeekStart},
      {"HH", Unit::kHour},       {"HH12", Unit::kHour},    {"HH24", Unit::kHour},
      {"MI", Unit::kMinute},     {"RR", Unit::kYear},
  }};
  const std::string name = upper(model);
  for (const Named& unit : kUnits) {
    if (unit.name == name) return unit.unit;
  }
  throw OraError(1898, "too many precision specifiers");
}

DateTime floor_to(const DateTime& t, Unit unit) {
  switch (unit) {
    case Unit::kCentury:
      return century_start(t);
    case Unit::kYear:
      return first_of_year(t);
    case Unit::kIsoYear:
      return iso_year_start(t);
    case Unit::kQuarter: {
      DateTime start = t;
      start.month = static_cast<std::uint8_t>((t.month - 1) / 3 * 3 + 1);
      return first_of_month(start);
    }
    case Unit::kMonth:
      return first_of_month(t);
    case Unit::kWw:
      return week_from(t, first_of_year(t));
    case Unit::kIw:
      return iso_week_start(t);
    case Unit::kW:
      return week_from(t, first_of_month(t));
    case Unit::kDay:
      return midnight(t);
    case Unit::kWeekStart:
      return midnight(with_date(t, julian_day(t) - (weekday(t) - 1)));
    case Unit::kHour: {
      DateTime start = t;
      start.minute = start.second = 0;
      start.nanosecond = 0;
      return start;
    }
    case Unit::kMinute: {
      DateTime start = t;
      start.second = 0;
      start.nanosecond = 0;
      return start;
    }
  }
  return t;
}

/// True when ROUND goes up: by Oracle's documented half-way points of each unit.
bool rounds_up(const DateTime& t, Unit unit) {
  switch (unit) {
    case Unit::kCentury:
      return (t.year - 1) % 100 >= 50;
    case Unit::kYear:
    case Unit::kIsoYear:
      return t.month >= 7;
    case Unit::kQuarter: {
      const int month_in_quarter = (t.month - 1) % 3;
      return month_in_quarter == 2 || (month_in_quarter == 1 && t.day >= 16);
    }
    case Unit::kMonth:
      return t.day >= 16;
    case Unit::kDay:
      return t.hour >= 12;
    case Unit::kHour:
      return t.minute >= 30;
    case Unit::kMinute:
      return t.second >= 30;
    default: {
      const std::int64_t since = total_seconds(t) - total_seconds(floor_to(t, unit));
      return since * 2 >= 7 * kSecondsPerDay;
    }
  }
}

DateTime next_start(const DateTime& start, Unit unit) {
  switch (unit) {
    case Unit::kCentury:
      return add_months(start, 1200);
    case Unit::kYear:
      return add_months(start, 12);
    case Unit::kIsoYear:
      return iso_year_start(with_date(start, julian_day(start) + 370));
    case Unit::kQuarter:
      return add_months(start, 3);
    case Unit::kMonth:
      return add_months(start, 1);
    case Unit::kDay:
      return with_date(start, julian_day(start) + 1);
    case Unit::kHour:
      return from_total_seconds(total_seconds(start) + 3600, 0, start);
    case Unit::kMinute:
      return from_total_seconds(total_seconds(start) + 60, 0, start);
    default:
      return with_date(start, julian_day(start) + 7);
  }
}

DateTime shifted(const DateTime& t, int minutes) {
  return from_total_seconds(total_seconds(t) + static_cast<std::int64_t>(minutes) * 60,
                            t.nanosecond, t);
}

}  // namespace

std::int64_t julian_day(const DateTime& t) {
  return day_number(t.year, t.month, t.day, is_gregorian(t.year, t.month, t.day));
}

DateTime from_julian_day(std::int64_t day) {
  std::int64_t c = 0;
  std::int64_t b = 0;
  if (day >= kFirstGregorianDay) {
    const std::int64_t a = day + 32044;
    b = floor_divide(4 * a + 3, 146097);
    c = a - floor_divide(146097 * b, 4);
  } else {
    c = day + 32082;
  }
  const std::int64_t d = floor_divide(4 * c + 3, 1461);
  const std::int64_t e = c - floor_divide(1461 * d, 4);
  const std::int64_t m = (5 * e + 2) / 153;
  std::int64_t year = 100 * b + d - 4800 + m / 10;
  if (year <= 0) --year;
  if (year < -4713 || year > 9999) year_out_of_range();
  DateTime t;
  t.year = static_cast<std::int16_t>(year);
  t.month = static_cast<std::uint8_t>(m + 3 - 12 * (m / 10));
  t.day = static_cast<std::uint8_t>(e - (153 * m + 2) / 5 + 1);
  return t;
}

int days_in_month(int year, int month) {
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

bool is_valid(const DateTime& t) {
  if (t.year < -4712 || t.year > 9999 || t.year == 0) return false;
  if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > days_in_month(t.year, t.month)) {
    return false;
  }
  if (t.year == 1582 && t.month == 10 && t.day > 4 && t.day < 15) return false;
  return t.hour < 24 && t.minute < 60 && t.second < 60 &&
         t.nanosecond < static_cast<std::uint32_t>(kNanosPerSecond);
}

int weekday(const DateTime& t) {
  return static_cast<int>((julian_day(t) + 1) % 7) + 1;
}

std::int64_t total_seconds(const DateTime& t) {
  return julian_day(t) * kSecondsPerDay + t.hour * 3600 + t.minute * 60 + t.second;
}

DateTime from_total_seconds(std::int64_t seconds, std::uint32_t nanoseconds, const DateTime& like) {
  const std::int64_t day = floor_divide(seconds, kSecondsPerDay);
  std::int64_t rest = seconds - day * kSecondsPerDay;
  DateTime t = from_julian_day(day);
  t.hour = static_cast<std::uint8_t>(rest / 3600);
  rest %= 3600;
  t.minute = static_cast<std::uint8_t>(rest / 60);
  t.second = static_cast<std::uint8_t>(rest % 60);
  t.nanosecond = nanoseconds;
  t.offset_minutes = like.offset_minutes;
  t.region_id = like.region_id;
  return t;
}

DateTime add_days(const DateTime& t, const Number& days) {
  const auto seconds = Number::multiply(days, Number::from_int(kSecondsPerDay));
  const auto whole = seconds ? seconds->rounded(0).to_int() : std::nullopt;
  // Beyond this the sum would overflow long before the calendar ends.
  constexpr std::int64_t kLimit = std::int64_t{40'000} * 366 * kSecondsPerDay;
  if (!whole || *whole > kLimit || *whole < -kLimit) year_out_of_range();
  return from_total_seconds(total_seconds(t) + *whole, t.nanosecond, t);
}

DateTime add_interval(const DateTime& t, const IntervalDs& interval) {
  std::int64_t seconds = total_seconds(t) + interval.seconds;
  std::int64_t nanos = static_cast<std::int64_t>(t.nanosecond) + interval.nanoseconds;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  } else if (nanos >= kNanosPerSecond) {
    nanos -= kNanosPerSecond;
    ++seconds;
  }
  return from_total_seconds(seconds, static_cast<std::uint32_t>(nanos), t);
}

DateTime add_interval(const DateTime& t, const IntervalYm& interval) {
  const std::int64_t months = astronomical(t.year) * 12 + (t.month - 1) + interval.months;
  std::int64_t year = floor_divide(months, 12);
  const int month = static_cast<int>(months - year * 12) + 1;
  if (year <= 0) --year;
  if (year < -4712 || year > 9999) year_out_of_range();
  if (t.day > days_in_month(static_cast<int>(year), month)) {
    throw OraError(1839, "date not valid for month specified");
  }
  DateTime result = t;
  result.year = static_cast<std::int16_t>(year);
  result.month = static_cast<std::uint8_t>(month);
  return result;
}

Number days_between(const DateTime& a, const DateTime& b) {
  const Number seconds = Number::from_int(total_seconds(a) - total_seconds(b));
  return Number::divide(seconds, Number::from_int(kSecondsPerDay)).value_or(Number());
}

IntervalDs normalized(IntervalDs interval) {
  const std::int64_t carry = interval.nanoseconds / kNanosPerSecond;
  interval.seconds += carry;
  interval.nanoseconds -= static_cast<std::int32_t>(carry * kNanosPerSecond);
  if (interval.seconds > 0 && interval.nanoseconds < 0) {
    --interval.seconds;
    interval.nanoseconds += kNanosPerSecond;
  } else if (interval.seconds < 0 && interval.nanoseconds > 0) {
    ++interval.seconds;
    interval.nanoseconds -= kNanosPerSecond;
  }
  return interval;
}

IntervalDs interval_between(const DateTime& a, const DateTime& b) {
  IntervalDs out;
  out.seconds = total_seconds(a) - total_seconds(b);
  out.nanoseconds = static_cast<std::int32_t>(static_cast<std::int64_t>(a.nanosecond) -
                                              static_cast<std::int64_t>(b.nanosecond));
  return normalized(out);
}

DateTime add_months(const DateTime& t, std::int64_t months) {
  if (months > 200'000 || months < -200'000) year_out_of_range();
  DateTime first = t;
  first.day = 1;
  DateTime result = add_interval(first, IntervalYm{months});
  const int last = days_in_month(result.year, result.month);
  const bool was_last = t.day == days_in_month(t.year, t.month);
  result.day = static_cast<std::uint8_t>(was_last || t.day > last ? last : t.day);
  return result;
}

Number months_between(const DateTime& a, const DateTime& b) {
  const std::int64_t months =
      (astronomical(a.year) - astronomical(b.year)) * 12 + (a.month - b.month);
  const bool both_last =
      a.day == days_in_month(a.year, a.month) && b.day == days_in_month(b.year, b.month);
  if (a.day == b.day || both_last) return Number::from_int(months);
  const std::int64_t seconds_a =
      (a.day * kSecondsPerDay) + a.hour * 3600 + a.minute * 60 + a.second;
  const std::int64_t seconds_b =
      (b.day * kSecondsPerDay) + b.hour * 3600 + b.minute * 60 + b.second;
  // The fraction is of a month of 31 days.
  const auto fraction = Number::divide(Number::from_int(seconds_a - seconds_b),
                                       Number::from_int(31 * kSecondsPerDay));
  return Number::add(Number::from_int(months), fraction.value_or(Number())).value_or(Number());
}

DateTime last_day(const DateTime& t) {
  DateTime result = t;
  result.day = static_cast<std::uint8_t>(days_in_month(t.year, t.month));
  return result;
}

DateTime next_day(const DateTime& t, std::string_view name) {
  static constexpr std::array<std::string_view, 7> kDays = {"SUN", "MON", "TUE", "WED",
                                                            "THU", "FRI", "SAT"};
  const std::string wanted = upper(name).substr(0, 3);
  for (int i = 0; i < 7; ++i) {
    if (kDays[static_cast<std::size_t>(i)] != wanted) continue;
    const int ahead = (i + 1 - weekday(t) + 6) % 7 + 1;
    return with_date(t, julian_day(t) + ahead);
  }
  throw OraError(1846, "not a valid day of the week");
}

DateTime truncated(const DateTime& t, std::string_view model) {
  return floor_to(t, unit_of(model));
}

DateTime rounded(const DateTime& t, std::string_view model) {
  const Unit unit = unit_of(model);
  const DateTime start = floor_to(t, unit);
  return rounds_up(t, unit) ? next_start(start, unit) : start;
}

DateTime to_local(const DateTime& utc) {
  DateTime resolved = utc;
  resolve_zone(resolved);
  return shifted(resolved, resolved.offset_minutes);
}
DateTime to_utc(const DateTime& local) {
  return shifted(local, -local.offset_minutes);
}

}  // namespace orasim
