#include "connect/postgres/wire/encoder.h"

#include <limits>

#include "connect/postgres/wire/encoder_parts.h"

namespace wherry::postgres::wire {
namespace {

template <class Integer>
void set_range(ColumnEncoder& encoder) {
  encoder.low = std::numeric_limits<Integer>::min();
  encoder.high = std::numeric_limits<Integer>::max();
}

void set_limits(ColumnEncoder& encoder, const NativeType& native) {
  constexpr std::int64_t kUnits[] = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  switch (native.kind) {
    case NativeKind::kInt2:
      return set_range<std::int16_t>(encoder);
    case NativeKind::kInt4:
      return set_range<std::int32_t>(encoder);
    case NativeKind::kInt8:
      return set_range<std::int64_t>(encoder);
    case NativeKind::kNumeric:
      encoder.is_bounded = native.precision != 0;
      encoder.max_highest = native.precision - native.scale - 1;
      encoder.min_lowest = -native.scale;
      return;
    case NativeKind::kTimestamp:
    case NativeKind::kTimestampTz:
    case NativeKind::kInterval:
      if (native.fraction_digits >= 0 && native.fraction_digits <= 6) {
        encoder.unit_micros = kUnits[native.fraction_digits];
      }
      return;
    case NativeKind::kText:
    case NativeKind::kBpchar:
      encoder.max_chars = native.max_chars;
      return;
    default:
      return;
  }
}

EncodeFunction encode_function_for(CellKind cell, NativeKind native) {
  switch (cell) {
    case CellKind::kBool:
      return encode_bool_as(native);
    case CellKind::kInt64:
      return encode_int_as(native);
    case CellKind::kFloat32:
      return encode_float32_as(native);
    case CellKind::kFloat64:
      return encode_float64_as(native);
    case CellKind::kDecimal:
      return encode_decimal_as(native);
    case CellKind::kText:
      return encode_text_as(native);
    case CellKind::kBytes:
      return encode_bytes_as(native);
    case CellKind::kTimestamp:
      return encode_timestamp_as(native);
    case CellKind::kTimestampTz:
      return encode_timestamp_tz_as(native);
    case CellKind::kIntervalYm:
      return encode_interval_ym_as(native);
    case CellKind::kIntervalDs:
      return encode_interval_ds_as(native);
  }
  return nullptr;
}

}  // namespace

std::string_view text_of(EncodeStatus status) {
  switch (status) {
    case EncodeStatus::kOk:
    case EncodeStatus::kSpilled:
      return {};
    case EncodeStatus::kBadText:
      return "the text is not valid UTF-8";
    case EncodeStatus::kOutOfRange:
      return "the value is out of the range of its column";
    case EncodeStatus::kWouldRound:
      return "the value has more decimals or fraction digits than its column keeps";
    case EncodeStatus::kTooLong:
      return "the text is longer than its column";
    case EncodeStatus::kTooLarge:
      return "the value is larger than PostgreSQL's limit of 1 GB for one value";
    case EncodeStatus::kWrongForm:
      return "the value has no form in the type of its column";
  }
  return {};
}

std::optional<ColumnEncoder> choose_encoder(const schema::LogicalType& type,
                                            const NativeType& native, bool trim_blanks) {
  if (type.kind == schema::TypeKind::kUnsupported) return std::nullopt;
  const CellKind cell = schema::cell_kind_of(type);
  ColumnEncoder encoder;
  encoder.encode = encode_function_for(cell, native.kind);
  if (encoder.encode == nullptr) return std::nullopt;
  set_limits(encoder, native);
  encoder.fraction_digits = type.fraction_digits;
  encoder.trim_blanks = trim_blanks;
  encoder.is_jsonb = native.kind == NativeKind::kJsonb;
  encoder.is_text = cell == CellKind::kText;
  return encoder;
}

}  // namespace wherry::postgres::wire
