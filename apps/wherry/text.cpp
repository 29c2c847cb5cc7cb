#include "text.h"

#include <fmt/format.h>
#include <wchar.h>

#include <algorithm>
#include <cmath>

namespace wherry::app {
namespace {

/// One character of a text: its bytes, and the code point (U+FFFD for what is no UTF-8).
struct Character {
  std::string_view bytes;
  char32_t code = 0xFFFD;
};

Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (lead < 0x80) return {text.substr(0, 1), lead};
  if (lead < 0xC2 || lead > 0xF4 || size > text.size()) return {text.substr(0, 1)};
  char32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {text.substr(0, 1)};
    code = code << 6 | (byte & 0x3F);
  }
  return {text.substr(0, size), code};
}

/// East Asian characters take two columns, combining ones none.
std::size_t width_of(char32_t code) {
  const int width = ::wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

}  // namespace

std::string count_text(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string bytes_text(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= 1'000'000'000) return fmt::format("{:.2f} GB", value / 1e9);
  return fmt::format("{:.1f} MB", value / 1e6);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole >= 3600) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}s", whole);
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = first_of(text);
    text.remove_prefix(c.bytes.size());
    const bool is_control = c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0) || c.code == 0xFFFD;
    out += is_control ? "?" : c.bytes;
  }
  return out;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character c = first_of(text);
    text.remove_prefix(c.bytes.size());
    columns += width_of(c.code);
  }
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  const std::string whole = printable(text);
  std::string_view rest = whole;
  std::size_t used = 0;
  while (!rest.empty()) {
    const Character c = first_of(rest);
    used += width_of(c.code);
    if (used > columns) break;
    rest.remove_prefix(c.bytes.size());
  }
  return whole.substr(0, whole.size() - rest.size());
}

std::string fitted(std::string_view text, std::size_t columns) {
  const std::string out = cut_to(text, columns);
  return out + std::string(columns - columns_of(out), ' ');
}

}  // namespace wherry::app
