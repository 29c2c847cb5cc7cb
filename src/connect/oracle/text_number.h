// Numbers of dictionary queries, whose rows come as texts.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace wherry::oracle {

/// 0 for NULL, and for what is no number of that kind.
template <class Number = std::uint64_t>
Number number_in(const std::optional<std::string>& text) {
  Number out = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), out);
  return out;
}

}  // namespace wherry::oracle
