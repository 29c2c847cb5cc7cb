#include "connect/postgres/wire/utf8.h"

#include <cstring>

namespace wherry::postgres::wire {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;
constexpr std::uint64_t kLowBits = 0x0101010101010101U;

/// True when all eight bytes are U+0001…U+007F.
bool is_plain_ascii(std::uint64_t eight) {
  return ((eight | (eight - kLowBits)) & kHighBits) == 0;
}

/// Length of the character that begins with `lead`, 0 when none does.
std::size_t length_of(unsigned char lead) {
  if (lead < 0xC2) return lead < 0x80 ? 1 : 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

/// Whether `second` may follow `lead`: rules out long forms, surrogates and what is past U+10FFFF.
bool is_second(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return second >= 0x80 && second <= 0xBF;
  }
}

/// Bytes of `text` that are right as the beginning of one character of `length` bytes.
std::size_t right_bytes(const unsigned char* text, std::size_t available, std::size_t length) {
  const std::size_t n = available < length ? available : length;
  for (std::size_t i = 1; i < n; ++i) {
    const bool is_right = i == 1 ? is_second(text[0], text[1]) : (text[i] & 0xC0) == 0x80;
    if (!is_right) return i;
  }
  return n;
}

}  // namespace

Utf8Copy copy_utf8(std::string_view text, char* to, bool may_continue) {
  Utf8Copy result;
  const auto* from = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  std::size_t i = 0;
  while (i < size) {
    while (size - i >= 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, from + i, 8);
      if (!is_plain_ascii(eight)) break;
      std::memcpy(to + i, &eight, 8);
      i += 8;
    }
    if (i == size) break;
    const unsigned char lead = from[i];
    if (lead < 0x80) {
      result.zeros += lead == 0 ? 1 : 0;
      to[i++] = static_cast<char>(lead == 0 ? ' ' : lead);
      continue;
    }
    const std::size_t length = length_of(lead);
    const std::size_t right = length == 0 ? 0 : right_bytes(from + i, size - i, length);
    if (length == 0 || right != length) {
      result.is_cut = may_continue && length != 0 && right == size - i;
      result.is_valid = result.is_cut;
      break;
    }
    std::memcpy(to + i, from + i, length);
    i += length;
  }
  result.copied = i;
  return result;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

}  // namespace wherry::postgres::wire
