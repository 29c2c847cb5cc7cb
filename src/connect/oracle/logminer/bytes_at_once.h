// Text that is looked at eight or sixteen bytes at once: names, words and most values are short, so
// that a call of memchr or a loop over letters would take longer.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "connect/oracle/logminer/letters.h"

namespace wherry::oracle {

#if defined(__SSE2__)
/// A bit for each of sixteen bytes that is the wanted one, the first byte's lowest.
struct BytesAtOnce {
  static constexpr std::size_t kBytes = sizeof(__m128i), kBitsOfByte = 1;
  [[gnu::always_inline]] static std::uint32_t equal(const char* text, char wanted) {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
    return static_cast<std::uint32_t>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted))));
  }
};
#else
/// The high bit of each of eight bytes that is the wanted one, the first byte's lowest.
struct BytesAtOnce {
  static_assert(std::endian::native == std::endian::little);
  static constexpr std::size_t kBytes = sizeof(std::uint64_t), kBitsOfByte = 8;
  [[gnu::always_inline]] static std::uint64_t equal(const char* text, char wanted) {
    constexpr std::uint64_t kOnes = 0x0101010101010101, kLowBits = 0x7f * kOnes;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text, sizeof bytes);
    bytes ^= kOnes * static_cast<unsigned char>(wanted);
    return ~(((bytes & kLowBits) + kLowBits) | bytes | kLowBits);
  }
};
#endif

/// As text.find().
[[gnu::always_inline]] inline std::size_t find_byte(std::string_view text, char wanted,
                                                    std::size_t at) {
  constexpr std::size_t kStep = BytesAtOnce::kBytes, kBits = BytesAtOnce::kBitsOfByte;
  if (text.size() < kStep) return text.find(wanted, at);
  const std::size_t last = text.size() - kStep;
  for (; at <= last; at += kStep) {
    if (const auto hits = BytesAtOnce::equal(text.data() + at, wanted)) {
      return at + static_cast<std::size_t>(std::countr_zero(hits)) / kBits;
    }
  }
  if (at >= text.size()) return std::string_view::npos;
  const auto hits = BytesAtOnce::equal(text.data() + last, wanted) >> kBits * (at - last);
  return hits == 0 ? std::string_view::npos
                   : at + static_cast<std::size_t>(std::countr_zero(hits)) / kBits;
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
