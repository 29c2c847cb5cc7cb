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
    case NativeKind::kTime:
    case NativeKind::kInterval:
      encoder.holds_months = native.holds_months;
      encoder.holds_seconds = native.holds_seconds;
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

using schema::TypeKind;

/// Pairs whose cells would fit, but whose values mean something else.
bool is_sensible(TypeKind type, const NativeType& native) {
  switch (native.kind) {
    case NativeKind::kText:
    case NativeKind::kBpchar:
      return type != TypeKind::kBlob;
    case NativeKind::kBytea:
      return true;
    case NativeKind::kJson:
    case NativeKind::kJsonb:
      return type == TypeKind::kText || type == TypeKind::kClob || type == TypeKind::kJson;
    case NativeKind::kXml:
      return type == TypeKind::kText || type == TypeKind::kClob || type == TypeKind::kXml;
    case NativeKind::kUuid:
      return type == TypeKind::kText || type == TypeKind::kBytes;
    case NativeKind::kInterval:
      if (type == TypeKind::kIntervalYm) return native.holds_months;
      if (type == TypeKind::kIntervalDs) return native.holds_seconds;
      return type == TypeKind::kText;
    default:
      // Documents, large objects and row addresses are no numbers, times or labels.
      return type != TypeKind::kClob && type != TypeKind::kXml && type != TypeKind::kJson &&
             type != TypeKind::kRowAddress;
  }
}

schema::Likeness likeness_of_text(const NativeType& native, bool trim_blanks) {
  using schema::Likeness;
  switch (native.kind) {
    case NativeKind::kBool:
      return Likeness::kTruth;
    case NativeKind::kInt2:
    case NativeKind::kInt4:
    case NativeKind::kInt8:
    case NativeKind::kNumeric:
      return Likeness::kNumber;
    case NativeKind::kFloat4:
      return Likeness::kFloat32;
    case NativeKind::kFloat8:
      return Likeness::kFloat64;
    case NativeKind::kBpchar:
      return trim_blanks ? Likeness::kExact : Likeness::kPadded;
    case NativeKind::kJsonb:
      return Likeness::kJson;
    case NativeKind::kXml:
      return Likeness::kXml;
    case NativeKind::kUuid:
      return Likeness::kUuid;
    case NativeKind::kDate:
    case NativeKind::kTimestamp:
    case NativeKind::kTimestampTz:
      return Likeness::kMoment;
    case NativeKind::kTime:
      return Likeness::kClock;
    case NativeKind::kInterval:
      return Likeness::kInterval;
    default:
      return Likeness::kExact;
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
    case EncodeStatus::kRowTooLarge:
      return "with this value the row is larger than PostgreSQL's limit of 1 GB for one row";
    case EncodeStatus::kWrongForm:
      return "the value has no form in the type of its column";
    case EncodeStatus::kUnreadable:
      return "the source holds a value that its column's type does not explain";
  }
  return {};
}

std::optional<ColumnEncoder> choose_encoder(const schema::LogicalType& type,
                                            const NativeType& native, bool trim_blanks) {
  if (type.kind == TypeKind::kNative) {
    // The field's bytes as they are, whatever the column is.
    NativeType bytes;
    bytes.kind = NativeKind::kBytea;
    return choose_encoder({TypeKind::kBlob}, bytes, false);
  }
  if (type.kind == TypeKind::kUnsupported || !is_sensible(type.kind, native)) return std::nullopt;
  const CellKind cell = schema::cell_kind_of(type);
  ColumnEncoder encoder;
  encoder.encode = encode_function_for(cell, native.kind);
  if (encoder.encode == nullptr) return std::nullopt;
  set_limits(encoder, native);
  encoder.fraction_digits = type.fraction_digits;
  encoder.trim_blanks = trim_blanks;
  encoder.is_jsonb = native.kind == NativeKind::kJsonb;
  encoder.is_xml = native.kind == NativeKind::kXml;
  encoder.is_text = cell == CellKind::kText;
  const bool is_float = cell == CellKind::kFloat32 || cell == CellKind::kFloat64;
  if (is_float || cell == CellKind::kText) encoder.scratch = std::make_shared<Arena>();
  return encoder;
}

schema::Likeness likeness_of(const schema::LogicalType& type, const NativeType& native,
                             bool trim_blanks) {
  const CellKind cell = schema::cell_kind_of(type);
  if (cell == CellKind::kText) return likeness_of_text(native, trim_blanks);
  if (cell == CellKind::kTimestampTz && native.kind == NativeKind::kTimestampTz) {
    return schema::Likeness::kInstant;
  }
  if (cell == CellKind::kDecimal && native.kind == NativeKind::kFloat4) {
    return schema::Likeness::kFloat32;
  }
  if (cell == CellKind::kDecimal && native.kind == NativeKind::kFloat8) {
    return schema::Likeness::kFloat64;
  }
  return schema::Likeness::kExact;
}

}  // namespace wherry::postgres::wire
