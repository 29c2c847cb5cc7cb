// The parts of choose_decoder(), one a family of values. Each gives a function for the native kind,
// or nullptr.
#pragma once

#include "connect/postgres/wire/decoder.h"

namespace wherry::postgres::wire {

DecodeFunction decode_bool_from(NativeKind native);
DecodeFunction decode_int_from(NativeKind native);
DecodeFunction decode_decimal_from(NativeKind native);
DecodeFunction decode_float32_from(NativeKind native);
DecodeFunction decode_float64_from(NativeKind native);
DecodeFunction decode_text_from(NativeKind native);
DecodeFunction decode_bytes_from(NativeKind native);
DecodeFunction decode_timestamp_from(NativeKind native);
DecodeFunction decode_timestamp_tz_from(NativeKind native);
DecodeFunction decode_interval_ym_from(NativeKind native);
DecodeFunction decode_interval_ds_from(NativeKind native);

inline std::string_view without_padding(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace wherry::postgres::wire
