// Text that is looked at eight bytes at once: names, words and most values are short, so that a
// call of memchr or a loop over letters would take longer.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "connect/oracle/logminer/letters.h"

namespace wherry::oracle {

/// The high bit of each of eight bytes that is the wanted one.
[[gnu::always_inline]] inline std::uint64_t equal_bytes(const char* text, char wanted) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kLowBits = 0x7f * kOnes;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, text, sizeof bytes);
  bytes ^= kOnes * static_cast<unsigned char>(wanted);
  return ~(((bytes & kLowBits) + kLowBits) | bytes | kLowBits);
}

/// As text.find().
[[gnu::always_inline]] inline std::size_t find_byte(std::string_view text, char wanted,
                                                    std::size_t at) {
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  if (std::endian::native == std::endian::little && text.size() >= kStep) {
    const std::size_t last = text.size() - kStep;
    for (; at <= last; at += kStep) {
      if (const std::uint64_t hits = equal_bytes(text.data() + at, wanted)) {
        return at + static_cast<std::size_t>(std::countr_zero(hits)) / 8;
      }
    }
    if (at >= text.size()) return std::string_view::npos;
    const std::uint64_t hits = equal_bytes(text.data() + last, wanted) >> 8 * (at - last);
    return hits == 0 ? std::string_view::npos
                     : at + static_cast<std::size_t>(std::countr_zero(hits)) / 8;
  }
  return text.find(wanted, at);
}

/// A word of up to eight capitals, also as one number, and what masks eight bytes of text to
/// compare it with: only a letter loses its case by that. Made by the compiler: at run time its
/// bytes would be waited for.
struct PackedWord {
  // NOLINTNEXTLINE(google-explicit-constructor): a literal stands for its word
  consteval PackedWord(std::string_view word_in_capitals) : capitals(word_in_capitals) {
    constexpr char kCase = 'a' - 'A';
    std::array<char, sizeof(std::uint64_t)> letters{}, masks{};
    for (std::size_t i = 0; i < capitals.size(); ++i) {
      letters[i] = capitals[i];
      masks[i] = static_cast<char>(is_letter(capitals[i]) ? ~kCase : ~0);
    }
    word = std::bit_cast<std::uint64_t>(letters);
    mask = std::bit_cast<std::uint64_t>(masks);
  }
  // NOLINTNEXTLINE(google-explicit-constructor): likewise
  consteval PackedWord(const char* word_in_capitals)
      : PackedWord(std::string_view(word_in_capitals)) {}

  std::string_view capitals;
  std::uint64_t word = 0, mask = 0;
};

}  // namespace wherry::oracle
