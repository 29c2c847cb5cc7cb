// Booleans, integers, decimals and floating point.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "connect/postgres/wire/encoder_parts.h"
#include "connect/postgres/wire/numeric.h"
#include "core/truth.h"

namespace wherry::postgres::wire {
namespace {

void put_int2(std::int64_t value, CopyBuffer& out) {
  store_u16(out.claim_field(2), static_cast<std::uint16_t>(value));
}
void put_int4(std::int64_t value, CopyBuffer& out) {
  store_u32(out.claim_field(4), static_cast<std::uint32_t>(value));
}
void put_int8(std::int64_t value, CopyBuffer& out) {
  store_u64(out.claim_field(8), static_cast<std::uint64_t>(value));
}
void put_float4(float value, CopyBuffer& out) {
  store_u32(out.claim_field(4), std::bit_cast<std::uint32_t>(value));
}
void put_float8(double value, CopyBuffer& out) {
  store_u64(out.claim_field(8), std::bit_cast<std::uint64_t>(value));
}

using PutInt = void (*)(std::int64_t, CopyBuffer&);

// --- from integers; booleans travel as 0 and 1 ---

template <PutInt put>
EncodeStatus int_as_int(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const std::int64_t value = cell.payload.i64;
  if (value < self.low || value > self.high) return EncodeStatus::kOutOfRange;
  put(value, out);
  return EncodeStatus::kOk;
}

EncodeStatus put_bool(std::int64_t value, CopyBuffer& out) {
  if (value != 0 && value != 1) return EncodeStatus::kWrongForm;
  *out.claim_field(1) = static_cast<char>(value);
  return EncodeStatus::kOk;
}

EncodeStatus int_as_bool(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  return put_bool(cell.payload.i64, out);
}

/// Whether a whole number comes back from floating point.
template <class Float>
bool survives(std::int64_t value) {
  constexpr auto kExact = std::int64_t{1} << std::numeric_limits<Float>::digits;
  if (value >= -kExact && value <= kExact) return true;
  const auto there = static_cast<Float>(value);
  return std::fabs(there) < static_cast<Float>(0x1p63) && static_cast<std::int64_t>(there) == value;
}

EncodeStatus int_as_float4(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  if (!survives<float>(cell.payload.i64)) return EncodeStatus::kWouldRound;
  put_float4(static_cast<float>(cell.payload.i64), out);
  return EncodeStatus::kOk;
}

EncodeStatus int_as_float8(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  if (!survives<double>(cell.payload.i64)) return EncodeStatus::kWouldRound;
  put_float8(static_cast<double>(cell.payload.i64), out);
  return EncodeStatus::kOk;
}

EncodeStatus int_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, cell.payload.i64).ptr;
  return put_ascii(self, {digits, static_cast<std::size_t>(end - digits)}, out);
}

EncodeStatus bool_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  return put_ascii(self, cell.payload.i64 != 0 ? "true" : "false", out);
}

// --- from decimals ---

EncodeStatus put_bounded(const ColumnEncoder& self, const DecimalView& value, CopyBuffer& out) {
  if (self.is_bounded && value.digit_count != 0) {
    const DigitRange range = digit_range(value);
    if (range.highest > self.max_highest) return EncodeStatus::kOutOfRange;
    if (range.lowest < self.min_lowest) return EncodeStatus::kWouldRound;
  }
  // numeric(p,s) holds NaN but no infinity.
  const bool is_infinite =
      value.sign == DecimalSign::kInfinity || value.sign == DecimalSign::kMinusInfinity;
  if (self.is_bounded && is_infinite) return EncodeStatus::kOutOfRange;
  return put_numeric(out, value) ? EncodeStatus::kOk : EncodeStatus::kOutOfRange;
}

EncodeStatus decimal_as_numeric(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  return put_bounded(self, decimal_of(cell), out);
}

EncodeStatus as_integer(const DecimalView& decimal, std::int64_t& value) {
  const auto exact = to_int64(decimal);
  if (!exact) {
    const bool has_fraction = digit_range(decimal).lowest < 0;
    return has_fraction ? EncodeStatus::kWouldRound : EncodeStatus::kOutOfRange;
  }
  value = *exact;
  return EncodeStatus::kOk;
}

template <PutInt put>
EncodeStatus decimal_as_int(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  std::int64_t value = 0;
  const EncodeStatus status = as_integer(decimal_of(cell), value);
  if (status != EncodeStatus::kOk) return status;
  if (value < self.low || value > self.high) return EncodeStatus::kOutOfRange;
  put(value, out);
  return EncodeStatus::kOk;
}

EncodeStatus decimal_as_bool(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  std::int64_t value = 0;
  const EncodeStatus status = as_integer(decimal_of(cell), value);
  return status == EncodeStatus::kOk ? put_bool(value, out) : EncodeStatus::kWrongForm;
}

/// The digit that counts 10^power.
char decimal_digit(const DecimalView& value, int power) {
  static constexpr int kPowers[] = {1, 10, 100, 1000};
  const int group = power >= 0 ? power / 4 : -((3 - power) / 4);
  const int index = value.weight - group;
  if (index < 0 || index >= value.digit_count) return '0';
  return static_cast<char>('0' + value.digits()[index] / kPowers[power - group * 4] % 10);
}

