// NUMBER as decimal text, both ways.
#include <algorithm>
#include <charconv>
#include <string>

#include "engine/decimal_digits.h"
#include "engine/number.h"

namespace orasim {
namespace {

constexpr int kTextWidth = 40;  // the width Oracle converts an unformatted NUMBER into

/// Reads `[digits][.digits]` into decimal digits; false when there is none.
bool read_mantissa(std::string_view& s, std::string& digits, int& point) {
  bool seen_point = false;
  bool seen_digit = false;
  point = 0;
  while (!s.empty()) {
    const char c = s.front();
    if (c == '.' && !seen_point) {
      seen_point = true;
    } else if (c >= '0' && c <= '9') {
      seen_digit = true;
      if (!(digits.empty() && c == '0')) digits.push_back(c);
      if (!seen_point && !digits.empty()) ++point;
      if (seen_point && digits.empty()) --point;
    } else {
      break;
    }
    s.remove_prefix(1);
  }
  return seen_digit;
}

bool read_exponent(std::string_view& s, int& exponent) {
  exponent = 0;
  if (s.empty() || (s.front() != 'e' && s.front() != 'E')) return true;
  s.remove_prefix(1);
  if (!s.empty() && s.front() == '+') s.remove_prefix(1);
  const auto r = std::from_chars(s.data(), s.data() + s.size(), exponent);
  if (r.ec != std::errc() || std::abs(exponent) > 100000) return false;
  s.remove_prefix(static_cast<std::size_t>(r.ptr - s.data()));
  return true;
}

/// Rounds `digits` (0.d1d2… × 10^point) half up to `keep` digits and strips trailing zeros.
void round_digits(std::string& digits, int& point, int keep) {
  if (static_cast<int>(digits.size()) > keep) {
    const bool up = digits[static_cast<std::size_t>(keep)] >= '5';
    digits.resize(static_cast<std::size_t>(keep));
    int i = keep - 1;
    while (up && i >= 0 && digits[static_cast<std::size_t>(i)] == '9') {
      digits[static_cast<std::size_t>(i--)] = '0';
    }
    if (up && i >= 0) ++digits[static_cast<std::size_t>(i)];
    if (up && i < 0) {
      digits.insert(digits.begin(), '1');
      ++point;
    }
  }
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
}

std::string fixed_text(const std::string& digits, int point) {
  std::string out;
  const int n = static_cast<int>(digits.size());
  if (point <= 0) {
    out = "." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  } else if (point >= n) {
    out = digits + std::string(static_cast<std::size_t>(point - n), '0');
  } else {
    const auto p = static_cast<std::size_t>(point);
    out = digits.substr(0, p) + "." + digits.substr(p);
  }
  return out;
}

/// "1.00…0E+125", filled with zeros to the full width as Oracle prints it.
std::string scientific_text(std::string digits, int point, int width) {
  for (int pass = 0;; ++pass) {
    const int exponent = point - 1;
    const std::string number = std::to_string(std::abs(exponent));
    const std::string tail =
        std::string(exponent < 0 ? "E-" : "E+") + (number.size() < 2 ? "0" : "") + number;
    const int keep = width - 1 - static_cast<int>(tail.size());
    const int before = point;
    round_digits(digits, point, keep);
    if (point != before && pass == 0) continue;
    digits.resize(static_cast<std::size_t>(keep), '0');
    return digits.substr(0, 1) + "." + digits.substr(1) + tail;
  }
}

}  // namespace

std::optional<Number> Number::parse(std::string_view s) {
  decimal::Digits v;
  if (!s.empty() && (s.front() == '+' || s.front() == '-')) {
    v.negative = s.front() == '-';
    s.remove_prefix(1);
  }
  std::string digits;
  int point = 0;
  int exponent = 0;
  if (!read_mantissa(s, digits, point) || !read_exponent(s, exponent) || !s.empty()) {
    return std::nullopt;
  }
  if (digits.empty()) return Number();
  point += exponent;
  if (point % 2 != 0) {  // pairs must not straddle the decimal point
    digits.insert(digits.begin(), '0');
    ++point;
  }
  v.exponent = point / 2 - 1;
  v.count = std::min<int>((static_cast<int>(digits.size()) + 1) / 2, decimal::kMaxDigits + 2);
  for (int i = 0; i < v.count; ++i) {
    const auto at = static_cast<std::size_t>(2 * i);
    const int low = at + 1 < digits.size() ? digits[at + 1] - '0' : 0;
    v.d[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>((digits[at] - '0') * 10 + low);
  }
  if (!decimal::normalize(v)) return std::nullopt;
  return decimal::pack(v);
}

std::string Number::to_string() const {
  if (is_zero()) return "0";
  const bool negative = is_negative();
  std::size_t size = size_;
  if (negative && bytes_[size - 1] == 0x66) --size;
  int point = 2 * ((negative ? 62 - bytes_[0] : bytes_[0] - 193) + 1);
  std::string digits;
  for (std::size_t i = 1; i < size; ++i) {
    const int d = negative ? 101 - bytes_[i] : bytes_[i] - 1;
    digits.push_back(static_cast<char>('0' + d / 10));
    digits.push_back(static_cast<char>('0' + d % 10));
  }
  if (digits.front() == '0') {
    digits.erase(0, 1);
    --point;
  }
  if (digits.back() == '0') digits.pop_back();
  const int width = kTextWidth - (negative ? 1 : 0);
  const std::string sign = negative ? "-" : "";
  const int n = static_cast<int>(digits.size());
  const int fixed_width = point <= 0 ? 1 - point + n : point >= n ? point : n + 1;
  if (fixed_width <= width) return sign + fixed_text(digits, point);
  // Too wide: the fixed form loses digits, and the exponent form is taken where it keeps more.
  const int fixed_keep = point <= 0 ? width - 1 + point : point >= width ? 0 : width - 1;
  const int scientific_keep = width - 1 - 4;
  if (fixed_keep >= std::min(n, scientific_keep) && fixed_keep > 0) {
    round_digits(digits, point, fixed_keep);
    return sign + fixed_text(digits, point);
  }
  return sign + scientific_text(digits, point, width);
}

}  // namespace orasim
