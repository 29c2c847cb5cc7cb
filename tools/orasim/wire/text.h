// UTF-8 inside the simulator, UTF-16 big-endian on the wire for national text and LOB content.
// Ill-formed input becomes U+FFFD; nothing throws.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/bytes.h"

namespace orasim::wire {

/// Number of UTF-16 code units the text takes.
std::size_t utf16_units(std::string_view utf8);
/// Writes UTF-16BE; `to` must have room for 2 * utf16_units(utf8) bytes. Returns the end.
std::uint8_t* utf8_to_utf16be(std::string_view utf8, std::uint8_t* to);
std::string utf8_to_utf16be(std::string_view utf8);
/// `units`: utf16_units(utf8), where the caller knows it.
void utf8_to_utf16be(std::string_view utf8, std::size_t units, std::uint8_t* to);
std::string utf8_to_utf16be(std::string_view utf8, std::size_t units);
/// An odd last byte is dropped.
std::string utf16be_to_utf8(std::string_view utf16);

/// A position in UTF-8 text counted in UTF-16 units, for LOB offsets. An offset into the middle of
/// a surrogate pair stands on its second half.
class Utf16Cursor {
 public:
  explicit Utf16Cursor(std::string_view utf8) : text_(utf8) {}
  /// Appends up to `units` code units from here to `out` (nullptr: only moves); returns how many.
  std::size_t read(std::size_t units, std::string* out);

  /// Where the cursor stands: bytes passed, and whether a low surrogate is still due.
  struct Mark {
    std::size_t units = 0;
    std::size_t bytes = 0;
    std::uint16_t pending = 0;
  };
  [[nodiscard]] Mark mark() const { return mark_; }
  void resume(Mark mark) { mark_ = mark; }

 private:
  std::string_view text_;
  Mark mark_;
};

}  // namespace orasim::wire
