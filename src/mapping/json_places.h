// Where the values of a JSON document stand in its text, for messages that name line and column.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::mapping {

/// Both from 1; columns are characters.
struct TextPlace {
  std::size_t line = 1, column = 1;
};
/// `byte` counts from 0; beyond the text: its end.
TextPlace place_of(std::string_view text, std::size_t byte);

class JsonPlaces {
 public:
  /// Of a text that is no JSON, or only at its beginning, the places as far as it is.
  explicit JsonPlaces(std::string_view text);

  /// Of the key, or the array's element, that `path` names: "/rules/2/rule-action", without the
  /// escapes of JSON pointers. What is not there has the place of what would hold it.
  [[nodiscard]] TextPlace find(std::string_view path) const;
  /// Paths of keys that their object has more than once, of which a reader takes the last.
  [[nodiscard]] const std::vector<std::string>& repeated() const { return repeated_; }

 private:
  std::map<std::string, TextPlace, std::less<>> places_;
  std::vector<std::string> repeated_;
};

}  // namespace wherry::mapping