bool is_number(const DecimalView& d) {
  return d.sign == DecimalSign::kPositive || d.sign == DecimalSign::kNegative;
}

/// Too large, or so small that nothing is left of it.
template <class Float>
bool is_lost(Float value, const DecimalView& decimal) {
  return is_number(decimal) && (std::isinf(value) || (value == 0 && decimal.digit_count != 0));
}

EncodeStatus decimal_as_float8(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  const DecimalView& decimal = decimal_of(cell);
  const double value = to_double(decimal);
  if (is_lost(value, decimal)) return EncodeStatus::kOutOfRange;
  put_float8(value, out);
  return EncodeStatus::kOk;
}

EncodeStatus decimal_as_float4(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  const DecimalView& decimal = decimal_of(cell);
  const auto value = static_cast<float>(to_double(decimal));
  if (is_lost(value, decimal)) return EncodeStatus::kOutOfRange;
  put_float4(value, out);
  return EncodeStatus::kOk;
}

/// As to_text(), without a string between.
EncodeStatus decimal_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const DecimalView& value = decimal_of(cell);
  if (!is_number(value) || value.digit_count == 0) return put_ascii(self, to_text(value), out);
  const std::size_t start = out.size();
  out.claim(4);
  if (value.sign == DecimalSign::kNegative) *out.claim(1) = '-';
  const DigitRange range = digit_range(value);
  for (int power = std::max(range.highest, 0); power >= std::min(range.lowest, 0); --power) {
    if (power == -1) *out.claim(1) = '.';
    *out.claim(1) = decimal_digit(value, power);
  }
  const std::size_t size = out.size() - start - 4;
  if (self.max_chars != 0 && size > self.max_chars) return EncodeStatus::kTooLong;
  out.set_length(start, size);
  return EncodeStatus::kOk;
}

// --- from floating point ---

EncodeStatus float32_as_float4(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  put_float4(cell.payload.f32, out);
  return EncodeStatus::kOk;
}

EncodeStatus float32_as_float8(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  put_float8(static_cast<double>(cell.payload.f32), out);
  return EncodeStatus::kOk;
}

EncodeStatus float64_as_float8(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  put_float8(cell.payload.f64, out);
  return EncodeStatus::kOk;
}

EncodeStatus float64_as_float4(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  const double value = cell.payload.f64;
  if (std::isfinite(value) && std::fabs(value) > std::numeric_limits<float>::max()) {
    return EncodeStatus::kOutOfRange;
  }
  const auto narrow = static_cast<float>(value);
  if (std::isfinite(value) && static_cast<double>(narrow) != value) {
    return EncodeStatus::kWouldRound;
  }
  put_float4(narrow, out);
  return EncodeStatus::kOk;
}

/// The shortest text that reads back as the same value, in PostgreSQL's spelling of what is none.
template <class Float>
std::string_view float_text(Float value, char (&buffer)[48]) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, static_cast<std::size_t>(end - buffer)};
}

template <class Float>
Float value_of(const Cell& cell) {
  if constexpr (sizeof(Float) == sizeof(float)) {
    return cell.payload.f32;
  } else {
    return cell.payload.f64;
  }
}

template <class Float>
EncodeStatus float_as_text(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  char buffer[48];
  return put_ascii(self, float_text(value_of<Float>(cell), buffer), out);
}

template <class Float>
EncodeStatus float_as_numeric(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  char buffer[48];
  self.scratch->reset();
  const DecimalView* decimal =
      parse_decimal(float_text(value_of<Float>(cell), buffer), *self.scratch);
  return decimal == nullptr ? EncodeStatus::kOutOfRange : put_bounded(self, *decimal, out);
}

template <class Float, PutInt put>
EncodeStatus float_as_int(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  const auto value = static_cast<double>(value_of<Float>(cell));
  if (!(std::fabs(value) < 0x1p63)) return EncodeStatus::kOutOfRange;  // NaN is not less
  if (std::trunc(value) != value) return EncodeStatus::kWouldRound;
  const auto whole = static_cast<std::int64_t>(value);
  if (whole < self.low || whole > self.high) return EncodeStatus::kOutOfRange;
  put(whole, out);
  return EncodeStatus::kOk;
}

// --- from text ---

template <EncodeFunction encode>
EncodeStatus text_as_number(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  self.scratch->reset();
  const DecimalView* decimal = parse_decimal(without_blanks(cell.bytes()), *self.scratch);
  if (decimal == nullptr) return EncodeStatus::kWrongForm;
  Cell number = cell;
  number.kind = CellKind::kDecimal;
  number.payload.ptr = reinterpret_cast<const std::byte*>(decimal);
  return encode(self, number, out);
}

/// PostgreSQL's own words for truth values, without its abbreviations of them.
EncodeStatus text_as_bool(ColumnEncoder&, const Cell& cell, CopyBuffer& out) {
  const std::optional<bool> value = parse_truth(cell.bytes());
  if (!value) return EncodeStatus::kWrongForm;
  *out.claim_field(1) = *value ? 1 : 0;
  return EncodeStatus::kOk;
}

