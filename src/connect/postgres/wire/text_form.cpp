#include "connect/postgres/wire/text_form.h"

#include <bit>
#include <charconv>
#include <limits>
#include <optional>

#include "connect/postgres/wire/copy_buffer.h"
#include "connect/postgres/wire/numeric.h"
#include "connect/postgres/wire/time_limits.h"
#include "core/arena.h"
#include "core/decimal.h"

namespace wherry::postgres::wire {
namespace {

template <class Number>
bool whole_number(std::string_view text, Number& out) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  return status == std::errc{} && end == text.data() + text.size();
}

void put_u16(std::uint16_t value, std::string& out) {
  out.resize(2);
  store_u16(out.data(), value);
}
void put_u32(std::uint32_t value, std::string& out) {
  out.resize(4);
  store_u32(out.data(), value);
}
void put_u64(std::uint64_t value, std::string& out) {
  out.resize(8);
  store_u64(out.data(), value);
}

template <class Float>
bool read_float(std::string_view text, Float& out) {
  using Limits = std::numeric_limits<Float>;
  if (text == "NaN") {
    out = Limits::quiet_NaN();
  } else if (text == "Infinity") {
    out = Limits::infinity();
  } else if (text == "-Infinity") {
    out = -Limits::infinity();
  } else {
    return whole_number(text, out);
  }
  return true;
}

bool numeric_form(std::string_view text, std::string& out) {
  Arena arena;
  const DecimalView* decimal = parse_decimal(text, arena);
  CopyBuffer buffer;
  if (decimal == nullptr || !put_numeric(buffer, *decimal)) return false;
  out.assign(buffer.view().substr(4));
  return true;
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Pairs of hexadecimal digits; those of a uuid may have a hyphen between.
bool hex_form(std::string_view text, bool skips_hyphens, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size();) {
    if (skips_hyphens && text[i] == '-') {
      ++i;
      continue;
    }
    if (i + 1 >= text.size()) return false;
    const int high = nibble(text[i]);
    const int low = nibble(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

class TextScanner {
 public:
  explicit TextScanner(std::string_view text) : rest_(text) {}
  /// Digits up to something else.
  std::optional<std::int64_t> number() {
    std::int64_t value = 0;
    const auto [end, status] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (status != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  /// ".123" as microseconds; none is zero.
  std::optional<std::int64_t> fraction() {
    if (!take(".")) return 0;
    std::int64_t micros = 0;
    int digits = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1)) {
      if (++digits > 6) return std::nullopt;
      micros = micros * 10 + (rest_[0] - '0');
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 6; ++digits) micros *= 10;
    return micros;
  }
  /// "04:05:06.789", unsigned, as microseconds.
  std::optional<std::int64_t> clock() {
    const auto hour = number();
    if (!hour || !take(":")) return std::nullopt;
    const auto minute = number();
    if (!minute || !take(":")) return std::nullopt;
    const auto second = number();
    if (!second || *hour < 0 || *minute < 0 || *second < 0) return std::nullopt;
    const auto micros = fraction();
    constexpr std::int64_t kMostHours = std::int64_t{1} << 31;
    if (!micros || *hour > kMostHours || *minute > 59 || *second > 60) return std::nullopt;
    return (*hour * 3600 + *minute * 60 + *second) * kMicrosPerSecond + *micros;
  }
  [[nodiscard]] bool is_done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// Days since 1970 and microseconds of the day.
struct Moment {
  std::int64_t days = 0;
  std::int64_t micros = 0;
};

std::optional<Moment> read_moment(std::string_view text, bool has_time, bool has_zone) {
  const bool is_before_christ = text.ends_with(" BC");
  if (is_before_christ) text.remove_suffix(3);
  TextScanner in(text);
  const auto year = in.number();
  if (!year || !in.take("-")) return std::nullopt;
  const auto month = in.number();
  if (!month || !in.take("-")) return std::nullopt;
  const auto day = in.number();
  constexpr std::int64_t kMostYears = 10'000'000;
  if (!day || *year < 1 || *year > kMostYears || *month < 1 || *month > 12 || *day < 1 ||
      *day > 31) {
    return std::nullopt;
  }
  Moment out;
  out.days = days_from_civil(is_before_christ ? 1 - *year : *year, static_cast<unsigned>(*month),
                             static_cast<unsigned>(*day));
  if (has_time) {
    if (!in.take(" ")) return std::nullopt;
    const auto micros = in.clock();
    if (!micros) return std::nullopt;
    out.micros = *micros;
  }
  if (has_zone && !in.take("+00")) return std::nullopt;
  if (!in.is_done()) return std::nullopt;
  return out;
}

bool date_form(std::string_view text, std::string& out) {
  std::int64_t days = kInfinity32;
  if (text == "-infinity") {
    days = kMinusInfinity32;
  } else if (text != "infinity") {
    const auto moment = read_moment(text, false, false);
    if (!moment) return false;
    days = moment->days - kEpochDays;
  }
  put_u32(static_cast<std::uint32_t>(days), out);
  return true;
}

bool timestamp_form(std::string_view text, bool has_zone, std::string& out) {
  std::int64_t micros = kInfinity64;
  if (text == "-infinity") {
    micros = kMinusInfinity64;
  } else if (text != "infinity") {
    const auto moment = read_moment(text, true, has_zone);
    if (!moment || __builtin_mul_overflow(moment->days - kEpochDays, kMicrosPerDay, &micros) ||
        __builtin_add_overflow(micros, moment->micros, &micros)) {
      return false;
    }
  }
  put_u64(static_cast<std::uint64_t>(micros), out);
  return true;
}

/// "-1 years -2 mons +3 days -04:05:06.789", each part or none.
bool interval_form(std::string_view text, std::string& out) {
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t micros = 0;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    const std::string_view first = text.substr(0, blank);
    if (first.empty()) return false;
    if (first.find(':') != std::string_view::npos) {
      const bool is_negative = first[0] == '-';
      TextScanner in(first.substr(is_negative || first[0] == '+' ? 1 : 0));
      const auto clock = in.clock();
      if (!clock || !in.is_done() || blank != std::string_view::npos) return false;
      micros = is_negative ? -*clock : *clock;
      break;
    }
    if (blank == std::string_view::npos) return false;
    text.remove_prefix(blank + 1);
    const std::string_view unit = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), unit.size() + 1));
    std::int32_t count = 0;
    if (!whole_number(first.substr(first[0] == '+' ? 1 : 0), count)) return false;
    if (unit.starts_with("year")) {
      months += std::int64_t{count} * 12;
    } else if (unit.starts_with("mon")) {
      months += count;
    } else if (unit.starts_with("day")) {
      days += count;
    } else {
      return false;
    }
  }
  out.resize(16);
  store_u64(out.data(), static_cast<std::uint64_t>(micros));
  store_u32(out.data() + 8, static_cast<std::uint32_t>(days));
  store_u32(out.data() + 12, static_cast<std::uint32_t>(months));
  return true;
}

bool integer_form(NativeKind kind, std::string_view text, std::string& out) {
  std::int64_t value = 0;
  if (!whole_number(text, value)) return false;
  if (kind == NativeKind::kInt2) put_u16(static_cast<std::uint16_t>(value), out);
  if (kind == NativeKind::kInt4) put_u32(static_cast<std::uint32_t>(value), out);
  if (kind == NativeKind::kInt8) put_u64(static_cast<std::uint64_t>(value), out);
  return true;
}

bool clock_form(std::string_view text, std::string& out) {
  TextScanner in(text);
  const auto micros = in.clock();
  if (!micros || !in.is_done()) return false;
  put_u64(static_cast<std::uint64_t>(*micros), out);
  return true;
}

}  // namespace

