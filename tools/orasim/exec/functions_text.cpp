#include <algorithm>
#include <array>
#include <cctype>
#include <clocale>
#include <cstdio>
#include <cwctype>
#include <regex>

#include "engine/charset.h"
#include "exec/function_table.h"

namespace orasim::functions {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

/// Code point of the first character of UTF-8 text; a broken sequence gives what its bits say.
std::uint32_t code_point(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x80) return first;
  std::uint32_t code = first & (first >= 0xF0 ? 0x07U : first >= 0xE0 ? 0x0FU : 0x1FU);
  for (const char c : character.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  return code;
}

/// Case mapping of all of Unicode, whatever the locale of the process is.
locale_t unicode_locale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

std::string mapped(const std::string& text, wint_t (*map)(wint_t, locale_t)) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = std::string_view(text).substr(at);
    const std::string_view one = rest.substr(0, char_offset(rest.substr(0, 4), 1));
    append_utf8(out, map(code_point(one), unicode_locale()));
    at += one.size();
  }
  return out;
}

Value upper(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return a[0];
  return like_first(mapped(lob_or_text(a[0], c), towupper_l), a[0]);
}
Value lower(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return a[0];
  return like_first(mapped(lob_or_text(a[0], c), towlower_l), a[0]);
}

Value initcap(const Args& a, const FunctionContext& c) {
  std::string text = as_text(a[0], c);
  bool start = true;
  for (char& ch : text) {
    const auto byte = static_cast<unsigned char>(ch);
    if (byte < 0x80) ch = static_cast<char>(start ? std::toupper(byte) : std::tolower(byte));
    start = byte < 0x80 && std::isalnum(byte) == 0;
  }
  return like_first(std::move(text), a[0]);
}

Value length(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kNumber);
  if (a[0].type == Type::kBlob) return make_int(static_cast<std::int64_t>(a[0].lob()->data.size()));
  return make_int(static_cast<std::int64_t>(char_count(lob_or_text(a[0], c))));
}
Value lengthb(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(Type::kNumber);
  return make_int(static_cast<std::int64_t>(stored_bytes(lob_or_text(a[0], c))));
}

Value substr(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  const std::string text = lob_or_text(a[0], c);
  const auto count = static_cast<std::int64_t>(char_count(text));
  std::int64_t start = as_int(a[1], c);
  const std::int64_t wanted = a.size() > 2 ? as_int(a[2], c) : count;
  if (start == 0) start = 1;
  if (start < 0) start = count + start + 1;
  if (start < 1 || start > count || wanted < 1)
    return make_null(a[0].type == Type::kClob ? Type::kClob : Type::kVarchar2);
  const std::size_t from = char_offset(text, static_cast<std::size_t>(start - 1));
  const std::size_t to =
      char_offset(text, static_cast<std::size_t>(start - 1 + std::min(wanted, count - start + 1)));
  return like_first(text.substr(from, to - from), a[0]);
}

Value substrb(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  const std::string text = as_text(a[0], c);
  const auto count = static_cast<std::int64_t>(text.size());
  std::int64_t start = as_int(a[1], c);
  const std::int64_t wanted = a.size() > 2 ? as_int(a[2], c) : count;
  if (start == 0) start = 1;
  if (start < 0) start = count + start + 1;
  if (start < 1 || start > count || wanted < 1) return make_null(Type::kVarchar2);
  return make_text(
      text.substr(static_cast<std::size_t>(start - 1), static_cast<std::size_t>(wanted)));
}

Value instr(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  const std::string text = lob_or_text(a[0], c);
  const std::string part = lob_or_text(a[1], c);
  const std::int64_t position = a.size() > 2 ? as_int(a[2], c) : 1;
  std::int64_t occurrence = a.size() > 3 ? as_int(a[3], c) : 1;
  if (occurrence < 1) raise(1428);
  if (position == 0) return make_int(0);
  std::size_t at = 0;
  if (position > 0) {
    at = char_offset(text, static_cast<std::size_t>(position - 1));
    while ((at = text.find(part, at)) != std::string::npos) {
      if (--occurrence == 0) break;
      ++at;
    }
  } else {
    const auto count = static_cast<std::int64_t>(char_count(text));
    if (-position > count) return make_int(0);
    at = char_offset(text, static_cast<std::size_t>(count + position));
    while ((at = text.rfind(part, at)) != std::string::npos) {
      if (--occurrence == 0) break;
      if (at == 0) return make_int(0);
      --at;
    }
  }
  if (at == std::string::npos) return make_int(0);
  return make_int(static_cast<std::int64_t>(char_count(std::string_view(text).substr(0, at))) + 1);
}

