// National character data to UTF-8, whole or in pieces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/value_status.h"

namespace wherry::oracle::wire {

/// Room that `size` bytes of UTF-16 can need as UTF-8.
constexpr std::size_t max_utf8_bytes(std::size_t size) {
  return size / 2 * 3;
}

/// Big-endian UTF-16; writes to `out`, which has max_utf8_bytes() of room, and sets `out_size`.
ValueStatus utf16_to_utf8(ByteView utf16, char* out, std::size_t& out_size);

enum class ByteOrder : std::uint8_t { kBig, kLittle };

/// Converts a stream of pieces that may be cut anywhere.
class Utf16Stream {
 public:
  explicit Utf16Stream(ByteOrder order = ByteOrder::kBig) : order_(order) {}
  /// Appends to `out`. kBadUtf16 for a lone surrogate.
  ValueStatus feed(ByteView piece, std::string& out);
  /// kBadUtf16 when the stream ends inside a character.
  [[nodiscard]] ValueStatus finish() const;

 private:
  ValueStatus put(std::uint16_t unit, std::string& out);
  ByteOrder order_;
  bool has_byte_ = false;
  std::uint8_t byte_ = 0;
  std::uint16_t high_ = 0;  ///< surrogate that waits for its other half; 0: none
};

std::string utf8_to_utf16(std::string_view utf8);
/// UTF-16 code units of a text: what servers count characters of LOBs in.
std::uint64_t utf16_units(std::string_view utf8);

/// Oracle's character set UTF8 encodes supplementary characters as two surrogates of three bytes
/// each; makes real UTF-8 of them.
ValueStatus cesu8_to_utf8(ByteView cesu8, char* out, std::size_t& out_size);

}  // namespace wherry::oracle::wire
