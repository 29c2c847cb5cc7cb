#include "connect/oracle/wire/utf16.h"

#include <algorithm>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace wherry::oracle::wire {
namespace {

constexpr bool is_high(std::uint32_t unit) {
  return (unit & 0xFC00) == 0xD800;
}
constexpr bool is_low(std::uint32_t unit) {
  return (unit & 0xFC00) == 0xDC00;
}
constexpr std::uint32_t joined(std::uint32_t high, std::uint32_t low) {
  return 0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF);
}

inline char* put_utf8(std::uint32_t code, char* out) {
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xC0 | code >> 6);
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xE0 | code >> 12);
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out++ = static_cast<char>(0xF0 | code >> 18);
    *out++ = static_cast<char>(0x80 | (code >> 12 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  }
  return out;
}

void append_utf8(std::uint32_t code, std::string& out) {
  char bytes[4];
  out.append(bytes, put_utf8(code, bytes));
}

std::uint32_t unit_at(const std::uint8_t* at, ByteOrder order = ByteOrder::kBig) {
  return order == ByteOrder::kBig ? std::uint32_t{at[0]} << 8 | at[1]
                                  : std::uint32_t{at[1]} << 8 | at[0];
}

/// Converts units from `at` on as long as sixteen at a time are ASCII, and returns how many. Most
/// text is, and large values are mostly text.
std::size_t convert_ascii(const std::uint8_t* at, std::size_t units, ByteOrder order, char* out) {
  std::size_t done = 0;
#ifdef __SSE2__
  // A lane holds its first byte low.
  const bool is_big = order == ByteOrder::kBig;
  const __m128i not_ascii = _mm_set1_epi16(static_cast<short>(is_big ? 0x80FF : 0xFF80));
  for (; done + 16 <= units; done += 16) {
    const auto* from = reinterpret_cast<const __m128i*>(at + 2 * done);
    __m128i first = _mm_loadu_si128(from);
    __m128i second = _mm_loadu_si128(from + 1);
    const __m128i odd = _mm_and_si128(_mm_or_si128(first, second), not_ascii);
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(odd, _mm_setzero_si128())) != 0xFFFF) break;
    if (is_big) {
      first = _mm_srli_epi16(first, 8);
      second = _mm_srli_epi16(second, 8);
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + done), _mm_packus_epi16(first, second));
  }
#else
  for (; done < units && unit_at(at + 2 * done, order) < 0x80; ++done) {
    out[done] = static_cast<char>(unit_at(at + 2 * done, order));
  }
#endif
  return done;
}

/// A three-byte sequence, or 0.
std::uint32_t three_bytes(ByteView bytes, std::size_t at) {
  if (at + 3 > bytes.size() || (bytes[at] & 0xF0) != 0xE0) return 0;
  return (bytes[at] & 0x0FU) << 12 | (bytes[at + 1] & 0x3FU) << 6 | (bytes[at + 2] & 0x3FU);
}

}  // namespace

ValueStatus utf16_to_utf8(ByteView utf16, char* out, std::size_t& out_size) {
  char* const start = out;
  out_size = 0;
  if (utf16.size() % 2 != 0) return ValueStatus::kBadUtf16;
  const std::uint8_t* at = utf16.data();
  const std::uint8_t* const end = at + utf16.size();
  while (at < end) {
    const std::size_t plain =
        convert_ascii(at, static_cast<std::size_t>(end - at) / 2, ByteOrder::kBig, out);
    at += 2 * plain;
    out += plain;
    if (at == end) break;
    std::uint32_t code = unit_at(at);
    at += 2;
    if ((code & 0xF800) == 0xD800) {
      if (!is_high(code) || at == end || !is_low(unit_at(at))) return ValueStatus::kBadUtf16;
      code = joined(code, unit_at(at));
      at += 2;
    }
    out = put_utf8(code, out);
  }
  out_size = static_cast<std::size_t>(out - start);
  return ValueStatus::kOk;
}