EncodeStatus int_as_numeric(ColumnEncoder& self, const Cell& cell, CopyBuffer& out) {
  // Header and five digits at most: too small for a trip through an arena.
  struct {
    DecimalView view;
    std::uint16_t digits[5];
  } decimal{};
  std::uint64_t rest = cell.payload.i64 < 0 ? ~static_cast<std::uint64_t>(cell.payload.i64) + 1
                                            : static_cast<std::uint64_t>(cell.payload.i64);
  std::uint16_t groups[5];
  int count = 0;
  for (; rest != 0; rest /= 10000) groups[count++] = static_cast<std::uint16_t>(rest % 10000);
  int zeros = 0;
  while (zeros < count && groups[zeros] == 0) ++zeros;
  decimal.view.weight = static_cast<std::int16_t>(count == 0 ? 0 : count - 1);
  decimal.view.digit_count = static_cast<std::uint16_t>(count - zeros);
  decimal.view.sign = cell.payload.i64 < 0 ? DecimalSign::kNegative : DecimalSign::kPositive;
  for (int i = 0; i < count - zeros; ++i) decimal.digits[i] = groups[count - 1 - i];
  return put_bounded(self, decimal.view, out);
}

}  // namespace

EncodeFunction encode_int_as(NativeKind native) {
  switch (native) {
    case NativeKind::kInt2:
      return int_as_int<put_int2>;
    case NativeKind::kInt4:
      return int_as_int<put_int4>;
    case NativeKind::kInt8:
      return int_as_int<put_int8>;
    case NativeKind::kNumeric:
      return int_as_numeric;
    case NativeKind::kFloat4:
      return int_as_float4;
    case NativeKind::kFloat8:
      return int_as_float8;
    case NativeKind::kBool:
      return int_as_bool;
    case NativeKind::kText:
    case NativeKind::kBpchar:
      return int_as_text;
    default:
      return nullptr;
  }
}

EncodeFunction encode_bool_as(NativeKind native) {
  if (native == NativeKind::kText || native == NativeKind::kBpchar) return bool_as_text;
  return encode_int_as(native);
}

EncodeFunction encode_decimal_as(NativeKind native) {
  switch (native) {
    case NativeKind::kNumeric:
      return decimal_as_numeric;
    case NativeKind::kInt2:
      return decimal_as_int<put_int2>;
    case NativeKind::kInt4:
      return decimal_as_int<put_int4>;
    case NativeKind::kInt8:
      return decimal_as_int<put_int8>;
    case NativeKind::kFloat4:
      return decimal_as_float4;
    case NativeKind::kFloat8:
      return decimal_as_float8;
    case NativeKind::kBool:
      return decimal_as_bool;
    case NativeKind::kText:
    case NativeKind::kBpchar:
      return decimal_as_text;
    default:
      return nullptr;
  }
}

EncodeFunction encode_number_text_as(NativeKind native) {
  switch (native) {
    case NativeKind::kNumeric:
      return text_as_number<decimal_as_numeric>;
    case NativeKind::kInt2:
      return text_as_number<decimal_as_int<put_int2>>;
    case NativeKind::kInt4:
      return text_as_number<decimal_as_int<put_int4>>;
    case NativeKind::kInt8:
      return text_as_number<decimal_as_int<put_int8>>;
    case NativeKind::kFloat4:
      return text_as_number<decimal_as_float4>;
    case NativeKind::kFloat8:
      return text_as_number<decimal_as_float8>;
    case NativeKind::kBool:
      return text_as_bool;
    default:
      return nullptr;
  }
}

EncodeFunction encode_float32_as(NativeKind native) {
  switch (native) {
    case NativeKind::kInt2:
      return float_as_int<float, put_int2>;
    case NativeKind::kInt4:
      return float_as_int<float, put_int4>;
    case NativeKind::kInt8:
      return float_as_int<float, put_int8>;
    case NativeKind::kFloat4:
      return float32_as_float4;
    case NativeKind::kFloat8:
      return float32_as_float8;
    case NativeKind::kNumeric:
      return float_as_numeric<float>;
    case NativeKind::kText:
    case NativeKind::kBpchar:
      return float_as_text<float>;
    default:
      return nullptr;
  }
}

EncodeFunction encode_float64_as(NativeKind native) {
  switch (native) {
    case NativeKind::kInt2:
      return float_as_int<double, put_int2>;
    case NativeKind::kInt4:
      return float_as_int<double, put_int4>;
    case NativeKind::kInt8:
      return float_as_int<double, put_int8>;
    case NativeKind::kFloat8:
      return float64_as_float8;
    case NativeKind::kFloat4:
      return float64_as_float4;
    case NativeKind::kNumeric:
      return float_as_numeric<double>;
    case NativeKind::kText:
    case NativeKind::kBpchar:
      return float_as_text<double>;
    default:
      return nullptr;
  }
}

}  // namespace wherry::postgres::wire
