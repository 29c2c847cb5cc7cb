#include "connect/oracle/wire/number.h"

#include <algorithm>
#include <charconv>

namespace wherry::oracle::wire {
namespace {

constexpr std::uint8_t kZero = 0x80;
constexpr std::uint8_t kPositiveBias = 0xC0;
constexpr std::uint8_t kNegativeBias = 0x3F;
constexpr std::uint8_t kNegativeEnd = 0x66;
constexpr std::size_t kMaxDigits = 21;

/// Base-100 digits, first and last not zero. value = ± Σ digit[i] × 100^(exponent - 1 - i).
struct Unpacked {
  std::uint8_t digits[kMaxDigits];
  std::size_t count = 0;
  int exponent = 0;
  DecimalSign sign = DecimalSign::kPositive;
};

/// Digits of a positive image are stored plus 1, of a negative one as 101 minus the digit.
inline bool unpack_digits(ByteView bytes, bool negative, Unpacked& out) {
  unsigned worst = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned digit = negative ? 101U - bytes[i] : bytes[i] - 1U;
    worst |= digit > 99 ? 1U : 0U;
    out.digits[i] = static_cast<std::uint8_t>(digit);
  }
  out.count = bytes.size();
  return worst == 0;
}

/// Servers store no zero digits at the ends; a hostile one might.
void strip_zeros(Unpacked& out) {
  while (out.count != 0 && out.digits[out.count - 1] == 0) --out.count;
  std::size_t leading = 0;
  while (leading < out.count && out.digits[leading] == 0) ++leading;
  if (leading == 0) return;
  std::copy(out.digits + leading, out.digits + out.count, out.digits);
  out.count -= leading;
  out.exponent -= static_cast<int>(leading);
}

inline ValueStatus unpack(ByteView image, Unpacked& out) {
  if (image.empty() || image.size() > kMaxNumberBytes) return ValueStatus::kBadNumber;
  const std::uint8_t head = image[0];
  ByteView digits = image.subspan(1);
  const bool negative = head < kZero;
  if (digits.empty()) {
    if (head == kZero) return ValueStatus::kOk;
    if (head != 0) return ValueStatus::kBadNumber;
    out.sign = DecimalSign::kMinusInfinity;
    return ValueStatus::kOk;
  }
  if (head == 0xFF && digits[0] == 0x65) {
    out.sign = DecimalSign::kInfinity;
    return ValueStatus::kOk;
  }
  if (negative && digits.back() == kNegativeEnd) digits = digits.first(digits.size() - 1);
  if (digits.empty() || digits.size() > kMaxDigits) return ValueStatus::kBadNumber;
  out.sign = negative ? DecimalSign::kNegative : DecimalSign::kPositive;
  out.exponent = negative ? kNegativeBias - head : head - kPositiveBias;
  if (!unpack_digits(digits, negative, out)) return ValueStatus::kBadNumber;
  if (out.digits[0] == 0 || out.digits[out.count - 1] == 0) strip_zeros(out);
  if (out.count == 0) out.sign = DecimalSign::kPositive;
  return ValueStatus::kOk;
}

/// Decimal digits behind the point that the value needs.
std::uint16_t scale_of(const Unpacked& number) {
  const int behind = static_cast<int>(number.count) - number.exponent;
  if (behind <= 0) return 0;
  const bool ends_in_zero = number.digits[number.count - 1] % 10 == 0;
  return static_cast<std::uint16_t>(2 * behind - (ends_in_zero ? 1 : 0));
}

}  // namespace

ValueStatus decode_number(ByteView image, Arena& arena, const DecimalView*& out) {
  Unpacked number;
  if (const ValueStatus status = unpack(image, number); status != ValueStatus::kOk) return status;
  // An even exponent puts the first base-100 digit in the upper half of a base-10000 digit.
  const bool starts_high = (number.exponent & 1) == 0;
  const std::size_t halves = number.count + (starts_high ? 0 : 1);
  const std::size_t count = number.count == 0 ? 0 : (halves + 1) / 2;
  auto* decimal =
      new (arena.allocate(sizeof(DecimalView) + count * sizeof(std::uint16_t))) DecimalView();
  decimal->sign = number.sign;
  out = decimal;
  if (count == 0) return ValueStatus::kOk;
  decimal->digit_count = static_cast<std::uint16_t>(count);
  decimal->weight = static_cast<std::int16_t>((number.exponent - (starts_high ? 2 : 1)) / 2);
  decimal->scale = scale_of(number);
  std::uint16_t* to = decimal->digits();
  std::size_t i = 0;
  if (!starts_high) *to++ = number.digits[i++];
  for (; i + 1 < number.count; i += 2) {
    *to++ = static_cast<std::uint16_t>(number.digits[i] * 100 + number.digits[i + 1]);
  }
  if (i < number.count) *to = static_cast<std::uint16_t>(number.digits[i] * 100);
  return ValueStatus::kOk;
}