ValueStatus Utf16Stream::put(std::uint16_t unit, std::string& out) {
  if (high_ != 0) {
    if (!is_low(unit)) return ValueStatus::kBadUtf16;
    append_utf8(joined(high_, unit), out);
    high_ = 0;
    return ValueStatus::kOk;
  }
  if (is_low(unit)) return ValueStatus::kBadUtf16;
  if (is_high(unit)) {
    high_ = unit;
  } else {
    append_utf8(unit, out);
  }
  return ValueStatus::kOk;
}

ValueStatus Utf16Stream::feed(ByteView piece, std::string& out) {
  if (has_byte_ && !piece.empty()) {
    const std::uint8_t unit[] = {byte_, piece[0]};
    has_byte_ = false;
    piece = piece.subspan(1);
    const ValueStatus status = put(static_cast<std::uint16_t>(unit_at(unit, order_)), out);
    if (status != ValueStatus::kOk) return status;
  }
  std::size_t units = piece.size() / 2;
  const std::uint8_t* at = piece.data();
  while (units != 0) {
    char block[256];
    const std::size_t plain = convert_ascii(at, std::min(units, sizeof block), order_, block);
    if (plain != 0 && high_ != 0) return ValueStatus::kBadUtf16;
    out.append(block, plain);
    at += 2 * plain;
    units -= plain;
    // What is not plain comes in runs: a block would be tried in vain for each of its units.
    const std::size_t others = plain == sizeof block ? 0 : std::min<std::size_t>(units, 16);
    for (std::size_t i = 0; i < others; ++i, at += 2) {
      const ValueStatus status = put(static_cast<std::uint16_t>(unit_at(at, order_)), out);
      if (status != ValueStatus::kOk) return status;
    }
    units -= others;
  }
  if (piece.size() % 2 != 0) {
    byte_ = piece.back();
    has_byte_ = true;
  }
  return ValueStatus::kOk;
}

ValueStatus Utf16Stream::finish() const {
  return has_byte_ || high_ != 0 ? ValueStatus::kBadUtf16 : ValueStatus::kOk;
}

std::string utf8_to_utf16(std::string_view utf8) {
  std::string out;
  const auto put_unit = [&](std::uint32_t unit) {
    out.push_back(static_cast<char>(unit >> 8));
    out.push_back(static_cast<char>(unit));
  };
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<std::uint8_t>(utf8[i++]);
    const int more = lead < 0xC0 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    std::uint32_t code = more == 0 ? lead : lead & (0x3FU >> more);
    for (int k = 0; k < more && i < utf8.size(); ++k) {
      code = code << 6 | (static_cast<std::uint8_t>(utf8[i++]) & 0x3FU);
    }
    if (code >= 0x10000) {
      put_unit(0xD800 + ((code - 0x10000) >> 10));
      put_unit(0xDC00 + ((code - 0x10000) & 0x3FF));
    } else {
      put_unit(code);
    }
  }
  return out;
}

std::uint64_t utf16_units(std::string_view utf8) {
  std::uint64_t units = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xC0) != 0x80 ? 1U : 0U;
    units += byte >= 0xF0 ? 1U : 0U;  // a surrogate pair
  }
  return units;
}

ValueStatus cesu8_to_utf8(ByteView cesu8, char* out, std::size_t& out_size) {
  char* const start = out;
  out_size = 0;
  for (std::size_t i = 0; i < cesu8.size();) {
    const std::uint32_t high = three_bytes(cesu8, i);
    if ((high & 0xF800) != 0xD800) {
      *out++ = static_cast<char>(cesu8[i++]);
      continue;
    }
    const std::uint32_t low = three_bytes(cesu8, i + 3);
    if (!is_high(high) || !is_low(low)) return ValueStatus::kBadUtf16;
    out = put_utf8(joined(high, low), out);
    i += 6;
  }
  out_size = static_cast<std::size_t>(out - start);
  return ValueStatus::kOk;
}

}  // namespace wherry::oracle::wire