bool binary_form(NativeKind kind, std::string_view text, std::string& out) {
  switch (kind) {
    case NativeKind::kBool:
      out.assign(1, text == "t" ? '\1' : '\0');
      return text == "t" || text == "f";
    case NativeKind::kInt2:
    case NativeKind::kInt4:
    case NativeKind::kInt8:
      return integer_form(kind, text, out);
    case NativeKind::kFloat4: {
      float value = 0;
      if (!read_float(text, value)) return false;
      put_u32(std::bit_cast<std::uint32_t>(value), out);
      return true;
    }
    case NativeKind::kFloat8: {
      double value = 0;
      if (!read_float(text, value)) return false;
      put_u64(std::bit_cast<std::uint64_t>(value), out);
      return true;
    }
    case NativeKind::kNumeric:
      return numeric_form(text, out);
    case NativeKind::kJsonb:
      out.assign(1, '\1').append(text);
      return true;
    case NativeKind::kBytea:
      return text.starts_with("\\x") && hex_form(text.substr(2), false, out);
    case NativeKind::kUuid:
      return hex_form(text, true, out) && out.size() == 16;
    case NativeKind::kTimestamp:
    case NativeKind::kTimestampTz:
      return timestamp_form(text, kind == NativeKind::kTimestampTz, out);
    case NativeKind::kDate:
      return date_form(text, out);
    case NativeKind::kTime:
      return clock_form(text, out);
    case NativeKind::kInterval:
      return interval_form(text, out);
    default:
      out = text;
      return true;
  }
}

}  // namespace wherry::postgres::wire