ValueStatus decode_integer(ByteView image, std::int64_t& out) {
  constexpr int kMaxPairs = 10;  // 10^20 > 2^63
  Unpacked number;
  if (const ValueStatus status = unpack(image, number); status != ValueStatus::kOk) return status;
  const bool is_finite =
      number.sign == DecimalSign::kPositive || number.sign == DecimalSign::kNegative;
  const int count = static_cast<int>(number.count);
  if (!is_finite || count > number.exponent) {
    if (is_finite && count == 0) {
      out = 0;
      return ValueStatus::kOk;
    }
    return ValueStatus::kNotInteger;
  }
  if (number.exponent > kMaxPairs) return ValueStatus::kNotInteger;
  std::int64_t value = 0;
  for (int i = 0; i < number.exponent; ++i) {
    const std::int64_t digit = i < count ? number.digits[i] : 0;
    // Built below zero, where the smallest int64 lies.
    if (__builtin_mul_overflow(value, std::int64_t{100}, &value) ||
        __builtin_sub_overflow(value, digit, &value)) {
      return ValueStatus::kNotInteger;
    }
  }
  if (number.sign == DecimalSign::kPositive && __builtin_sub_overflow(0, value, &value)) {
    return ValueStatus::kNotInteger;
  }
  out = value;
  return ValueStatus::kOk;
}

namespace {

/// Significant decimal digits and the place of the point: value = 0.digits × 10^point.
struct ParsedDecimal {
  std::string digits;
  long point = 0;
  bool negative = false;
};

bool parse_exponent(std::string_view text, long& point) {
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  int exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (exponent < -10'000 || exponent > 10'000) return false;
  point += exponent;
  return true;
}

std::optional<ParsedDecimal> parse(std::string_view text) {
  ParsedDecimal number;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    number.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  bool seen_point = false, seen_digit = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !seen_point) {
      seen_point = true;
    } else if (text[i] >= '0' && text[i] <= '9') {
      seen_digit = true;
      number.digits.push_back(text[i]);
      if (!seen_point) ++number.point;
    } else {
      break;
    }
  }
  if (!seen_digit || !parse_exponent(text.substr(i), number.point)) return std::nullopt;
  const std::size_t first = number.digits.find_first_not_of('0');
  if (first == number.digits.npos) return ParsedDecimal();
  number.point -= static_cast<long>(first);
  number.digits = number.digits.substr(first, number.digits.find_last_not_of('0') + 1 - first);
  return number;
}

}  // namespace

std::optional<std::string> encode_number(std::string_view text) {
  auto number = parse(text);
  if (!number) return std::nullopt;
  if (number->digits.empty()) return std::string(1, static_cast<char>(kZero));
  const bool odd_point = (number->point & 1) != 0;
  if (odd_point) {
    number->digits.insert(number->digits.begin(), '0');
    ++number->point;
  }
  if (number->digits.size() % 2 != 0) number->digits.push_back('0');
  const long exponent = number->point / 2;
  if (number->digits.size() > 40 || exponent < -64 || exponent > 63) return std::nullopt;
  std::string image;
  image.push_back(
      static_cast<char>(number->negative ? kNegativeBias - exponent : kPositiveBias + exponent));
  for (std::size_t i = 0; i < number->digits.size(); i += 2) {
    const int digit = (number->digits[i] - '0') * 10 + (number->digits[i + 1] - '0');
    image.push_back(static_cast<char>(number->negative ? 101 - digit : digit + 1));
  }
  if (number->negative && image.size() < kMaxNumberBytes - 1) {
    image.push_back(static_cast<char>(kNegativeEnd));
  }
  return image;
}

}  // namespace wherry::oracle::wire
