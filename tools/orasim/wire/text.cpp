#include "wire/text.h"

#include <algorithm>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace orasim::wire {

namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

// Decodes the code point at `at` and moves past it.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(at++);
  if (lead < 0x80) return lead;
  const std::size_t more = lead >= 0xF0 && lead < 0xF5   ? 3
                           : lead >= 0xE0 && lead < 0xF0 ? 2
                           : lead >= 0xC2 && lead < 0xE0 ? 1
                                                         : 0;
  if (more == 0) return kReplacement;
  std::uint32_t code = lead & (0x3F >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if (at >= text.size() || (byte(at) & 0xC0) != 0x80) return kReplacement;
    code = code << 6 | (byte(at++) & 0x3F);
  }
  return code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? kReplacement : code;
}

// How many bytes from `at` on are ASCII, up to `most`; most text is, so it is worth many at a time.
std::size_t ascii_run(std::string_view text, std::size_t at, std::size_t most) {
  const std::size_t end = at + std::min(most, text.size() - at);
  std::size_t i = at;
#ifdef __SSE2__
  for (; i + 64 <= end; i += 64) {
    const auto* from = reinterpret_cast<const __m128i*>(text.data() + i);
    const __m128i first = _mm_or_si128(_mm_loadu_si128(from), _mm_loadu_si128(from + 1));
    const __m128i second = _mm_or_si128(_mm_loadu_si128(from + 2), _mm_loadu_si128(from + 3));
    if (_mm_movemask_epi8(_mm_or_si128(first, second)) != 0) break;
  }
#endif
  for (std::uint64_t word = 0; i + sizeof word <= end; i += sizeof word) {
    std::memcpy(&word, text.data() + i, sizeof word);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (i < end && static_cast<std::uint8_t>(text[i]) < 0x80) ++i;
  return i - at;
}

// Writes the UTF-16 of ASCII text; returns the end.
std::uint8_t* widen_ascii(std::string_view ascii, std::uint8_t* to) {
  std::size_t i = 0;
#ifdef __SSE2__
  for (const __m128i zero = _mm_setzero_si128(); i + 16 <= ascii.size(); i += 16) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(ascii.data() + i));
    auto* out = reinterpret_cast<__m128i*>(to + 2 * i);
    _mm_storeu_si128(out, _mm_unpacklo_epi8(zero, text));
    _mm_storeu_si128(out + 1, _mm_unpackhi_epi8(zero, text));
  }
#endif
  for (; i < ascii.size(); ++i) {
    to[2 * i] = 0;
    to[2 * i + 1] = static_cast<std::uint8_t>(ascii[i]);
  }
  return to + 2 * ascii.size();
}

std::uint8_t* put_unit(std::uint8_t* to, std::uint32_t unit) {
  *to++ = static_cast<std::uint8_t>(unit >> 8);
  *to++ = static_cast<std::uint8_t>(unit);
  return to;
}

std::uint16_t high_surrogate(std::uint32_t code) {
  return static_cast<std::uint16_t>(0xD800 + ((code - 0x10000) >> 10));
}
std::uint16_t low_surrogate(std::uint32_t code) {
  return static_cast<std::uint16_t>(0xDC00 + ((code - 0x10000) & 0x3FF));
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace

std::size_t utf16_units(std::string_view utf8) {
  std::size_t units = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t plain = ascii_run(utf8, at, utf8.size());
    units += plain;
    at += plain;
    if (at == utf8.size()) break;
    units += next_code_point(utf8, at) < 0x10000 ? 1 : 2;
  }
  return units;
}

std::uint8_t* utf8_to_utf16be(std::string_view utf8, std::uint8_t* to) {
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t plain = ascii_run(utf8, at, utf8.size());
    to = widen_ascii(utf8.substr(at, plain), to);
    at += plain;
    if (at == utf8.size()) break;
    const std::uint32_t code = next_code_point(utf8, at);
    if (code < 0x10000) {
      to = put_unit(to, code);
    } else {
      to = put_unit(put_unit(to, high_surrogate(code)), low_surrogate(code));
    }
  }
  return to;
}

std::string utf8_to_utf16be(std::string_view utf8) {
  return utf8_to_utf16be(utf8, utf16_units(utf8));
}

std::string utf8_to_utf16be(std::string_view utf8, std::size_t units) {
  std::string out(units * 2, '\0');
  utf8_to_utf16be(utf8, units, reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

void utf8_to_utf16be(std::string_view utf8, std::size_t units, std::uint8_t* to) {
  if (units == utf8.size()) {
    widen_ascii(utf8, to);  // whatever takes more bytes than units is not ASCII
  } else {
    utf8_to_utf16be(utf8, to);
  }
}

std::string utf16be_to_utf8(std::string_view utf16) {
  const auto unit = [&](std::size_t i) -> std::uint32_t {
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(utf16[i])) << 8 |
           static_cast<std::uint8_t>(utf16[i + 1]);
  };
  std::string out;
  out.reserve(utf16.size());
  for (std::size_t i = 0; i + 1 < utf16.size(); i += 2) {
    std::uint32_t code = unit(i);
    if (code >= 0xD800 && code < 0xDC00 && i + 3 < utf16.size() &&
        (unit(i + 2) & 0xFC00) == 0xDC00) {
      code = 0x10000 + ((code - 0xD800) << 10) + (unit(i + 2) - 0xDC00);
      i += 2;
    } else if (code >= 0xD800 && code < 0xE000) {
      code = kReplacement;
    }
    append_utf8(out, code);
  }
  return out;
}

std::size_t Utf16Cursor::read(std::size_t units, std::string* out) {
  std::size_t done = 0;
  const auto emit = [&](std::uint16_t unit) {
    if (out != nullptr) {
      out->push_back(static_cast<char>(unit >> 8));
      out->push_back(static_cast<char>(unit));
    }
    ++done;
    ++mark_.units;
  };
  while (done < units) {
    if (mark_.pending != 0) {
      emit(mark_.pending);
      mark_.pending = 0;
      continue;
    }
    if (mark_.bytes >= text_.size()) break;
    if (const std::size_t plain = ascii_run(text_, mark_.bytes, units - done); plain != 0) {
      if (out != nullptr) {
        const std::size_t size = out->size();
        out->resize(size + 2 * plain);
        widen_ascii(text_.substr(mark_.bytes, plain),
                    reinterpret_cast<std::uint8_t*>(out->data()) + size);
      }
      mark_.bytes += plain;
      mark_.units += plain;
      done += plain;
      continue;
    }
    const std::uint32_t code = next_code_point(text_, mark_.bytes);
    if (code < 0x10000) {
      emit(static_cast<std::uint16_t>(code));
    } else {
      emit(high_surrogate(code));
      mark_.pending = low_surrogate(code);
    }
  }
  return done;
}

}  // namespace orasim::wire
