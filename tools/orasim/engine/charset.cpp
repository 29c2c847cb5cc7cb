#include "engine/charset.h"

#include <algorithm>
#include <array>

namespace orasim {
namespace {

constexpr std::array kCharsets = {Charset{"AL32UTF8", 873, 4}, Charset{"UTF8", 871, 3},
                                  Charset{"WE8ISO8859P15", 46, 1}};
constexpr std::uint16_t kCesu8 = 871;
const Charset* chosen = &kCharsets[0];

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) -> char32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) & 0x3F : 0;
  };
  const auto head = static_cast<unsigned char>(text[0]);
  if (head < 0xC0) return {head, 1};
  if (head < 0xE0) return {(head & 0x1FU) << 6 | byte(1), 2};
  if (head < 0xF0) return {(head & 0x0FU) << 12 | byte(1) << 6 | byte(2), 3};
  return {(head & 0x07U) << 18 | byte(1) << 12 | byte(2) << 6 | byte(3), 4};
}

/// ISO 8859-15 is Latin-1 with eight places taken by others.
constexpr std::array<char32_t, 8> kGone = {0xA4, 0xA6, 0xA8, 0xB4, 0xB8, 0xBC, 0xBD, 0xBE};
constexpr std::array<char32_t, 8> kNew = {0x20AC, 0x160, 0x161, 0x17D, 0x17E, 0x152, 0x153, 0x178};

bool is_in_latin9(char32_t code) {
  const auto is_among = [code](const auto& list) {
    return std::find(list.begin(), list.end(), code) != list.end();
  };
  return code <= 0xFF ? !is_among(kGone) : is_among(kNew);
}

/// What a character's bytes are ordered by: of Latin-9 the byte, of CESU-8 the first surrogate's
/// place, which is below U+E000.
std::uint32_t weight_of(char32_t code) {
  constexpr char32_t kFirstAfterSurrogates = 0xE000, kFirstSupplementary = 0x10000;
  if (chosen->is_variable_width()) {
    const bool is_after = code >= kFirstAfterSurrogates && code < kFirstSupplementary;
    return chosen->id == kCesu8 && is_after ? code + 0x200000 : code;
  }
  const auto found = std::find(kNew.begin(), kNew.end(), code);
  return found == kNew.end() ? code : kGone[static_cast<std::size_t>(found - kNew.begin())];
}

std::size_t stored_bytes_of(const Character& character) {
  if (!chosen->is_variable_width()) return 1;
  // Two surrogates of three bytes each.
  return chosen->id == kCesu8 && character.bytes == 4 ? 6 : character.bytes;
}

}  // namespace

const Charset& database_charset() {
  return *chosen;
}

bool set_database_charset(std::string_view name) {
  const auto found = std::find_if(kCharsets.begin(), kCharsets.end(),
                                  [name](const Charset& one) { return one.name == name; });
  if (found == kCharsets.end()) return false;
  chosen = &*found;
  return true;
}

std::vector<std::string> charset_names() {
  std::vector<std::string> names;
  for (const Charset& one : kCharsets) names.emplace_back(one.name);
  return names;
}

std::size_t stored_bytes(std::string_view utf8) {
  if (chosen == &kCharsets[0]) return utf8.size();
  std::size_t bytes = 0;
  while (!utf8.empty()) {
    const Character character = first_of(utf8);
    bytes += stored_bytes_of(character);
    utf8.remove_prefix(std::min(character.bytes, utf8.size()));
  }
  return bytes;
}

std::string_view beginning_of(std::string_view utf8, std::size_t max_stored_bytes) {
  std::size_t at = 0, bytes = 0;
  while (at < utf8.size()) {
    const Character character = first_of(utf8.substr(at));
    bytes += stored_bytes_of(character);
    if (bytes > max_stored_bytes) break;
    at = std::min(at + character.bytes, utf8.size());
  }
  return utf8.substr(0, at);
}

int compare_stored(std::string_view a, std::string_view b) {
  if (chosen == &kCharsets[0]) return a.compare(b);
  while (!a.empty() && !b.empty()) {
    const Character x = first_of(a), y = first_of(b);
    const std::uint32_t left = weight_of(x.code), right = weight_of(y.code);
    if (left != right) return left < right ? -1 : 1;
    a.remove_prefix(std::min(x.bytes, a.size()));
    b.remove_prefix(std::min(y.bytes, b.size()));
  }
  return static_cast<int>(b.empty()) - static_cast<int>(a.empty());
}

std::string as_stored(std::string utf8) {
  constexpr std::string_view kReplacement = "\xC2\xBF";
  if (chosen->is_variable_width()) return utf8;
  std::string_view rest = utf8;
  const bool is_plain = std::all_of(rest.begin(), rest.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_plain) return utf8;
  std::string text;
  while (!rest.empty()) {
    const Character character = first_of(rest);
    text += is_in_latin9(character.code) ? rest.substr(0, character.bytes) : kReplacement;
    rest.remove_prefix(std::min(character.bytes, rest.size()));
  }
  return text;
}

}  // namespace orasim
