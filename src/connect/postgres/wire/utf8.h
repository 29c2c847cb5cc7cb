// UTF-8 as PostgreSQL demands it: shortest forms, no surrogates, at most U+10FFFF, no U+0000.
// Source: RFC 3629, table in section 4; PostgreSQL's pg_utf8_islegal takes the same set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wherry::postgres::wire {

struct Utf8Copy {
  std::size_t copied = 0;   ///< bytes written, always whole characters
  std::uint32_t zeros = 0;  ///< U+0000 replaced by a space
  bool is_valid = true;     ///< false: the byte at `copied` begins no character
  /// The text ends inside a character that may be valid; only when `may_continue` was true.
  bool is_cut = false;
};

/// Copies `text` to `to` (room for text.size() bytes), checking it and replacing U+0000 by a space.
Utf8Copy copy_utf8(std::string_view text, char* to, bool may_continue = false);
/// Characters of a valid text.
std::size_t count_characters(std::string_view text);

}  // namespace wherry::postgres::wire