/// The same in bytes for BLOBs, from the start only.
Value lob_instr(const Args& a, const FunctionContext& c) {
  if (a[0].type != Type::kBlob) return instr(a, c);
  if (any_null(a)) return make_null(Type::kNumber);
  const std::string& data = a[0].lob()->data;
  const std::string part =
      a[1].type == Type::kBlob ? a[1].lob()->data : to_raw(a[1], c.convert).text();
  const std::int64_t position = a.size() > 2 ? as_int(a[2], c) : 1;
  std::int64_t occurrence = a.size() > 3 ? as_int(a[3], c) : 1;
  if (position < 1 || occurrence < 1) return make_null(Type::kNumber);
  std::size_t at = static_cast<std::size_t>(position - 1);
  while ((at = data.find(part, at)) != std::string::npos && --occurrence > 0) ++at;
  return make_int(at == std::string::npos ? 0 : static_cast<std::int64_t>(at) + 1);
}

std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t n = std::max<std::size_t>(1, char_offset(text, 1));
    out.emplace_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return out;
}

Value instrb(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  const std::size_t at = lob_or_text(a[0], c).find(lob_or_text(a[1], c));
  return make_int(at == std::string::npos ? 0 : static_cast<std::int64_t>(at) + 1);
}

/// Characters outside ASCII as the escapes that UNISTR reads.
Value asciistr(const Args& a, const FunctionContext& c) {
  std::string out;
  const auto escape = [&out](std::uint32_t unit) {
    std::array<char, 8> buffer;
    std::snprintf(buffer.data(), buffer.size(), "\\%04X", unit);
    out += buffer.data();
  };
  for (const std::string& one : characters_of(as_text(a[0], c))) {
    const std::uint32_t point = code_point(one);
    if (point < 0x80) {
      out += one;
    } else if (point < 0x10000) {
      escape(point);
    } else {
      escape(0xD800 + ((point - 0x10000) >> 10));
      escape(0xDC00 + ((point - 0x10000) & 0x3FF));
    }
  }
  return make_text(std::move(out));
}

Value trim_ends(const Args& a, const FunctionContext& c, bool left, bool right) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  const std::string text = lob_or_text(a[0], c);
  const std::vector<std::string> set = characters_of(a.size() > 1 ? as_text(a[1], c) : " ");
  std::vector<std::string> chars = characters_of(text);
  const auto in_set = [&](const std::string& ch) {
    return std::find(set.begin(), set.end(), ch) != set.end();
  };
  std::size_t from = 0;
  std::size_t to = chars.size();
  while (left && from < to && in_set(chars[from])) ++from;
  while (right && to > from && in_set(chars[to - 1])) --to;
  std::string out;
  for (std::size_t i = from; i < to; ++i) out += chars[i];
  return like_first(std::move(out), a[0]);
}
Value ltrim(const Args& a, const FunctionContext& c) {
  return trim_ends(a, c, true, false);
}
Value rtrim(const Args& a, const FunctionContext& c) {
  return trim_ends(a, c, false, true);
}
Value trim(const Args& a, const FunctionContext& c) {
  return trim_ends(a, c, true, true);
}

/// Longest text a pad or CHR may make: VARCHAR2's limit.
constexpr std::int64_t kMaxTextBytes = 32767;

