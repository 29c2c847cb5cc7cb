#include "transform/masking.h"

#include <openssl/rand.h>

#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>

#include "core/decimal.h"
#include "transform/functions.h"
#include "transform/sqlite_values.h"

namespace wherry::transform {
namespace {

using schema::MaskingKind;
using schema::TypeKind;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Digits that nobody can foresee.
class RandomDigits {
 public:
  char next() {
    // Above this not all digits would be as likely.
    constexpr unsigned char kEnd = 250;
    for (;;) {
      if (at_ == bytes_.size()) {
        RAND_bytes(bytes_.data(), static_cast<int>(bytes_.size()));
        at_ = 0;
      }
      const unsigned char byte = bytes_[at_++];
      if (byte < kEnd) return static_cast<char>('0' + byte % 10);
    }
  }
  char next_but_zero() {
    char digit = next();
    while (digit == '0') digit = next();
    return digit;
  }

 private:
  std::array<unsigned char, 256> bytes_{};
  std::size_t at_ = bytes_.size();
};

RandomDigits& random_digits() {
  thread_local RandomDigits digits;
  return digits;
}

void set_text(Cell& cell, std::string_view text, Arena& arena) {
  cell.payload.ptr = arena.copy(text.data(), text.size());
  cell.size_bytes = static_cast<std::uint32_t>(text.size());
}

template <class Digit>
void replace_digits(Cell& cell, const Digit& digit, Arena& arena) {
  std::byte* const copy = arena.allocate(cell.size_bytes);
  auto* out = reinterpret_cast<char*>(copy);
  for (const char c : cell.bytes()) *out++ = is_digit(c) ? digit() : c;
  cell.payload.ptr = copy;
}

/// As many digits as before: the first one is not 0 unless it was.
std::string random_number(std::string_view text) {
  std::string out;
  bool is_first = true;
  for (const char c : text) {
    const bool may_be_zero = !is_first || c == '0';
    if (is_digit(c)) {
      out += may_be_zero ? random_digits().next() : random_digits().next_but_zero();
      is_first = false;
    } else {
      out += c;
    }
  }
  return out;
}

/// The widest type that has values with so many digits as `value` sets the limit.
std::int64_t limit_of(std::int64_t value) {
  if (value >= std::numeric_limits<std::int16_t>::min() &&
      value <= std::numeric_limits<std::int16_t>::max()) {
    return std::numeric_limits<std::int16_t>::max();
  }
  if (value >= std::numeric_limits<std::int32_t>::min() &&
      value <= std::numeric_limits<std::int32_t>::max()) {
    return std::numeric_limits<std::int32_t>::max();
  }
  return std::numeric_limits<std::int64_t>::max();
}

std::int64_t random_integer(std::int64_t value) {
  const std::int64_t limit = limit_of(value);
  const std::string text = std::to_string(value);
  for (;;) {
    const std::string made = random_number(text);
    std::int64_t number = 0;
    const auto [end, status] = std::from_chars(made.data(), made.data() + made.size(), number);
    if (status == std::errc{} && number <= limit && number >= -limit) return number;
  }
}

void randomize_decimal(Cell& cell, Arena& arena) {
  const DecimalView& decimal = decimal_of(cell);
  if (decimal.sign != DecimalSign::kPositive && decimal.sign != DecimalSign::kNegative) return;
  const DecimalView* const made = parse_decimal(random_number(to_text(decimal)), arena);
  cell.payload.ptr = reinterpret_cast<const std::byte*>(made);
}

void randomize(Cell& cell, Arena& arena) {
  switch (cell.kind) {
    case CellKind::kInt64:
      cell.payload.i64 = random_integer(cell.payload.i64);
      return;
    case CellKind::kDecimal:
      return randomize_decimal(cell, arena);
    default:
      return replace_digits(
          cell, [] { return random_digits().next(); }, arena);
  }
}

}  // namespace

bool can_mask(MaskingKind kind, const schema::LogicalType& type) {
  switch (type.kind) {
    case TypeKind::kText:
    case TypeKind::kClob:
      return true;
    case TypeKind::kInt16:
    case TypeKind::kInt32:
    case TypeKind::kInt64:
    case TypeKind::kDecimal:
      return kind == MaskingKind::kRandomDigits || kind == MaskingKind::kNone;
    default:
      return kind == MaskingKind::kNone;
  }
}

void mask_cell(Cell& cell, const schema::Masking& masking, Arena& arena) {
  if (cell.state == CellState::kSpilled) {
    cell = unreadable_cell("the text is too large to be masked", arena);
    return;
  }
  if (cell.state != CellState::kSet) return;
  switch (masking.kind) {
    case MaskingKind::kNone:
      return;
    case MaskingKind::kDigits:
      return replace_digits(
          cell, [&] { return masking.character; }, arena);
    case MaskingKind::kRandomDigits:
      return randomize(cell, arena);
    case MaskingKind::kHash:
      return set_text(cell, sha256_hex(cell.bytes()), arena);
  }
}

}  // namespace wherry::transform
