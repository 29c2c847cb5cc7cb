#include "schema/character_rules.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <numeric>
#include <utility>

namespace wherry::schema {
namespace {

constexpr char32_t kMostCodePoint = 0x10FFFF;
/// No set but Unicode's own has a character of the planes behind.
constexpr char32_t kMostOfOtherSets = 0x2FFFF;
/// Results that are no character.
constexpr char32_t kRemoved = kMostCodePoint + 1;
constexpr char32_t kKeptAsItIs = kMostCodePoint + 2;

/// Sets that hold every character.
constexpr std::array<std::string_view, 18> kUnicodeSets = {"utf-8",
                                                           "utf-16",
                                                           "utf-16be",
                                                           "utf-16le",
                                                           "utf-32",
                                                           "utf-32be",
                                                           "utf-32le",
                                                           "utf16_platformendian",
                                                           "utf16_oppositeendian",
                                                           "utf32_platformendian",
                                                           "utf32_oppositeendian",
                                                           "utf-7",
                                                           "imap-mailbox-name",
                                                           "cesu-8",
                                                           "bocu-1",
                                                           "scsu",
                                                           "gb18030",
                                                           "utf8"};

/// ICU's names that tell nothing of what the C library calls the set.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kOtherNames = {
    {{"hz", "EUC-CN"},
     {"macos-0_2-10.2", "MACINTOSH"},
     {"macos-7_3-10.2", "MAC-CYRILLIC"},
     {"macos-29-10.2", "MAC-CENTRALEUROPE"},
     {"euc-jp-2007", "EUC-JP"},
     {"euc-tw-2014", "EUC-TW"},
     {"windows-950-2000", "BIG5"},
     {"iso_2022,locale=ja,version=0", "ISO-2022-JP"},
     {"iso_2022,locale=ja,version=2", "ISO-2022-JP-2"},
     {"iso_2022,locale=ko,version=0", "ISO-2022-KR"},
     {"iso_2022,locale=zh,version=0", "ISO-2022-CN"},
     {"iso_2022,locale=zh,version=1", "ISO-2022-CN-EXT"}}};

/// IBM's numbers of sets that the C library knows by other names only.
constexpr std::array<std::pair<std::string_view, std::string_view>, 28> kIbmNumbers = {
    {{"367", "US-ASCII"},   {"813", "ISO-8859-7"},  {"878", "KOI8-R"},      {"912", "ISO-8859-2"},
     {"913", "ISO-8859-3"}, {"914", "ISO-8859-4"},  {"915", "ISO-8859-5"},  {"916", "ISO-8859-8"},
     {"920", "ISO-8859-9"}, {"921", "ISO-8859-13"}, {"923", "ISO-8859-15"}, {"950", "BIG5"},
     {"954", "EUC-JP"},     {"964", "EUC-TW"},      {"970", "EUC-KR"},      {"1089", "ISO-8859-6"},
     {"1168", "KOI8-U"},    {"1375", "BIG5-HKSCS"}, {"1383", "EUC-CN"},     {"1386", "GBK"},
     {"5346", "CP1250"},    {"5347", "CP1251"},     {"5348", "CP1252"},     {"5349", "CP1253"},
     {"5350", "CP1254"},    {"9447", "CP1255"},     {"9448", "CP1256"},     {"9449", "CP1257"}}};

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_unicode(const std::string& lower) {
  const std::string name = lower.substr(0, lower.find(",version="));
  return std::find(kUnicodeSets.begin(), kUnicodeSets.end(), name) != kUnicodeSets.end();
}

/// "37" of "ibm-37_P100-1995".
std::string digits_after(const std::string& text, std::string_view prefix) {
  if (text.compare(0, prefix.size(), prefix) != 0) return {};
  const std::size_t end = text.find_first_not_of("0123456789", prefix.size());
  return text.substr(prefix.size(), end == std::string::npos ? end : end - prefix.size());
}

/// What the C library may call the set.
std::vector<std::string> library_names(const std::string& lower) {
  for (const auto& [icu, library] : kOtherNames) {
    if (icu == lower) return {std::string(library)};
  }
  if (std::string ibm = digits_after(lower, "ibm-"); !ibm.empty()) {
    for (const auto& [number, library] : kIbmNumbers) {
      if (number == ibm) return {std::string(library)};
    }
    std::string padded = ibm.size() < 3 ? std::string(3 - ibm.size(), '0') + ibm : ibm;
    return {"IBM" + padded, "CP" + ibm, "IBM-" + ibm};
  }
  if (std::string windows = digits_after(lower, "windows-"); !windows.empty()) {
    return {"CP" + windows, "WINDOWS-" + windows};
  }
  if (std::string part = digits_after(lower, "iso-8859_"); !part.empty()) {
    return {"ISO-8859-" + part};
  }
  const bool is_name = !lower.empty() && std::all_of(lower.begin(), lower.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
  return is_name ? std::vector<std::string>{lower} : std::vector<std::string>();
}

/// Asks the C library which characters a set has.
class LibrarySet {
 public:
  explicit LibrarySet(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      handle_ = iconv_open(name.c_str(), "UTF-32LE");
      if (is_open()) return;
    }
  }
  ~LibrarySet() {
    if (is_open()) iconv_close(handle_);
  }
  LibrarySet(const LibrarySet&) = delete;
  LibrarySet& operator=(const LibrarySet&) = delete;

  [[nodiscard]] bool is_open() const { return handle_ != kClosed; }
  bool has(char32_t character) {
    std::array<char, 4> in{};
    for (std::size_t i = 0; i < in.size(); ++i) {
      in[i] = static_cast<char>((character >> (8 * i)) & 0xFFU);
    }
    std::array<char, 32> out{};
    char* from = in.data();
    char* to = out.data();
    std::size_t in_bytes = in.size();
    std::size_t out_bytes = out.size();
    iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    return iconv(handle_, &from, &in_bytes, &to, &out_bytes) == 0;
  }

 private:
  // The C library's own value for "none".
  inline static const iconv_t kClosed = reinterpret_cast<iconv_t>(-1);
  iconv_t handle_ = kClosed;
};

struct Decoded {
  char32_t character = 0;
  std::size_t bytes = 1;  ///< that are no character when !is_valid
  bool is_valid = false;
};

/// The character that `text`, which is not empty, begins with (RFC 3629, table in section 4).
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 0 || lead > 0xF4) return {};
  char32_t character = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (i == 1 && lead == 0xE0) low = 0xA0;
    if (i == 1 && lead == 0xED) high = 0x9F;
    if (i == 1 && lead == 0xF0) low = 0x90;
    if (i == 1 && lead == 0xF4) high = 0x8F;
    if (i == text.size() || byte(i) < low || byte(i) > high) return {0, i, false};
    character = (character << 6U) | (byte(i) & 0x3FU);
  }
  return {character, length, true};
}

