#include "core/civil_time.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

namespace wherry {
namespace {

constexpr std::int64_t kDaysPerEra = 146'097;  // 400 years

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - static_cast<std::int64_t>(a % b != 0 && (a < 0) != (b < 0));
}

}  // namespace

// The era arithmetic starts years on 1 March, so that the leap day is the last of its year.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  if (month <= 2) --year;
  const std::int64_t era = floor_divide(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year =
      (153 * (static_cast<std::int64_t>(month) + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - 719'468;
}

std::int64_t micros_from_civil(const CivilTime& t) {
  const std::int64_t days = days_from_civil(t.year, t.month, t.day);
  const std::int64_t seconds = days * 86'400 + t.hour * 3'600 + t.minute * 60 + t.second;
  return seconds * kMicrosPerSecond + t.microsecond;
}

CivilTime civil_from_micros(std::int64_t micros) {
  const std::int64_t days = floor_divide(micros, kMicrosPerDay);
  std::int64_t rest = micros - days * kMicrosPerDay;
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = floor_divide(shifted, kDaysPerEra);
  const std::int64_t day_of_era = shifted - era * kDaysPerEra;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  CivilTime t;
  t.day = static_cast<unsigned>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  t.month = static_cast<unsigned>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  t.year = year_of_era + era * 400 + (t.month <= 2 ? 1 : 0);
  t.microsecond = static_cast<unsigned>(rest % kMicrosPerSecond);
  rest /= kMicrosPerSecond;
  t.second = static_cast<unsigned>(rest % 60);
  t.minute = static_cast<unsigned>(rest / 60 % 60);
  t.hour = static_cast<unsigned>(rest / 3'600);
  return t;
}

std::string timestamp_text(std::int64_t micros, unsigned nanos, int fraction_digits) {
  const CivilTime t = civil_from_micros(micros);
  const bool before_christ = t.year < 1;
  std::string out =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", before_christ ? 1 - t.year : t.year,
                  t.month, t.day, t.hour, t.minute, t.second);
  if (fraction_digits > 0) {
    const std::string fraction = fmt::format("{:06}{:03}", t.microsecond, nanos);
    out += '.';
    out += fraction.substr(0, static_cast<std::size_t>(fraction_digits));
  }
  if (before_christ) out += " BC";
  return out;
}

std::string offset_text(int offset_minutes) {
  const int magnitude = std::abs(offset_minutes);
  return fmt::format("{}{:02}:{:02}", offset_minutes < 0 ? '-' : '+', magnitude / 60,
                     magnitude % 60);
}

}  // namespace wherry
