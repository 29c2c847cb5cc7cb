// Oracle NUMBER <-> decimals and integers, never through floating point.
// Facts: reference oracle-wire-types, 6.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/value_status.h"
#include "core/arena.h"
#include "core/decimal.h"

namespace wherry::oracle::wire {

inline constexpr std::size_t kMaxNumberBytes = 22;

/// The image without its length byte. `out` lives in `arena`; infinities keep their sign.
ValueStatus decode_number(ByteView image, Arena& arena, const DecimalView*& out);
ValueStatus decode_integer(ByteView image, std::int64_t& out);
/// From decimal text with optional exponent; nullopt when it is no number or out of NUMBER's range
/// (40 digits, 1e-130 to 1e126).
std::optional<std::string> encode_number(std::string_view text);

}  // namespace wherry::oracle::wire
