// Booleans, integers, decimals and floating point.
#include <charconv>
#include <cmath>

#include "connect/postgres/wire/copy_buffer.h"
#include "connect/postgres/wire/decoder_parts.h"
#include "connect/postgres/wire/numeric.h"

namespace wherry::postgres::wire {
namespace {

std::optional<std::int64_t> read_int(std::string_view field) {
  switch (field.size()) {
    case 2:
      return static_cast<std::int16_t>(load_u16(field.data()));
    case 4:
      return static_cast<std::int32_t>(load_u32(field.data()));
    case 8:
      return static_cast<std::int64_t>(load_u64(field.data()));
    default:
      return std::nullopt;
  }
}

/// float4 and float8, told apart by their size.
std::optional<double> read_float(std::string_view field) {
  if (field.size() == 4) {
    return static_cast<double>(std::bit_cast<float>(load_u32(field.data())));
  }
  if (field.size() == 8) return std::bit_cast<double>(load_u64(field.data()));
  return std::nullopt;
}

bool store(std::optional<std::int64_t> value, Cell& out) {
  if (!value) return false;
  out.payload.i64 = *value;
  return true;
}

bool store(const DecimalView* value, Cell& out) {
  if (value == nullptr) return false;
  out.payload.ptr = reinterpret_cast<const std::byte*>(value);
  return true;
}

// --- booleans and integers ---

bool bool_from_bool(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  if (field.size() != 1 || static_cast<unsigned char>(field[0]) > 1) return false;
  out.payload.i64 = field[0];
  return true;
}

bool bool_from_text(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const std::string_view word = without_padding(field);
  out.payload.i64 = word == "true" ? 1 : 0;
  return word == "true" || word == "false";
}

bool int_from_int(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  return store(read_int(field), out);
}

bool int_from_numeric(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  const DecimalView* decimal = read_numeric(field, arena);
  return decimal != nullptr && store(to_int64(*decimal), out);
}

bool int_from_float(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const auto value = read_float(field);
  if (!value || std::trunc(*value) != *value || std::fabs(*value) >= 0x1p63) return false;
  out.payload.i64 = static_cast<std::int64_t>(*value);
  return true;
}

bool int_from_text(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const std::string_view digits = without_padding(field);
  const auto [end, status] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.payload.i64);
  return status == std::errc{} && end == digits.data() + digits.size();
}

// --- decimals ---

bool decimal_from_numeric(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  return store(read_numeric(field, arena), out);
}

bool decimal_from_integer(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  const auto value = read_int(field);
  return value && store(decimal_from_int(*value, arena), out);
}

bool decimal_from_bool(const ColumnDecoder& self, std::string_view field, Arena& arena, Cell& out) {
  return bool_from_bool(self, field, arena, out) &&
         store(decimal_from_int(out.payload.i64, arena), out);
}

bool decimal_from_text(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  return store(parse_decimal(without_padding(field), arena), out);
}

/// The shortest decimal that is nearest to the value: 0.1 comes back as 0.1.
template <class Float>
const DecimalView* shortest(Float value, Arena& arena) {
  char text[48];
  if (std::isnan(value)) return parse_decimal("NaN", arena);
  if (std::isinf(value)) return parse_decimal(value < 0 ? "-Infinity" : "Infinity", arena);
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return parse_decimal({text, static_cast<std::size_t>(end - text)}, arena);
}

bool decimal_from_float(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  const auto value = read_float(field);
  if (!value) return false;
  return store(
      field.size() == 4 ? shortest(static_cast<float>(*value), arena) : shortest(*value, arena),
      out);
}

// --- floating point ---

bool float32_from_float(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const auto value = read_float(field);
  if (!value) return false;
  out.payload.i64 = 0;
  out.payload.f32 = static_cast<float>(*value);
  return true;
}

bool float64_from_float(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const auto value = read_float(field);
  if (!value) return false;
  out.payload.f64 = *value;
  return true;
}

bool float64_from_numeric(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  const DecimalView* decimal = read_numeric(field, arena);
  if (decimal == nullptr) return false;
  out.payload.f64 = to_double(*decimal);
  return true;
}

bool float64_from_int(const ColumnDecoder&, std::string_view field, Arena&, Cell& out) {
  const auto value = read_int(field);
  if (value) out.payload.f64 = static_cast<double>(*value);
  return value.has_value();
}

bool float64_from_text(const ColumnDecoder&, std::string_view field, Arena& arena, Cell& out) {
  const DecimalView* decimal = parse_decimal(without_padding(field), arena);
  if (decimal == nullptr) return false;
  out.payload.f64 = to_double(*decimal);
  return true;
}

template <DecodeFunction wide>
bool narrowed(const ColumnDecoder& self, std::string_view field, Arena& arena, Cell& out) {
  if (!wide(self, field, arena, out)) return false;
  const double value = out.payload.f64;
  out.payload.i64 = 0;
  out.payload.f32 = static_cast<float>(value);
  return true;
}

bool is_integer(NativeKind native) {
  return native == NativeKind::kInt2 || native == NativeKind::kInt4 || native == NativeKind::kInt8;
}
bool is_float(NativeKind native) {
  return native == NativeKind::kFloat4 || native == NativeKind::kFloat8;
}
}  // namespace

DecodeFunction decode_bool_from(NativeKind native) {
  if (native == NativeKind::kBool) return bool_from_bool;
  return is_text(native) ? bool_from_text : decode_int_from(native);
}

DecodeFunction decode_int_from(NativeKind native) {
  if (is_integer(native)) return int_from_int;
  if (is_float(native)) return int_from_float;
  if (native == NativeKind::kNumeric) return int_from_numeric;
  if (native == NativeKind::kBool) return bool_from_bool;
  return is_text(native) ? int_from_text : nullptr;
}

DecodeFunction decode_decimal_from(NativeKind native) {
  if (native == NativeKind::kNumeric) return decimal_from_numeric;
  if (is_integer(native)) return decimal_from_integer;
  if (is_float(native)) return decimal_from_float;
  if (native == NativeKind::kBool) return decimal_from_bool;
  return is_text(native) ? decimal_from_text : nullptr;
}

DecodeFunction decode_float32_from(NativeKind native) {
  if (is_float(native)) return float32_from_float;
  if (native == NativeKind::kNumeric) return narrowed<float64_from_numeric>;
  if (is_integer(native)) return narrowed<float64_from_int>;
  return is_text(native) ? narrowed<float64_from_text> : nullptr;
}

DecodeFunction decode_float64_from(NativeKind native) {
  if (is_float(native)) return float64_from_float;
  if (native == NativeKind::kNumeric) return float64_from_numeric;
  if (is_integer(native)) return float64_from_int;
  return is_text(native) ? float64_from_text : nullptr;
}

}  // namespace wherry::postgres::wire
