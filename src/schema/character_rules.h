// Characters of text columns that are replaced or left out on their way to the target (AWS DMS User
// Guide, "Character substitution task settings"). First each replacement, then what the named
// character set does not have. Pure and immutable; any number of threads may ask.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace wherry::schema {

/// Of two with one source the later counts. A target of 0 removes the character.
struct CharacterReplacement {
  char32_t source = 0;
  char32_t target = 0;
};

/// What is not in the set, bytes that are no UTF-8 included, becomes `replacement`; 0 removes it.
struct CharacterSetRule {
  std::string name;  ///< as DMS writes it, after ICU: "ISO-8859-1", "ibm-1252_P100-2000"
  char32_t replacement = 0;
};

class CharacterRules {
 public:
  /// kConfig "settings.character_set" when nobody here knows the set, or when it does not have its
  /// own replacement. REQUIRES: is_code_point() of every number.
  static Result<std::shared_ptr<const CharacterRules>> make(
      const std::vector<CharacterReplacement>& replacements,
      const std::optional<CharacterSetRule>& set);
  /// A character: no surrogate, at most U+10FFFF.
  static bool is_code_point(std::uint32_t number);

  /// True when `text` is not as it was; `out` is what it becomes.
  bool apply(std::string_view text, std::string& out) const;

 private:
  CharacterRules();
  [[nodiscard]] std::size_t unchanged_bytes(std::string_view text) const;

  std::vector<char32_t> results_;  ///< of every character
  char32_t malformed_;             ///< of bytes that are none
};

}  // namespace wherry::schema