Value pad(const Args& a, const FunctionContext& c, bool left) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  const std::string text = lob_or_text(a[0], c);
  const std::int64_t wanted = as_int(a[1], c);
  if (wanted <= 0) return make_null(Type::kVarchar2);
  const std::int64_t limit = a[0].type == Type::kClob ? std::int64_t{1} << 28 : kMaxTextBytes;
  const auto have = static_cast<std::int64_t>(char_count(text));
  if (have >= wanted) {
    return like_first(text.substr(0, char_offset(text, static_cast<std::size_t>(wanted))), a[0]);
  }
  const std::vector<std::string> fill = characters_of(a.size() > 2 ? as_text(a[2], c) : " ");
  std::string padding;
  for (std::int64_t i = 0; i < std::min(wanted, limit) - have; ++i) {
    padding += fill[static_cast<std::size_t>(i) % fill.size()];
  }
  return like_first(left ? padding + text : text + padding, a[0]);
}
Value lpad(const Args& a, const FunctionContext& c) {
  return pad(a, c, true);
}
Value rpad(const Args& a, const FunctionContext& c) {
  return pad(a, c, false);
}

DataType pad_type(const std::vector<DataType>& a) {
  return a[0].type == Type::kClob ? a[0] : varchar_type(4000, a[0].national);
}

Value replace(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return a[0];
  std::string text = lob_or_text(a[0], c);
  const std::string from = lob_or_text(a[1], c);
  const std::string to = a.size() > 2 ? lob_or_text(a[2], c) : std::string();
  if (from.empty()) return a[0];
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return like_first(std::move(text), a[0]);
}

Value translate(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  const auto from = characters_of(as_text(a[1], c));
  const auto to = characters_of(as_text(a[2], c));
  std::string out;
  for (const std::string& ch : characters_of(as_text(a[0], c))) {
    const auto found = std::find(from.begin(), from.end(), ch);
    if (found == from.end()) {
      out += ch;
    } else if (const auto i = static_cast<std::size_t>(found - from.begin()); i < to.size()) {
      out += to[i];
    }
  }
  return make_text(std::move(out));
}

/// CHR(n): in AL32UTF8 the bytes of n, most significant first.
Value chr(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  const std::int64_t code = as_int(a[0], c);
  if (code < 0 || code > 0xFFFFFFFF) raise(1426);
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto byte = static_cast<char>(code >> shift & 0xFF);
    if (!out.empty() || byte != 0 || shift == 0) out += byte;
  }
  // A lone byte above 127 is no character of UTF-8; the server stores U+FFFD's like, we the Latin
  // one.
  if (out.size() == 1 && code >= 0x80) {
    out.clear();
    append_utf8(out, static_cast<std::uint32_t>(code));
  }
  return make_text(std::move(out));
}

Value nchr(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  const std::int64_t code = as_int(a[0], c);
  if (code < 0 || code > 0x10FFFF) raise(1426);
  std::string out;
  append_utf8(out, static_cast<std::uint32_t>(code));
  return make_text(std::move(out), Type::kVarchar2, true);
}

Value unistr(const Args& a, const FunctionContext& c) {
  const std::string text = as_text(a[0], c);
  std::string out;
  std::uint32_t high = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '\\') {
      out += '\\';
      ++i;
      continue;
    }
    if (i + 4 >= text.size()) raise(30186);
    std::uint32_t unit = 0;
    for (int k = 1; k <= 4; ++k) {
      const char h = text[i + static_cast<std::size_t>(k)];
      if (std::isxdigit(static_cast<unsigned char>(h)) == 0) raise(30186);
      unit = unit * 16 + static_cast<std::uint32_t>(h <= '9' ? h - '0' : (h | 0x20) - 'a' + 10);
    }
    i += 4;
    if (unit >= 0xD800 && unit < 0xDC00) {
      high = unit;
    } else if (unit >= 0xDC00 && unit < 0xE000 && high != 0) {
      append_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
      high = 0;
    } else {
      append_utf8(out, unit);
    }
  }
  return make_text(std::move(out), Type::kVarchar2, true);
}

Value ascii(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  const std::string first = characters_of(as_text(a[0], c))[0];
  std::int64_t code = 0;
  for (const char ch : first) code = code << 8 | static_cast<unsigned char>(ch);
  return make_int(code);
}

Value concat(const Args& a, const FunctionContext& c) {
  std::string out;
  for (const Value& v : a) out += lob_or_text(v, c);
  return like_first(std::move(out), a[0].is_null() && a.size() > 1 ? a[1] : a[0]);
}

