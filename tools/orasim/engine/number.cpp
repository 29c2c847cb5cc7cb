#include "engine/number.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/decimal_digits.h"

namespace orasim {
namespace decimal {

bool normalize(Digits& v) {
  int lead = 0;
  while (lead < v.count && v.d[lead] == 0) ++lead;
  if (lead > 0) {
    std::copy(v.d.begin() + lead, v.d.begin() + v.count, v.d.begin());
    v.count -= lead;
    v.exponent -= lead;
  }
  if (v.count > kMaxDigits) {
    const bool up = v.d[kMaxDigits] >= 50;
    v.count = kMaxDigits;
    int i = kMaxDigits - 1;
    while (up && i >= 0 && v.d[i] == 99) v.d[i--] = 0;
    if (up && i >= 0) ++v.d[i];
    if (up && i < 0) {
      v.d[0] = 1;
      v.count = 1;
      ++v.exponent;
    }
  }
  while (v.count > 0 && v.d[v.count - 1] == 0) --v.count;
  if (v.count == 0 || v.exponent < kMinExponent) {
    v = Digits{};
    return true;
  }
  return v.exponent <= kMaxExponent;
}

Number pack(const Digits& v) {
  std::array<std::uint8_t, 22> out{};
  if (v.count == 0) return Number();
  std::size_t size = 0;
  out[size++] = static_cast<std::uint8_t>(v.negative ? 62 - v.exponent : v.exponent + 193);
  for (int i = 0; i < v.count; ++i) {
    out[size++] = static_cast<std::uint8_t>(v.negative ? 101 - v.d[i] : v.d[i] + 1);
  }
  if (v.negative && v.count < kMaxDigits) out[size++] = 0x66;
  return *Number::from_bytes({out.data(), size});
}

}  // namespace decimal

namespace {

using decimal::Digits;
using decimal::kMaxDigits;
using decimal::kWork;
using decimal::normalize;
using decimal::pack;

Digits unpack(const Number& n) {
  Digits v;
  const auto b = n.bytes();
  if (n.is_zero()) return v;
  v.negative = b[0] < 0x80;
  std::size_t size = b.size();
  if (v.negative && b[size - 1] == 0x66) --size;
  v.exponent = v.negative ? 62 - b[0] : b[0] - 193;
  v.count = static_cast<int>(size) - 1;
  for (int i = 0; i < v.count; ++i) {
    v.d[i] = static_cast<std::uint8_t>(v.negative ? 101 - b[i + 1] : b[i + 1] - 1);
  }
  return v;
}

std::optional<Number> finish(Digits v) {
  if (!normalize(v)) return std::nullopt;
  return pack(v);
}

int compare_magnitude(const Digits& a, const Digits& b) {
  if (a.count == 0 || b.count == 0) return (a.count > 0) - (b.count > 0);
  if (a.exponent != b.exponent) return a.exponent < b.exponent ? -1 : 1;
  for (int i = 0; i < std::max(a.count, b.count); ++i) {
    const int x = i < a.count ? a.d[i] : 0;
    const int y = i < b.count ? b.d[i] : 0;
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

/// |a| + |b| or |a| - |b| for |a| >= |b|; the sign is a's.
Digits combine(const Digits& a, const Digits& b, bool subtract) {
  const int shift = a.exponent - b.exponent;
  if (b.count == 0 || shift > kMaxDigits + 2) return a;
  Digits r;
  r.negative = a.negative;
  r.exponent = a.exponent + 1;
  r.count = 1 + std::max(a.count, b.count + shift);
  int carry = 0;
  for (int i = r.count - 1; i >= 1; --i) {
    const int ai = i - 1;
    const int bi = ai - shift;
    const int x = ai < a.count ? a.d[ai] : 0;
    const int y = bi >= 0 && bi < b.count ? b.d[bi] : 0;
    int s = subtract ? x - y - carry : x + y + carry;
    carry = subtract ? s < 0 : s > 99;
    if (subtract && s < 0) s += 100;
    if (!subtract && s > 99) s -= 100;
    r.d[i] = static_cast<std::uint8_t>(s);
  }
  r.d[0] = static_cast<std::uint8_t>(carry);
  return r;
}

std::optional<Number> add_signed(const Digits& a, const Digits& b) {
  const bool a_larger = compare_magnitude(a, b) >= 0;
  const Digits& big = a_larger ? a : b;
  const Digits& small = a_larger ? b : a;
  return finish(combine(big, small, a.negative != b.negative));
}

/// One step of long division: the largest q with q*d <= r, subtracting it. `r` has one digit more
/// than `d` in front.
int divide_step(int* r, const Digits& d) {
  const int n = d.count;
  auto leading = [&](auto digit) {
    double x = 0;
    for (int i = 0; i < 6; ++i) x = x * 100 + (i < n ? digit(i) : 0);
    return x;
  };
  double head = r[0];
  for (int i = 1; i <= 6; ++i) head = head * 100 + (i <= n ? r[i] : 0);
  int q = static_cast<int>(head / leading([&](int i) { return double{d.d[i] * 1.0}; }));
  q = std::clamp(q, 0, 99);
  int borrow = 0;
  for (int i = n; i >= 1; --i) {
    int x = r[i] - q * d.d[i - 1] - borrow;
    borrow = 0;
    if (x < 0) {
      borrow = (-x + 99) / 100;
      x += borrow * 100;
    }
    r[i] = x;
  }
  r[0] -= borrow;
  auto add_back = [&](int sign) {
    int carry = 0;
    for (int i = n; i >= 1; --i) {
      int x = r[i] + sign * d.d[i - 1] + carry;
      carry = x < 0 ? -1 : x > 99 ? 1 : 0;
      r[i] = x - carry * 100;
    }
    r[0] += carry;
  };
  auto at_least_divisor = [&] {
    if (r[0] > 0) return true;
    for (int i = 1; i <= n; ++i) {
      if (r[i] != d.d[i - 1]) return r[i] > d.d[i - 1];
    }
    return true;
  };
  while (r[0] < 0) {
    add_back(1);
    --q;
  }
  while (at_least_divisor()) {
    add_back(-1);
    ++q;
  }
  return q;
}

/// Decimal digit `i` (0 = first digit of the leading base-100 digit) of the mantissa.
int decimal_digit(const Digits& v, int i) {
  const int pair = i / 2;
  if (i < 0 || pair >= v.count) return 0;
  return i % 2 == 0 ? v.d[pair] / 10 : v.d[pair] % 10;
}

/// Cuts behind `digits` decimal places; rounds half away from zero when `round`.
std::optional<Number> cut(Digits v, int digits, bool round) {
  if (v.count == 0) return Number();
  const int keep = (v.exponent + 1) * 2 + digits;  // decimal digits kept, from the first pair on
  if (keep >= v.count * 2) return pack(v);
  if (keep < 0) return Number();
  const bool up = round && decimal_digit(v, keep) >= 5;
  Digits r;
  r.negative = v.negative;
  r.exponent = v.exponent + 1;
  r.count = 1 + (keep + 1) / 2;
  std::copy(v.d.begin(), v.d.begin() + std::min(v.count, r.count - 1), r.d.begin() + 1);
  if (keep % 2 == 1) r.d[r.count - 1] = static_cast<std::uint8_t>(r.d[r.count - 1] / 10 * 10);
  int add = up ? (keep % 2 == 1 ? 10 : 1) : 0;
  for (int i = r.count - 1; i >= 0 && add > 0; --i) {
    const int s = r.d[i] + add;
    r.d[i] = static_cast<std::uint8_t>(s % 100);
    add = s / 100;
  }
  return finish(r);
}

}  // namespace

Number::Number() : size_(1) {
  bytes_[0] = 0x80;
}

Number Number::from_int(std::int64_t value) {
  std::uint64_t u = value < 0 ? 0 - static_cast<std::uint64_t>(value) : value;
  std::array<std::uint8_t, 10> low{};
  int n = 0;
  while (u > 0) {
    low[n++] = static_cast<std::uint8_t>(u % 100);
    u /= 100;
  }
  Digits v;
  v.negative = value < 0;
  v.exponent = n - 1;
  v.count = n;
  for (int i = 0; i < n; ++i) v.d[i] = low[n - 1 - i];
  normalize(v);
  return pack(v);
}

Number Number::from_double(double value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return parse({text, static_cast<std::size_t>(end - text)}).value_or(Number());
}

std::optional<Number> Number::from_bytes(std::span<const std::uint8_t> b) {
  Number n;
  if (b.empty() || b.size() > 21) return std::nullopt;
  if (b.size() == 1) return b[0] == 0x80 ? std::optional(n) : std::nullopt;
  const bool negative = b[0] < 0x80;
  std::size_t digits = b.size() - 1;
  if (negative && b[digits] == 0x66) --digits;
  const bool terminated = !negative || digits < b.size() - 1 || digits == kMaxDigits;
  if (digits == 0 || digits > kMaxDigits || !terminated) return std::nullopt;
  const int low = negative ? 2 : 1;
  for (std::size_t i = 1; i <= digits; ++i) {
    if (b[i] < low || b[i] > low + 99) return std::nullopt;
  }
  const std::uint8_t zero = negative ? 101 : 1;
  if (b[1] == zero || b[digits] == zero) return std::nullopt;
  std::copy(b.begin(), b.end(), n.bytes_.begin());
  n.size_ = static_cast<std::uint8_t>(b.size());
  return n;
}

std::strong_ordering Number::operator<=>(const Number& other) const {
  const std::size_t common = std::min(size_, other.size_);
  const int c = std::memcmp(bytes_.data(), other.bytes_.data(), common);
  if (c != 0) return c < 0 ? std::strong_ordering::less : std::strong_ordering::greater;
  return size_ <=> other.size_;
}

std::optional<Number> Number::add(const Number& a, const Number& b) {
  return add_signed(unpack(a), unpack(b));
}

std::optional<Number> Number::subtract(const Number& a, const Number& b) {
  Digits right = unpack(b);
  right.negative = !right.negative;
  return add_signed(unpack(a), right);
}

std::optional<Number> Number::multiply(const Number& a, const Number& b) {
  const Digits x = unpack(a);
  const Digits y = unpack(b);
  if (x.count == 0 || y.count == 0) return Number();
  std::array<int, kWork> sum{};
  for (int i = 0; i < x.count; ++i) {
    for (int j = 0; j < y.count; ++j) sum[i + j + 1] += x.d[i] * y.d[j];
  }
  Digits r;
  r.negative = x.negative != y.negative;
  r.exponent = x.exponent + y.exponent + 1;
  r.count = x.count + y.count;
  for (int i = r.count - 1; i > 0; --i) {
    sum[i - 1] += sum[i] / 100;
    sum[i] %= 100;
  }
  for (int i = 0; i < r.count; ++i) r.d[i] = static_cast<std::uint8_t>(sum[i]);
  return finish(r);
}

std::optional<Number> Number::divide(const Number& a, const Number& b) {
  const Digits x = unpack(a);
  const Digits y = unpack(b);
  if (x.count == 0 || y.count == 0) return Number();
  std::array<int, kWork> rest{};
  Digits q;
  q.negative = x.negative != y.negative;
  q.exponent = x.exponent - y.exponent;
  // The dividend is fed digit by digit behind the remainder window of y.count + 1 digits.
  const int window = y.count + 1;
  int fed = std::min(x.count, y.count);
  for (int i = 0; i < fed; ++i) rest[window - y.count + i] = x.d[i];
  for (int k = 0; k < kMaxDigits + 2; ++k) {
    q.d[q.count++] = static_cast<std::uint8_t>(divide_step(rest.data(), y));
    for (int i = 0; i + 1 < window; ++i) rest[i] = rest[i + 1];
    const int next = y.count + k;
    rest[window - 1] = next < x.count ? x.d[next] : 0;
  }
  return finish(q);
}

Number Number::modulo(const Number& a, const Number& b) {
  const Digits x = unpack(a);
  const Digits y = unpack(b);
  if (y.count == 0 || compare_magnitude(x, y) < 0) return a;
  std::array<int, kWork> rest{};
  const int window = y.count + 1;
  for (int i = 0; i < y.count; ++i) rest[1 + i] = i < x.count ? x.d[i] : 0;
  const int steps = x.exponent - y.exponent + 1;
  for (int k = 0; k < steps; ++k) {
    divide_step(rest.data(), y);
    if (k + 1 == steps) break;
    for (int i = 0; i + 1 < window; ++i) rest[i] = rest[i + 1];
    const int next = y.count + k;
    rest[window - 1] = next < x.count ? x.d[next] : 0;
  }
  Digits r;
  r.negative = x.negative;
  r.exponent = y.exponent;
  // What the window has not seen of a longer dividend stays in the remainder unchanged.
  for (int i = 1; i < window; ++i) r.d[r.count++] = static_cast<std::uint8_t>(rest[i]);
  for (int i = y.count + steps - 1; i < x.count; ++i) r.d[r.count++] = x.d[i];
  return finish(r).value_or(Number());
}

Number Number::negated() const {
  Digits v = unpack(*this);
  v.negative = !v.negative;
  return pack(v);
}

Number Number::rounded(int digits) const {
  return cut(unpack(*this), digits, true).value_or(*this);
}

Number Number::truncated(int digits) const {
  return cut(unpack(*this), digits, false).value_or(*this);
}

Number Number::floor() const {
  const Number t = truncated(0);
  if (!is_negative() || t == *this) return t;
  return subtract(t, from_int(1)).value_or(t);
}

Number Number::ceil() const {
  const Number t = truncated(0);
  if (is_negative() || t == *this) return t;
  return add(t, from_int(1)).value_or(t);
}

int Number::integer_digits() const {
  const Digits v = unpack(*this);
  if (v.count == 0 || v.exponent < 0) return 0;
  return v.exponent * 2 + (v.d[0] >= 10 ? 2 : 1);
}

std::optional<std::int64_t> Number::to_int() const {
  const Digits v = unpack(*this);
  if (v.count == 0) return 0;
  if (v.exponent < v.count - 1 || v.exponent > 9) return std::nullopt;
  unsigned __int128 u = 0;
  for (int i = 0; i <= v.exponent; ++i) u = u * 100 + (i < v.count ? v.d[i] : 0);
  const unsigned __int128 limit = (static_cast<unsigned __int128>(1) << 63) - (v.negative ? 0 : 1);
  if (u > limit) return std::nullopt;
  const auto low = static_cast<std::uint64_t>(u);
  return static_cast<std::int64_t>(v.negative ? 0 - low : low);
}

double Number::to_double() const {
  const Digits v = unpack(*this);
  if (v.count == 0) return 0;
  char text[64];
  int n = 0;
  if (v.negative) text[n++] = '-';
  for (int i = 0; i < v.count; ++i) {
    text[n++] = static_cast<char>('0' + v.d[i] / 10);
    text[n++] = static_cast<char>('0' + v.d[i] % 10);
  }
  text[n++] = 'e';
  n = static_cast<int>(
      std::to_chars(text + n, text + sizeof text, 2 * (v.exponent - v.count + 1)).ptr - text);
  double out = 0;
  std::from_chars(text, text + n, out);
  return out;
}

}  // namespace orasim
