// Wildcards of object locators: % any run, _ one character, [ab] [a-d] one of a set, [_] [%] the
// character itself. An unclosed [ stands for itself. Matching is case-sensitive and by character,
// not byte. Source: AWS DMS, "Wildcards in table mapping".
#pragma once

#include <string>
#include <string_view>

namespace wherry::mapping {

/// `pattern` and `name` are UTF-8.
bool matches(std::string_view pattern, std::string_view name);
/// True when the pattern could match anything but itself.
bool has_wildcard(std::string_view pattern);
/// Whether it has a % that stands for any run.
bool has_percent(std::string_view pattern);
/// The one name that a pattern stands for when nothing in it but [x] is a wildcard: [x] is x.
std::string unescaped(std::string_view pattern);

/// A pattern that many names are held against: most are told apart by how it begins or ends.
class Pattern {
 public:
  Pattern() = default;
  explicit Pattern(std::string text);
  [[nodiscard]] bool matches(std::string_view name) const {
    if (name.size() < prefix_bytes_ + suffix_bytes_) return false;
    const std::string_view text = text_;
    if (!name.ends_with(text.substr(text.size() - suffix_bytes_))) return false;
    if (!name.starts_with(text.substr(0, prefix_bytes_))) return false;
    return is_any_ || mapping::matches(text, name);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::size_t prefix_bytes_ = 0;  ///< of what stands before the first wildcard
  std::size_t suffix_bytes_ = 0;  ///< of what stands behind the last one
  bool is_any_ = false;           ///< "%" alone between both
};

}  // namespace wherry::mapping