DataType concat_type(const std::vector<DataType>& a) {
  std::uint32_t bytes = 0;
  bool national = false;
  for (const DataType& t : a) {
    if (t.type == Type::kClob) return t;
    bytes += is_text(t.type) ? t.size_bytes : 40;
    national = national || t.national;
  }
  return varchar_type(std::min<std::uint32_t>(std::max<std::uint32_t>(bytes, 1), 4000), national);
}

Value reverse(const Args& a, const FunctionContext& c) {
  auto chars = characters_of(as_text(a[0], c));
  std::string out;
  for (std::size_t i = chars.size(); i-- > 0;) out += chars[i];
  return make_text(std::move(out));
}

std::regex regex_of(const Args& a, const FunctionContext& c, std::size_t flag_at) {
  const std::string flags = a.size() > flag_at ? as_text(a[flag_at], c) : "";
  auto options = std::regex::extended;
  const std::string pattern = as_text(a[1], c);
  // Perl-like classes are Oracle's extension of POSIX and ECMAScript's own.
  if (pattern.find('\\') != std::string::npos || pattern.find("?)") != std::string::npos ||
      pattern.find("*?") != std::string::npos || pattern.find("+?") != std::string::npos) {
    options = std::regex::ECMAScript;
  }
  if (flags.find('i') != std::string::npos) options |= std::regex::icase;
  try {
    return std::regex(pattern, options);
  } catch (const std::regex_error&) {
    raise(12726);
  }
}

Value regexp_like(const Args& a, const FunctionContext& c) {
  if (a[0].is_null() || a[1].is_null()) return make_null(Type::kBoolean);
  const std::string text = lob_or_text(a[0], c);
  return Value{Type::kBoolean, false, std::regex_search(text, regex_of(a, c, 2))};
}
Value regexp_replace(const Args& a, const FunctionContext& c) {
  if (a[0].is_null() || a[1].is_null()) return a[0];
  std::string to = a.size() > 2 ? as_text(a[2], c) : "";
  // \1 of Oracle is $1 of the library.
  for (std::size_t i = 0; i + 1 < to.size(); ++i) {
    if (to[i] == '\\' && std::isdigit(static_cast<unsigned char>(to[i + 1])) != 0) to[i] = '$';
  }
  return like_first(std::regex_replace(lob_or_text(a[0], c), regex_of(a, c, 5), to), a[0]);
}
Value regexp_substr(const Args& a, const FunctionContext& c) {
  if (a[0].is_null() || a[1].is_null()) return make_null(Type::kVarchar2);
  const std::string text = lob_or_text(a[0], c);
  std::size_t at = a.size() > 2 ? char_offset(text, static_cast<std::size_t>(std::max<std::int64_t>(
                                                        as_int(a[2], c) - 1, 0)))
                                : 0;
  std::int64_t occurrence = a.size() > 3 ? as_int(a[3], c) : 1;
  const std::size_t group = a.size() > 5 ? static_cast<std::size_t>(as_int(a[5], c)) : 0;
  const std::regex re = regex_of(a, c, 4);
  auto it = std::sregex_iterator(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), re);
  for (; it != std::sregex_iterator(); ++it) {
    if (--occurrence == 0)
      return group < it->size() ? make_text((*it)[group].str()) : make_null(Type::kVarchar2);
  }
  return make_null(Type::kVarchar2);
}
Value regexp_instr(const Args& a, const FunctionContext& c) {
  if (a[0].is_null() || a[1].is_null()) return make_null(Type::kNumber);
  const std::string text = lob_or_text(a[0], c);
  const std::int64_t from = a.size() > 2 ? std::max<std::int64_t>(as_int(a[2], c), 1) : 1;
  std::int64_t occurrence = a.size() > 3 ? as_int(a[3], c) : 1;
  const bool behind = a.size() > 4 && as_int(a[4], c) == 1;
  const std::size_t begin = char_offset(text, static_cast<std::size_t>(from - 1));
  const std::regex re = regex_of(a, c, 5);
  auto it = std::sregex_iterator(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), re);
  for (; it != std::sregex_iterator(); ++it) {
    if (--occurrence != 0) continue;
    const std::size_t at =
        begin + static_cast<std::size_t>(it->position(0) + (behind ? it->length(0) : 0));
    return make_int(static_cast<std::int64_t>(char_count(text.substr(0, at))) + 1);
  }
  return make_int(0);
}
Value regexp_count(const Args& a, const FunctionContext& c) {
  if (a[0].is_null() || a[1].is_null()) return make_null(Type::kNumber);
  const std::string text = lob_or_text(a[0], c);
  const std::regex re = regex_of(a, c, 3);
  return make_int(
      std::distance(std::sregex_iterator(text.begin(), text.end(), re), std::sregex_iterator()));
}

