#include "connect/postgres/wire/decoder.h"

#include "connect/postgres/wire/decoder_parts.h"

namespace wherry::postgres::wire {
namespace {

DecodeFunction decode_function_for(CellKind cell, NativeKind native) {
  switch (cell) {
    case CellKind::kBool:
      return decode_bool_from(native);
    case CellKind::kInt64:
      return decode_int_from(native);
    case CellKind::kFloat32:
      return decode_float32_from(native);
    case CellKind::kFloat64:
      return decode_float64_from(native);
    case CellKind::kDecimal:
      return decode_decimal_from(native);
    case CellKind::kText:
      return decode_text_from(native);
    case CellKind::kBytes:
      return decode_bytes_from(native);
    case CellKind::kTimestamp:
      return decode_timestamp_from(native);
    case CellKind::kTimestampTz:
      return decode_timestamp_tz_from(native);
    case CellKind::kIntervalYm:
      return decode_interval_ym_from(native);
    case CellKind::kIntervalDs:
      return decode_interval_ds_from(native);
  }
  return nullptr;
}

}  // namespace

std::optional<ColumnDecoder> choose_decoder(const schema::LogicalType& type,
                                            const NativeType& native, bool trim_blanks) {
  if (type.kind == schema::TypeKind::kUnsupported) return std::nullopt;
  if (type.kind == schema::TypeKind::kNative) {
    // The field's bytes as they are, whatever the column is.
    NativeType bytes;
    bytes.kind = NativeKind::kBytea;
    return choose_decoder({schema::TypeKind::kBlob}, bytes, false);
  }
  ColumnDecoder decoder;
  decoder.kind = schema::cell_kind_of(type);
  decoder.decode = decode_function_for(decoder.kind, native.kind);
  if (decoder.decode == nullptr && decoder.kind == CellKind::kText) {
    decoder.as_text = true;
    decoder.decode = decode_text_from(NativeKind::kText);
  }
  if (decoder.decode == nullptr) return std::nullopt;
  decoder.trim_blanks = trim_blanks;
  // What is stored in another form than it is wanted is small, and is decoded whole.
  const bool is_kept_text = is_text(native.kind) || is_checked_text(native.kind) ||
                            native.kind == NativeKind::kJsonb || decoder.as_text;
  decoder.may_spill = (decoder.kind == CellKind::kText && is_kept_text) ||
                      (decoder.kind == CellKind::kBytes && native.kind == NativeKind::kBytea);
  decoder.skip_bytes = native.kind == NativeKind::kJsonb ? 1 : 0;
  return decoder;
}

}  // namespace wherry::postgres::wire
