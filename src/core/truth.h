// Words for true and false, as PostgreSQL's boolean takes them (whole words only).
#pragma once

#include <array>
#include <cctype>
#include <optional>
#include <string_view>

namespace wherry {

/// true, t, yes, y, on, 1 and false, f, no, n, off, 0 in any case, blanks around them ignored.
inline std::optional<bool> parse_truth(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(' ') - first + 1);
  char word[5];
  if (text.size() > sizeof word) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    word[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
  }
  constexpr std::array<std::string_view, 6> kTrue = {"true", "t", "yes", "y", "on", "1"};
  constexpr std::array<std::string_view, 6> kFalse = {"false", "f", "no", "n", "off", "0"};
  const std::string_view lower(word, text.size());
  for (const std::string_view candidate : kTrue) {
    if (lower == candidate) return true;
  }
  for (const std::string_view candidate : kFalse) {
    if (lower == candidate) return false;
  }
  return std::nullopt;
}

}  // namespace wherry
