// Exact decimals as they lie in a batch: sign, weight, base-10000 digits, most significant first.
// value = ± Σ digit[i] × 10000^(weight - i). Leading and trailing zero digits are not stored; zero
// has digit_count 0. PostgreSQL's numeric has the same shape, and Oracle's base-100 digits pair up
// into it without arithmetic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/cell.h"

namespace wherry {

enum class DecimalSign : std::uint8_t { kPositive, kNegative, kNan, kInfinity, kMinusInfinity };

/// Header of a decimal in an arena; `digit_count` uint16 digits follow it directly.
struct DecimalView {
  std::int16_t weight = 0;
  std::uint16_t digit_count = 0;
  std::uint16_t scale = 0;  ///< decimal digits after the point that the value needs
  DecimalSign sign = DecimalSign::kPositive;
  std::uint8_t unused = 0;

  [[nodiscard]] const std::uint16_t* digits() const {
    return reinterpret_cast<const std::uint16_t*>(this + 1);
  }
  [[nodiscard]] std::uint16_t* digits() { return reinterpret_cast<std::uint16_t*>(this + 1); }
};
static_assert(sizeof(DecimalView) == 8);

/// REQUIRES: cell is a kDecimal that is set.
inline const DecimalView& decimal_of(const Cell& cell) {
  return *reinterpret_cast<const DecimalView*>(cell.payload.ptr);
}
/// Plain decimal text without exponent: "-12.5", "0", "NaN", "Infinity".
std::string to_text(const DecimalView& decimal);
/// From decimal text with optional exponent; nullptr when it is not a number. Lives in `arena`.
const DecimalView* parse_decimal(std::string_view text, Arena& arena);
const DecimalView* decimal_from_int(std::int64_t value, Arena& arena);
/// Exact integer, or nullopt when there is a fraction or it does not fit.
std::optional<std::int64_t> to_int64(const DecimalView& decimal);
/// <0, 0, >0; NaN sorts above +infinity, as PostgreSQL orders it.
int compare(const DecimalView& a, const DecimalView& b);

}  // namespace wherry
