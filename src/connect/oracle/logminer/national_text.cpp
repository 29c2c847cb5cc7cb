#include "connect/oracle/logminer/national_text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "connect/oracle/logminer/letters.h"

namespace wherry::oracle {
namespace {

/// -1: no four digits.
std::int32_t code_unit(std::string_view digits) {
  if (digits.size() < 4) return -1;
  std::int32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(digits[static_cast<std::size_t>(i)]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

char* put(std::uint32_t c, char* out) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    *out++ = static_cast<char>(c);
  } else if (c < 0x800) {
    *out++ = static_cast<char>(0xC0 | (c >> 6));
    *out++ = tail(0);
  } else if (c < 0x10000) {
    *out++ = static_cast<char>(0xE0 | (c >> 12));
    *out++ = tail(6);
    *out++ = tail(0);
  } else {
    *out++ = static_cast<char>(0xF0 | (c >> 18));
    *out++ = tail(12);
    *out++ = tail(6);
    *out++ = tail(0);
  }
  return out;
}

/// The code unit of a surrogate in three bytes of UTF-8's form; 0: none is there.
std::uint32_t surrogate_at(const char* text, std::size_t left) {
  if (left < 3 || static_cast<unsigned char>(text[0]) != 0xED) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  if (second < 0xA0) return 0;
  return 0xD000U | ((second & 0x3FU) << 6) | (static_cast<unsigned char>(text[2]) & 0x3FU);
}

}  // namespace

bool decode_unistr(std::string_view text, char* out, std::size_t& size, bool& has_surrogates) {
  char* const begin = out;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    std::memcpy(out, text.data(), plain);
    out += plain;
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (text.size() > 1 && text[1] == '\\') {
      *out++ = '\\';
      text.remove_prefix(2);
      continue;
    }
    const std::int32_t unit = code_unit(text.substr(1));
    if (unit < 0) return false;
    has_surrogates = has_surrogates || (unit & 0xF800) == 0xD800;
    out = put(static_cast<std::uint32_t>(unit), out);
    text.remove_prefix(5);
  }
  size = static_cast<std::size_t>(out - begin);
  return true;
}

bool join_surrogates(char* text, std::size_t& size) {
  char* out = text;
  std::size_t at = 0;
  while (at < size) {
    const std::uint32_t high = surrogate_at(text + at, size - at);
    if (high == 0) {
      *out++ = text[at++];
      continue;
    }
    const std::uint32_t low = surrogate_at(text + at + 3, size - at > 3 ? size - at - 3 : 0);
    if (high >= 0xDC00 || low < 0xDC00) return false;
    at += 6;
    out = put(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), out);
  }
  size = static_cast<std::size_t>(out - text);
  return true;
}

}  // namespace wherry::oracle
