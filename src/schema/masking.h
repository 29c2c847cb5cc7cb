// How a masking rule hides the values of a column. What it does to them: transform/masking.h.
#pragma once

#include <cstdint>

namespace wherry::schema {

enum class MaskingKind : std::uint8_t {
  kNone,
  kDigits,        ///< data-masking-digits-mask: every digit becomes `character`
  kRandomDigits,  ///< data-masking-digits-randomize
  kHash,          ///< data-masking-hash-mask: SHA-256, 64 hexadecimal digits
};
struct Masking {
  MaskingKind kind = MaskingKind::kNone;
  char character = '\0';
  friend bool operator==(const Masking&, const Masking&) = default;
};

}  // namespace wherry::schema
