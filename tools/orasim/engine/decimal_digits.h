// Unpacked working form of a NUMBER: base-100 digits, most significant first. Private to number.cpp
// and number_text.cpp.
#pragma once

#include <array>
#include <cstdint>

#include "engine/number.h"

namespace orasim::decimal {

inline constexpr int kMaxDigits = 20;     ///< base-100 digits a NUMBER keeps
inline constexpr int kMaxExponent = 62;   ///< value < 100^63
inline constexpr int kMinExponent = -65;  ///< 1E-130
inline constexpr int kWork = 48;          ///< room for a full product or an aligned sum

/// value = ± d[0].d[1]d[2]… × 100^exponent; count == 0 is zero.
struct Digits {
  bool negative = false;
  int exponent = 0;
  int count = 0;
  std::array<std::uint8_t, kWork> d{};
};

/// Strips zeros at both ends and rounds half up to kMaxDigits. False when the value overflows; an
/// underflow becomes zero.
bool normalize(Digits& v);

/// REQUIRES: `v` is normalised.
Number pack(const Digits& v);

}  // namespace orasim::decimal
