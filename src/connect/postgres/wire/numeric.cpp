#include "connect/postgres/wire/numeric.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string>

namespace wherry::postgres::wire {
namespace {

constexpr std::size_t kHeaderBytes = 8;
constexpr int kMaxScale = 16383;
constexpr std::uint16_t kNegative = 0x4000;
constexpr std::uint16_t kNan = 0xC000;
constexpr std::uint16_t kInfinity = 0xD000;
constexpr std::uint16_t kMinusInfinity = 0xF000;

std::uint16_t sign_bits(DecimalSign sign) {
  switch (sign) {
    case DecimalSign::kPositive:
      return 0;
    case DecimalSign::kNegative:
      return kNegative;
    case DecimalSign::kNan:
      return kNan;
    case DecimalSign::kInfinity:
      return kInfinity;
    case DecimalSign::kMinusInfinity:
      return kMinusInfinity;
  }
  return 0;
}

std::optional<DecimalSign> sign_of(std::uint16_t bits) {
  switch (bits) {
    case 0:
      return DecimalSign::kPositive;
    case kNegative:
      return DecimalSign::kNegative;
    case kNan:
      return DecimalSign::kNan;
    case kInfinity:
      return DecimalSign::kInfinity;
    case kMinusInfinity:
      return DecimalSign::kMinusInfinity;
    default:
      return std::nullopt;
  }
}

bool is_finite(DecimalSign sign) {
  return sign == DecimalSign::kPositive || sign == DecimalSign::kNegative;
}

int digits_in(unsigned group) {
  return group >= 1000 ? 4 : group >= 100 ? 3 : group >= 10 ? 2 : 1;
}

int trailing_zeros(unsigned group) {
  if (group % 10 != 0) return 0;
  if (group % 100 != 0) return 1;
  return group % 1000 != 0 ? 2 : 3;
}

}  // namespace

DigitRange digit_range(const DecimalView& d) {
  if (d.digit_count == 0) return {};
  const int lowest_group = d.weight - d.digit_count + 1;
  return {d.weight * 4 + digits_in(d.digits()[0]) - 1,
          lowest_group * 4 + trailing_zeros(d.digits()[d.digit_count - 1])};
}

bool put_numeric(CopyBuffer& out, const DecimalView& d) {
  // The server cuts digits past the display scale, so it comes from the digits themselves.
  const int lowest = digit_range(d).lowest;
  const int scale = lowest < 0 ? -lowest : 0;
  if (scale > kMaxScale) return false;
  const std::size_t count = d.digit_count;
  char* at = out.claim_field(kHeaderBytes + 2 * count);
  store_u16(at, d.digit_count);
  store_u16(at + 2, static_cast<std::uint16_t>(d.weight));
  store_u16(at + 4, sign_bits(d.sign));
  store_u16(at + 6, static_cast<std::uint16_t>(scale));
  const std::uint16_t* digits = d.digits();
  for (std::size_t i = 0; i < count; ++i) store_u16(at + kHeaderBytes + 2 * i, digits[i]);
  return true;
}

const DecimalView* read_numeric(std::string_view field, Arena& arena) {
  if (field.size() < kHeaderBytes) return nullptr;
  std::size_t count = load_u16(field.data());
  int weight = static_cast<std::int16_t>(load_u16(field.data() + 2));
  const std::optional<DecimalSign> sign = sign_of(load_u16(field.data() + 4));
  if (!sign || field.size() != kHeaderBytes + 2 * count) return nullptr;
  const char* digits = field.data() + kHeaderBytes;
  for (std::size_t i = 0; i < count; ++i) {
    if (load_u16(digits + 2 * i) > 9999) return nullptr;
  }
  while (count > 0 && load_u16(digits) == 0) {
    digits += 2;
    --count;
    --weight;
  }
  while (count > 0 && load_u16(digits + 2 * (count - 1)) == 0) --count;
  if (weight < std::numeric_limits<std::int16_t>::min()) return nullptr;

  auto* view = reinterpret_cast<DecimalView*>(
      arena.allocate(sizeof(DecimalView) + count * sizeof(std::uint16_t)));
  *view = DecimalView{};
  view->sign = count == 0 && is_finite(*sign) ? DecimalSign::kPositive : *sign;
  if (count == 0) return view;
  view->weight = static_cast<std::int16_t>(weight);
  view->digit_count = static_cast<std::uint16_t>(count);
  for (std::size_t i = 0; i < count; ++i) view->digits()[i] = load_u16(digits + 2 * i);
  const int lowest = digit_range(*view).lowest;
  view->scale = static_cast<std::uint16_t>(lowest < 0 ? -lowest : 0);
  return view;
}

double to_double(const DecimalView& d) {
  switch (d.sign) {
    case DecimalSign::kNan:
      return std::numeric_limits<double>::quiet_NaN();
    case DecimalSign::kInfinity:
      return std::numeric_limits<double>::infinity();
    case DecimalSign::kMinusInfinity:
      return -std::numeric_limits<double>::infinity();
    default:
      break;
  }
  // All digits as one integer and a power of ten: the C library rounds it correctly once. Oracle's
  // 40 digits fit the buffer; what is longer takes the slow way.
  std::array<char, 4 * 24 + 16> buffer;
  if (d.digit_count > 24) return std::strtod(to_text(d).c_str(), nullptr);
  char* at = buffer.data();
  if (d.sign == DecimalSign::kNegative) *at++ = '-';
  *at++ = '0';
  for (int i = 0; i < d.digit_count; ++i) {
    const unsigned group = d.digits()[i];
    *at++ = static_cast<char>('0' + group / 1000);
    *at++ = static_cast<char>('0' + group / 100 % 10);
    *at++ = static_cast<char>('0' + group / 10 % 10);
    *at++ = static_cast<char>('0' + group % 10);
  }
  *at++ = 'e';
  at = std::to_chars(at, buffer.data() + buffer.size(), (d.weight - d.digit_count + 1) * 4).ptr;
  double value = 0;
  const auto status = std::from_chars(buffer.data(), at, value);
  if (status.ec == std::errc::result_out_of_range) {
    const bool is_tiny = d.weight < 0;
    value = is_tiny ? 0.0 : std::numeric_limits<double>::infinity();
    if (d.sign == DecimalSign::kNegative) value = -value;
  }
  return value;
}

}  // namespace wherry::postgres::wire