Value soundex(const Args& a, const FunctionContext& c) {
  static constexpr char kCodes[] = "01230120022455012623010202";
  std::string out;
  char last = '0';
  for (const char raw : as_text(a[0], c)) {
    const char ch = static_cast<char>(std::toupper(static_cast<unsigned char>(raw)));
    if (ch < 'A' || ch > 'Z') continue;
    const char code = kCodes[ch - 'A'];
    if (out.empty()) {
      out += ch;
    } else if (code != '0' && code != last) {
      out += code;
    }
    if (ch != 'H' && ch != 'W') last = code;
    if (out.size() == 4) break;
  }
  if (!out.empty()) out.append(4 - out.size(), '0');
  return make_text(std::move(out));
}

DataType boolean_type(const std::vector<DataType>&) {
  return plain_type(Type::kBoolean);
}
DataType national_type(const std::vector<DataType>&) {
  return varchar_type(4000, true);
}
DataType chr_type(const std::vector<DataType>&) {
  return varchar_type(4);
}

constexpr ScalarFunction kTextFunctions[] = {
    {"UPPER", 1, 1, upper, same_text_type},
    {"NLS_UPPER", 1, 2, upper, same_text_type},
    {"LOWER", 1, 1, lower, same_text_type},
    {"NLS_LOWER", 1, 2, lower, same_text_type},
    {"INITCAP", 1, 1, initcap, same_text_type},
    {"LENGTH", 1, 1, length, number_type},
    {"LENGTHC", 1, 1, length, number_type},
    {"LENGTHB", 1, 1, lengthb, number_type},
    {"DBMS_LOB.GETLENGTH", 1, 1, length, number_type},
    {"SUBSTR", 2, 3, substr, same_text_type},
    {"SUBSTRB", 2, 3, substrb, same_text_type},
    {"INSTR", 2, 4, instr, number_type},
    {"DBMS_LOB.INSTR", 2, 4, lob_instr, number_type},
    {"INSTRB", 2, 2, instrb, number_type},
    {"ASCIISTR", 1, 1, asciistr, long_text_type},
    {"LTRIM", 1, 2, ltrim, same_text_type},
    {"RTRIM", 1, 2, rtrim, same_text_type},
    {"TRIM", 1, 2, trim, same_text_type},
    {"LPAD", 2, 3, lpad, pad_type},
    {"RPAD", 2, 3, rpad, pad_type},
    {"REPLACE", 2, 3, replace, pad_type},
    {"TRANSLATE", 3, 3, translate, same_text_type},
    {"CHR", 1, 1, chr, chr_type},
    {"NCHR", 1, 1, nchr, national_type},
    {"UNISTR", 1, 1, unistr, national_type},
    {"ASCII", 1, 1, ascii, number_type},
    {"CONCAT", 1, -1, concat, concat_type},
    {"REVERSE", 1, 1, reverse, same_text_type},
    {"SOUNDEX", 1, 1, soundex, chr_type},
    {"REGEXP_LIKE", 2, 3, regexp_like, boolean_type},
    {"REGEXP_REPLACE", 2, 6, regexp_replace, pad_type},
    {"REGEXP_SUBSTR", 2, 6, regexp_substr, same_text_type},
    {"REGEXP_INSTR", 2, 7, regexp_instr, number_type},
    {"REGEXP_COUNT", 2, 4, regexp_count, number_type},
};

}  // namespace

std::span<const ScalarFunction> text_functions() {
  return kTextFunctions;
}

}  // namespace orasim::functions
