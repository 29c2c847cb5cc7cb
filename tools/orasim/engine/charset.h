// The character set of the database. Texts are UTF-8 inside the simulator; the set says how many
// bytes they take in the database, which characters there are, and what a server tells of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orasim {

struct Charset {
  std::string_view name;
  std::uint16_t id = 0;
  unsigned max_bytes = 1;  ///< of a character
  /// Characters take different numbers of bytes: CLOB data travels as UTF-16.
  [[nodiscard]] bool is_variable_width() const { return max_bytes > 1; }
};

/// AL32UTF8 unless another was chosen. One for the process, as a server has one for good.
const Charset& database_charset();
/// False for an unknown name. Call before anything is stored.
bool set_database_charset(std::string_view name);
std::vector<std::string> charset_names();

/// Bytes that a text takes in the database.
std::size_t stored_bytes(std::string_view utf8);
/// The longest beginning of whole characters that takes at most so many.
std::string_view beginning_of(std::string_view utf8, std::size_t max_stored_bytes);
/// The binary order of the bytes that the texts have in the database: below, equal to, above 0.
int compare_stored(std::string_view a, std::string_view b);
/// The text with what the set does not have replaced, as the server converts what clients send.
std::string as_stored(std::string utf8);

}  // namespace orasim
