// PostgreSQL's numeric on the wire (numeric_send, PostgreSQL 15): digit count, weight, sign,
// display scale, then base-10000 digits, each 16 bits big-endian. The digits are those of
// DecimalView.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connect/postgres/wire/copy_buffer.h"
#include "core/decimal.h"

namespace wherry::postgres::wire {

/// Where the decimal digits of a value lie: it is a multiple of 10^lowest below 10^(highest + 1).
/// Both 0 for zero and what is no finite number.
struct DigitRange {
  int highest = 0;
  int lowest = 0;
};
DigitRange digit_range(const DecimalView& decimal);

/// Appends the field with its length. False when numeric cannot hold so many decimals (16383).
bool put_numeric(CopyBuffer& out, const DecimalView& decimal);
/// From the bytes of a field; nullptr when they are no numeric. Lives in `arena`.
const DecimalView* read_numeric(std::string_view field, Arena& arena);
/// Nearest double; infinite when it is too large.
double to_double(const DecimalView& decimal);

}  // namespace wherry::postgres::wire
