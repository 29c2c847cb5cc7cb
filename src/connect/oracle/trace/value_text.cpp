#include "connect/oracle/trace/value_text.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdlib>

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/wire/types.h"

namespace wherry::oracle::trace {
namespace {

constexpr std::size_t kMaxNumberBytes = 22;
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

unsigned at(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value = value << 8 | at(bytes, i);
  return value;
}

std::string invalid(std::string_view bytes) { return "invalid " + hex_text(bytes); }

/// Decimal text from base-100 digits; the first `whole` pairs stand before the point.
std::string decimal_text(bool negative, const std::string& digits, int whole) {
  std::string before, after;
  for (int i = 0; i < static_cast<int>(digits.size()) / 2 || i < whole; ++i) {
    const auto index = static_cast<std::size_t>(i) * 2;
    const std::string pair = index < digits.size() ? digits.substr(index, 2) : "00";
    (i < whole ? before : after) += pair;
  }
  if (whole < 0) after.insert(0, static_cast<std::size_t>(-whole) * 2, '0');
  before.erase(0, std::min(before.find_first_not_of('0'), before.size()));
  const std::size_t last = after.find_last_not_of('0');
  after.erase(last == std::string::npos ? 0 : last + 1);
  return (negative ? "-" : "") + (before.empty() ? "0" : before) +
         (after.empty() ? "" : "." + after);
}

/// Fraction of a second without trailing zeros, with its point; "" for 0.
std::string fraction_text(std::uint64_t nanoseconds) {
  if (nanoseconds == 0) return {};
  std::string text = fmt::format(".{:09}", nanoseconds);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

struct DateTime {
  int year = 0;
  int month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::uint64_t nanoseconds = 0;
};

DateTime read_datetime(std::string_view bytes) {
  DateTime value;
  value.year = (static_cast<int>(at(bytes, 0)) - 100) * 100 + static_cast<int>(at(bytes, 1)) - 100;
  value.month = static_cast<int>(at(bytes, 2));
  value.day = static_cast<int>(at(bytes, 3));
  value.hour = static_cast<int>(at(bytes, 4)) - 1;
  value.minute = static_cast<int>(at(bytes, 5)) - 1;
  value.second = static_cast<int>(at(bytes, 6)) - 1;
  if (bytes.size() >= 11) value.nanoseconds = big_endian(bytes.substr(7, 4));
  return value;
}

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year <= 1582 || year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

/// Only for |minutes| below two days; the fields must be in range.
void add_minutes(DateTime& value, int minutes) {
  int total = value.hour * 60 + value.minute + minutes;
  int days = 0;
  for (; total < 0; total += 1440) --days;
  for (; total >= 1440; total -= 1440) ++days;
  value.hour = total / 60;
  value.minute = total % 60;
  value.day += days;
  if (value.day < 1) {
    if (--value.month < 1) value.month = 12, --value.year;
    value.day += days_in_month(value.year, value.month);
  } else if (value.day > days_in_month(value.year, value.month)) {
    value.day -= days_in_month(value.year, value.month);
    if (++value.month > 12) value.month = 1, ++value.year;
  }
}

bool is_in_range(const DateTime& value) {
  return value.month >= 1 && value.month <= 12 && value.day >= 1 && value.day <= 31 &&
         value.hour >= 0 && value.hour < 24 && value.minute >= 0 && value.minute < 60 &&
         value.second >= 0 && value.second < 60;
}

std::string print(const DateTime& value) {
  return fmt::format("{}{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}", value.year < 0 ? "-" : "",
                     std::abs(value.year), value.month, value.day, value.hour, value.minute,
                     value.second, fraction_text(value.nanoseconds));
}

std::string zoned_text(DateTime value, unsigned zone_high, unsigned zone_low) {
  if ((zone_high & 0x80) != 0) {  // a region: which offset it has is not on the wire
    const unsigned region = (zone_high & 0x7F) << 6 | zone_low >> 2;
    const bool is_local = (zone_low & 1) != 0;
    return fmt::format("{} {} region {}", print(value), is_local ? "local" : "+00:00", region);
  }
  if (zone_high == 0 && zone_low == 0) return print(value) + " +00:00";
  const int offset =
      (static_cast<int>(zone_high & 0x3F) - 20) * 60 + static_cast<int>(zone_low) - 60;
  if (std::abs(offset) > 24 * 60) return "invalid";
  if ((zone_high & 0x40) == 0) add_minutes(value, offset);
  return fmt::format("{} {}{:02}:{:02}", print(value), offset < 0 ? '-' : '+',
                     std::abs(offset) / 60, std::abs(offset) % 60);
}

std::string base64_digits(std::uint64_t value, int count) {
  std::string text(static_cast<std::size_t>(count), 'A');
  for (auto it = text.rbegin(); it != text.rend(); ++it, value >>= 6) *it = kBase64[value & 63];
  return text;
}

template <class Float, class Bits>
std::string sortable_float_text(std::string_view bytes) {
  if (bytes.size() != sizeof(Bits)) return invalid(bytes);
  auto bits = static_cast<Bits>(big_endian(bytes));
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  bits = (bits & kSign) != 0 ? bits ^ kSign : static_cast<Bits>(~bits);
  const Float value = std::bit_cast<Float>(bits);
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return fmt::format("{}", value);
}

}  // namespace

std::string hex_text(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

std::string number_text(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > kMaxNumberBytes) return invalid(bytes);
  const unsigned head = at(bytes, 0);
  if (bytes.size() == 1) return head == 0x80 ? "0" : head == 0 ? "-Infinity" : invalid(bytes);
  const bool negative = head < 0x80;
  if (!negative && bytes == "\xFF\x65") return "Infinity";
  if (negative && at(bytes, bytes.size() - 1) == 0x66) bytes.remove_suffix(1);
  const int exponent = negative ? 0x3F - static_cast<int>(head) : static_cast<int>(head) - 0xC0;
  std::string digits;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    const int digit = negative ? 101 - static_cast<int>(at(bytes, i))
                               : static_cast<int>(at(bytes, i)) - 1;
    if (digit < 0 || digit > 99) return invalid(bytes);
    digits += fmt::format("{:02}", digit);
  }
  return decimal_text(negative, digits, exponent);
}

std::string datetime_text(std::string_view bytes) {
  if (bytes.size() != 7 && bytes.size() != 11 && bytes.size() != 13) return invalid(bytes);
  const DateTime value = read_datetime(bytes);
  if (!is_in_range(value)) return invalid(bytes);
  if (bytes.size() < 13) return print(value);
  return zoned_text(value, at(bytes, 11), at(bytes, 12));
}

std::string interval_ym_text(std::string_view bytes) {
  if (bytes.size() != 5) return invalid(bytes);
  const auto years = static_cast<std::int64_t>(big_endian(bytes.substr(0, 4))) - 0x80000000LL;
  const int months = static_cast<int>(at(bytes, 4)) - 60;
  return fmt::format("{}{}-{:02}", years < 0 || months < 0 ? "-" : "", std::abs(years),
                     std::abs(months));
}

std::string interval_ds_text(std::string_view bytes) {
  if (bytes.size() != 11) return invalid(bytes);
  const auto days = static_cast<std::int64_t>(big_endian(bytes.substr(0, 4))) - 0x80000000LL;
  const auto nanos = static_cast<std::int64_t>(big_endian(bytes.substr(7, 4))) - 0x80000000LL;
  int parts[3];
  for (std::size_t i = 0; i < 3; ++i) parts[i] = static_cast<int>(at(bytes, 4 + i)) - 60;
  const bool negative = days < 0 || parts[0] < 0 || parts[1] < 0 || parts[2] < 0 || nanos < 0;
  return fmt::format("{}{} {:02}:{:02}:{:02}{}", negative ? "-" : "", std::abs(days),
                     std::abs(parts[0]), std::abs(parts[1]), std::abs(parts[2]),
                     fraction_text(static_cast<std::uint64_t>(std::abs(nanos))));
}

std::string binary_float_text(std::string_view bytes) {
  return sortable_float_text<float, std::uint32_t>(bytes);
}

std::string binary_double_text(std::string_view bytes) {
  return sortable_float_text<double, std::uint64_t>(bytes);
}

std::string rowid_text(const wire::RowidParts& rowid) {
  return base64_digits(rowid.object, 6) + base64_digits(rowid.file, 3) +
         base64_digits(rowid.block, 6) + base64_digits(rowid.slot, 3);
}

std::string urowid_text(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (at(bytes, 0) == 1 && bytes.size() == 13) {
    return rowid_text({static_cast<std::uint32_t>(big_endian(bytes.substr(1, 4))),
                       static_cast<std::uint16_t>(big_endian(bytes.substr(5, 2))),
                       static_cast<std::uint32_t>(big_endian(bytes.substr(7, 4))),
                       static_cast<std::uint16_t>(big_endian(bytes.substr(11, 2)))});
  }
  std::string text = "*";
  for (std::size_t i = 1; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    const std::uint64_t bits = big_endian(group) << (8 * (3 - group.size()));
    text += base64_digits(bits, 4).substr(0, group.size() + 1);
  }
  return text;
}

std::string scalar_text(std::uint8_t type, std::uint16_t charset, std::string_view bytes) {
  if (bytes.empty()) return {};
  switch (static_cast<OracleType>(type)) {
    case OracleType::kVarchar:
    case OracleType::kChar:
    case OracleType::kLong:
      return to_utf8(bytes, charset);
    case OracleType::kNumber:
    case OracleType::kBinaryInteger:
      return number_text(bytes);
    case OracleType::kDate:
    case OracleType::kTimestamp:
    case OracleType::kTimestampTz:
    case OracleType::kTimestampLtz:
      return datetime_text(bytes);
    case OracleType::kIntervalYm:
      return interval_ym_text(bytes);
    case OracleType::kIntervalDs:
      return interval_ds_text(bytes);
    case OracleType::kBinaryFloat:
      return binary_float_text(bytes);
    case OracleType::kBinaryDouble:
      return binary_double_text(bytes);
    case OracleType::kUrowid:
      return urowid_text(bytes);
    case OracleType::kBoolean:
      return at(bytes, 0) == 1 ? "true" : "false";
    default:
      return hex_text(bytes);
  }
}

}  // namespace wherry::oracle::trace
