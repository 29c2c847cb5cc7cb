// The parts of choose_encoder(), one a family of values. Each gives a function for the native kind,
// or nullptr.
#pragma once

#include "connect/postgres/wire/encoder.h"

namespace wherry::postgres::wire {

EncodeFunction encode_bool_as(NativeKind native);
EncodeFunction encode_int_as(NativeKind native);
EncodeFunction encode_decimal_as(NativeKind native);
EncodeFunction encode_float32_as(NativeKind native);
EncodeFunction encode_float64_as(NativeKind native);
EncodeFunction encode_text_as(NativeKind native);
/// Text that is a number, a truth value, a time or an interval.
EncodeFunction encode_number_text_as(NativeKind native);
EncodeFunction encode_time_text_as(NativeKind native);
EncodeFunction encode_bytes_as(NativeKind native);
EncodeFunction encode_timestamp_as(NativeKind native);
EncodeFunction encode_timestamp_tz_as(NativeKind native);
EncodeFunction encode_interval_ym_as(NativeKind native);
EncodeFunction encode_interval_ds_as(NativeKind native);

inline std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// A field of ASCII text that has no more characters than the column takes.
inline EncodeStatus put_ascii(const ColumnEncoder& self, std::string_view text, CopyBuffer& out) {
  if (self.max_chars != 0 && text.size() > self.max_chars) return EncodeStatus::kTooLong;
  out.put_field(text);
  return EncodeStatus::kOk;
}

}  // namespace wherry::postgres::wire
