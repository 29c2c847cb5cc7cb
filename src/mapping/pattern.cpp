#include "mapping/pattern.h"

#include <algorithm>
#include <cstddef>

namespace wherry::mapping {
namespace {

/// Bytes of the first character of a text that is not empty.
std::size_t character_bytes(std::string_view text) {
  std::size_t n = 1;
  while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) ++n;
  return n;
}

/// One element of a pattern that stands for one character.
struct Element {
  std::size_t bytes = 0;  ///< of the pattern
  bool matches_name = false;
};

bool in_set(std::string_view set, std::string_view character) {
  while (!set.empty()) {
    const std::size_t first = character_bytes(set);
    const std::string_view low = set.substr(0, first);
    set.remove_prefix(first);
    if (set.size() > 1 && set[0] == '-') {
      const std::size_t second = character_bytes(set.substr(1));
      const std::string_view high = set.substr(1, second);
      set.remove_prefix(1 + second);
      // UTF-8 keeps the order of code points.
      if (low <= character && character <= high) return true;
    } else if (low == character) {
      return true;
    }
  }
  return false;
}

Element match_one(std::string_view pattern, std::string_view name) {
  Element element;
  const std::string_view character =
      name.empty() ? std::string_view() : name.substr(0, character_bytes(name));
  const std::size_t close = pattern[0] == '[' ? pattern.find(']', 2) : std::string_view::npos;
  if (close != std::string_view::npos) {
    element.bytes = close + 1;
    element.matches_name = !name.empty() && in_set(pattern.substr(1, close - 1), character);
    return element;
  }
  element.bytes = character_bytes(pattern);
  element.matches_name =
      !name.empty() && (pattern[0] == '_' || pattern.substr(0, element.bytes) == character);
  return element;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  // Where to go back to: behind the last %, and one character further in the name.
  std::string_view after_percent;
  std::string_view retry_name;
  bool seen_percent = false;
  for (;;) {
    if (!pattern.empty() && pattern[0] == '%') {
      pattern.remove_prefix(1);
      after_percent = pattern;
      retry_name = name;
      seen_percent = true;
      continue;
    }
    if (pattern.empty() && name.empty()) return true;
    if (!pattern.empty()) {
      const Element element = match_one(pattern, name);
      if (element.matches_name) {
        pattern.remove_prefix(element.bytes);
        name.remove_prefix(character_bytes(name));
        continue;
      }
    }
    if (!seen_percent || retry_name.empty()) return false;
    retry_name.remove_prefix(character_bytes(retry_name));
    pattern = after_percent;
    name = retry_name;
  }
}

bool has_wildcard(std::string_view pattern) {
  return pattern.find_first_of("%_") != std::string_view::npos ||
         (pattern.find('[') != std::string_view::npos &&
          pattern.find(']') != std::string_view::npos);
}

bool has_percent(std::string_view pattern) {
  while (!pattern.empty()) {
    if (pattern[0] == '%') return true;
    const std::size_t close = pattern[0] == '[' ? pattern.find(']', 2) : std::string_view::npos;
    pattern.remove_prefix(close == std::string_view::npos ? 1 : close + 1);
  }
  return false;
}

std::string unescaped(std::string_view pattern) {
  std::string out;
  while (!pattern.empty()) {
    const std::size_t close = pattern[0] == '[' ? pattern.find(']', 2) : std::string_view::npos;
    const std::size_t inside = pattern.size() > 1 ? character_bytes(pattern.substr(1)) : 0;
    const bool is_escape = close != std::string_view::npos && close == 1 + inside;
    const std::size_t bytes = is_escape ? close + 1 : character_bytes(pattern);
    out += is_escape ? pattern.substr(1, inside) : pattern.substr(0, bytes);
    pattern.remove_prefix(bytes);
  }
  return out;
}

Pattern::Pattern(std::string text) : text_(std::move(text)) {
  const std::size_t first = text_.find_first_of("%_[");
  if (first == std::string::npos) {
    prefix_bytes_ = text_.size();
    return;
  }
  const std::size_t last = text_.find_last_of("%_[]");
  prefix_bytes_ = first;
  suffix_bytes_ = text_.size() - last - 1;
  is_any_ = first == last && text_[first] == '%';
}

}  // namespace wherry::mapping