void put(std::string& out, char32_t character) {
  if (character < 0x80) {
    out += static_cast<char>(character);
    return;
  }
  const int tail = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  const unsigned lead = tail == 1 ? 0xC0U : tail == 2 ? 0xE0U : 0xF0U;
  out += static_cast<char>(lead | (character >> static_cast<unsigned>(6 * tail)));
  for (int i = tail - 1; i >= 0; --i) {
    out += static_cast<char>(0x80U | ((character >> static_cast<unsigned>(6 * i)) & 0x3FU));
  }
}

}  // namespace

bool CharacterRules::is_code_point(std::uint32_t number) {
  return number <= kMostCodePoint && (number < 0xD800 || number > 0xDFFF);
}

CharacterRules::CharacterRules() : results_(kMostCodePoint + 1), malformed_(kKeptAsItIs) {
  std::iota(results_.begin(), results_.end(), char32_t{0});
}

Result<std::shared_ptr<const CharacterRules>> CharacterRules::make(
    const std::vector<CharacterReplacement>& replacements,
    const std::optional<CharacterSetRule>& set) {
  std::shared_ptr<CharacterRules> rules(new CharacterRules());
  for (const CharacterReplacement& replacement : replacements) {
    rules->results_[replacement.source] = replacement.target == 0 ? kRemoved : replacement.target;
  }
  if (!set) return std::shared_ptr<const CharacterRules>(std::move(rules));
  const char32_t instead = set->replacement == 0 ? kRemoved : set->replacement;
  rules->malformed_ = instead;
  const std::string name = lower_case(set->name);
  if (is_unicode(name)) return std::shared_ptr<const CharacterRules>(std::move(rules));
  LibrarySet library(library_names(name));
  if (!library.is_open()) {
    return make_error(ErrorKind::kConfig, "settings.character_set",
                      "the character set '" + set->name + "' is not known here",
                      "Name one of Unicode's (UTF-8, UTF-16, …), ISO-8859-n, windows-n, ibm-n, or "
                      "one that `iconv -l` lists on this machine");
  }
  if (instead != kRemoved && !library.has(instead)) {
    return make_error(ErrorKind::kConfig, "settings.character_set",
                      "the character set '" + set->name + "' does not have its own replacement",
                      "Choose a ReplaceWithCharacterCodePoint that is in the set, or 0");
  }
  std::vector<bool> is_in(kMostCodePoint + 1);
  for (char32_t c = 0; c <= kMostOfOtherSets; ++c) is_in[c] = is_code_point(c) && library.has(c);
  for (char32_t& result : rules->results_) {
    if (result != kRemoved && !is_in[result]) result = instead;
  }
  return std::shared_ptr<const CharacterRules>(std::move(rules));
}

std::size_t CharacterRules::unchanged_bytes(std::string_view text) const {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      if (results_[byte] != byte) break;
      ++at;
      continue;
    }
    const Decoded next = decode(text.substr(at));
    if (next.is_valid ? results_[next.character] != next.character : malformed_ != kKeptAsItIs) {
      break;
    }
    at += next.bytes;
  }
  return at;
}

bool CharacterRules::apply(std::string_view text, std::string& out) const {
  std::size_t at = unchanged_bytes(text);
  if (at == text.size()) return false;
  out.assign(text.substr(0, at));
  while (at < text.size()) {
    const Decoded next = decode(text.substr(at));
    const char32_t result = next.is_valid ? results_[next.character] : malformed_;
    if (result == kKeptAsItIs) {
      out.append(text.substr(at, next.bytes));
    } else if (result != kRemoved) {
      put(out, result);
    }
    at += next.bytes;
  }
  return true;
}

}  // namespace wherry::schema
