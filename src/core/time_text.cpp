#include "core/time_text.h"

#include <charconv>
#include <cstdlib>
#include <limits>

#include "core/civil_time.h"

namespace wherry {
namespace {

constexpr std::int64_t kMicrosPerMinute = 60'000'000;

char* put_digits(char* at, std::uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return at + width;
}

/// At least `width` digits.
char* put_number(char* at, std::uint64_t value, int width) {
  char digits[20];
  const auto length = static_cast<int>(std::to_chars(digits, digits + 20, value).ptr - digits);
  return put_digits(at, value, length > width ? length : width);
}

char* put_fraction(char* at, unsigned nanos_of_second, int digits) {
  if (digits <= 0) return at;
  *at++ = '.';
  char nine[9];
  put_digits(nine, nanos_of_second, 9);
  for (int i = 0; i < digits && i < 9; ++i) *at++ = nine[i];
  return at;
}

char* put_clock(char* at, unsigned hour, unsigned minute, unsigned second) {
  at = put_digits(at, hour, 2);
  *at++ = ':';
  at = put_digits(at, minute, 2);
  *at++ = ':';
  return put_digits(at, second, 2);
}

char* put_civil(char* at, const CivilTime& t, unsigned nanos, int fraction_digits) {
  const std::int64_t year = t.year < 1 ? 1 - t.year : t.year;
  at = put_number(at, static_cast<std::uint64_t>(year), 4);
  *at++ = '-';
  at = put_digits(at, t.month, 2);
  *at++ = '-';
  at = put_digits(at, t.day, 2);
  *at++ = ' ';
  at = put_clock(at, t.hour, t.minute, t.second);
  return put_fraction(at, t.microsecond * 1000 + nanos, fraction_digits);
}

char* put_era(char* at, const CivilTime& t) {
  if (t.year < 1) {
    *at++ = ' ';
    *at++ = 'B';
    *at++ = 'C';
  }
  return at;
}

/// Walks over a text; every take_ method leaves it where it was when it does not match.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(0, word.size()) != word) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  /// A number of `least` to `most` digits.
  std::optional<std::int64_t> number(std::size_t least, std::size_t most) {
    std::size_t n = 0;
    std::int64_t value = 0;
    while (n < text_.size() && n < most && text_[n] >= '0' && text_[n] <= '9') {
      value = value * 10 + (text_[n++] - '0');
    }
    if (n < least) return std::nullopt;
    text_.remove_prefix(n);
    return value;
  }
  /// ".123" as nanoseconds; 0 without a point; nullopt for a point without digits.
  std::optional<unsigned> fraction() {
    if (!take('.')) return 0U;
    const std::size_t before = text_.size();
    const auto value = number(1, 9);
    if (!value) return std::nullopt;
    auto nanos = static_cast<unsigned>(*value);
    for (std::size_t digits = before - text_.size(); digits < 9; ++digits) nanos *= 10;
    return nanos;
  }
  [[nodiscard]] bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

unsigned days_in(std::int64_t year, unsigned month) {
  static constexpr unsigned char kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && is_leap ? 1U : 0U);
}

struct Clock {
  unsigned hour = 0, minute = 0, second = 0, nanos = 0;
};

std::optional<Clock> read_clock(Scanner& in) {
  const auto hour = in.number(2, 2);
  if (!hour || !in.take(':')) return std::nullopt;
  const auto minute = in.number(2, 2);
  if (!minute || !in.take(':')) return std::nullopt;
  const auto second = in.number(2, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto nanos = in.fraction();
  if (!nanos) return std::nullopt;
  return Clock{static_cast<unsigned>(*hour), static_cast<unsigned>(*minute),
               static_cast<unsigned>(*second), *nanos};
}

/// "+02:30"; nullopt when it is malformed.
std::optional<int> read_offset(Scanner& in, bool is_negative) {
  const auto hours = in.number(2, 2);
  if (!hours) return std::nullopt;
  std::int64_t minutes = 0;
  if (in.take(':')) {
    const auto value = in.number(2, 2);
    if (!value || *value > 59) return std::nullopt;
    minutes = *value;
  }
  const auto total = static_cast<int>(*hours * 60 + minutes);
  return is_negative ? -total : total;
}

std::optional<bool> read_sign(Scanner& in) {
  if (in.take('+')) return false;
  if (in.take('-')) return true;
  return std::nullopt;
}

}  // namespace

std::size_t format_timestamp(char* out, std::int64_t micros, unsigned nanos, int fraction_digits) {
  const CivilTime t = civil_from_micros(micros);
  return static_cast<std::size_t>(put_era(put_civil(out, t, nanos, fraction_digits), t) - out);
}

std::size_t format_timestamp_tz(char* out, std::int64_t utc_micros, unsigned nanos,
                                int offset_minutes, int fraction_digits) {
  const CivilTime t = civil_from_micros(utc_micros + offset_minutes * kMicrosPerMinute);
  char* at = put_civil(out, t, nanos, fraction_digits);
  const auto magnitude = static_cast<unsigned>(std::abs(offset_minutes));
  *at++ = ' ';
  *at++ = offset_minutes < 0 ? '-' : '+';
  at = put_number(at, magnitude / 60, 2);
  *at++ = ':';
  at = put_digits(at, magnitude % 60, 2);
  return static_cast<std::size_t>(put_era(at, t) - out);
}

std::size_t format_interval_ym(char* out, std::int64_t months) {
  const std::uint64_t magnitude =
      months < 0 ? ~static_cast<std::uint64_t>(months) + 1 : static_cast<std::uint64_t>(months);
  char* at = out;
  *at++ = months < 0 ? '-' : '+';
  at = put_number(at, magnitude / 12, 2);
  *at++ = '-';
  return static_cast<std::size_t>(put_digits(at, magnitude % 12, 2) - out);
}

std::size_t format_interval_ds(char* out, std::int64_t seconds, int nanos, int fraction_digits) {
  const bool is_negative = seconds < 0 || nanos < 0;
  const std::uint64_t magnitude =
      seconds < 0 ? ~static_cast<std::uint64_t>(seconds) + 1 : static_cast<std::uint64_t>(seconds);
  const auto rest = static_cast<unsigned>(magnitude % kSecondsPerDay);
  char* at = out;
  *at++ = is_negative ? '-' : '+';
  at = put_number(at, magnitude / kSecondsPerDay, 2);
  *at++ = ' ';
  at = put_clock(at, rest / 3600, rest / 60 % 60, rest % 60);
  return static_cast<std::size_t>(
      put_fraction(at, static_cast<unsigned>(std::abs(nanos)), fraction_digits) - out);
}

std::optional<ParsedTimestamp> parse_timestamp(std::string_view text) {
  Scanner in(text);
  CivilTime t;
  const auto year = in.number(4, 6);
  if (!year || !in.take('-')) return std::nullopt;
  const auto month = in.number(2, 2);
  if (!month || *month < 1 || *month > 12 || !in.take('-')) return std::nullopt;
  const auto day = in.number(2, 2);
  if (!day || *day < 1 || !(in.take(' ') || in.take('T'))) return std::nullopt;
  const auto clock = read_clock(in);
  if (!clock) return std::nullopt;

  std::optional<int> offset;
  Scanner after_space = in;
  if (after_space.take(' ')) {
    if (const auto is_negative = read_sign(after_space)) {
      offset = read_offset(after_space, *is_negative);
      if (!offset) return std::nullopt;
      in = after_space;
    }
  }
  const bool before_christ = in.take_word(" BC");
  if (!in.at_end() || (before_christ && *year < 1)) return std::nullopt;

  t.year = before_christ ? 1 - *year : *year;
  t.month = static_cast<unsigned>(*month);
  t.day = static_cast<unsigned>(*day);
  if (t.day > days_in(t.year, t.month)) return std::nullopt;
  t.hour = clock->hour;
  t.minute = clock->minute;
  t.second = clock->second;
  t.microsecond = clock->nanos / 1000;
  ParsedTimestamp result;
  result.micros = micros_from_civil(t) - offset.value_or(0) * kMicrosPerMinute;
  result.nanos = clock->nanos % 1000;
  result.offset_minutes = offset;
  return result;
}

std::optional<ParsedTimestamp> parse_moment(std::string_view text) {
  constexpr std::string_view kMidnight = " 00:00:00";
  constexpr std::size_t kDateBytes = 10;
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(' ') - first + 1);
  if (const auto parsed = parse_timestamp(text)) return parsed;
  char whole[kTimeTextBytes];
  if (text.size() + kMidnight.size() > sizeof whole) return std::nullopt;
  const auto join = [&](std::string_view a, std::string_view b, std::string_view c) {
    std::size_t size = 0;
    for (const std::string_view part : {a, b, c}) {
      part.copy(whole + size, part.size());
      size += part.size();
    }
    return parse_timestamp({whole, size});
  };
  if (text.size() == kDateBytes) return join(text, kMidnight, {});
  const std::size_t sign = text.find_last_of("+-");
  if (sign == std::string_view::npos || sign <= kDateBytes) return std::nullopt;
  return join(text.substr(0, sign), " ", text.substr(sign));
}

std::optional<ParsedSeconds> parse_clock(std::string_view text) {
  Scanner in(text);
  const auto clock = read_clock(in);
  if (!clock || !in.at_end()) return std::nullopt;
  return ParsedSeconds{clock->hour * 3600 + clock->minute * 60 + clock->second,
                       static_cast<int>(clock->nanos)};
}

std::optional<std::int64_t> parse_interval_ym(std::string_view text) {
  Scanner in(text);
  const auto is_negative = read_sign(in);
  if (!is_negative) return std::nullopt;
  const auto years = in.number(1, 17);
  if (!years || !in.take('-')) return std::nullopt;
  const auto months = in.number(2, 2);
  if (!months || *months > 11 || !in.at_end()) return std::nullopt;
  const std::int64_t total = *years * 12 + *months;
  return *is_negative ? -total : total;
}

std::optional<ParsedSeconds> parse_interval_ds(std::string_view text) {
  Scanner in(text);
  const auto is_negative = read_sign(in);
  if (!is_negative) return std::nullopt;
  const auto days = in.number(1, 13);
  if (!days || !in.take(' ')) return std::nullopt;
  const auto clock = read_clock(in);
  if (!clock || !in.at_end()) return std::nullopt;
  ParsedSeconds result;
  result.seconds = *days * kSecondsPerDay + clock->hour * 3600 + clock->minute * 60 + clock->second;
  result.nanos = static_cast<int>(clock->nanos);
  if (*is_negative) {
    result.seconds = -result.seconds;
    result.nanos = -result.nanos;
  }
  return result;
}

}  // namespace wherry
