#include "engine/value.h"

namespace orasim {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void put(std::string& out, std::uint64_t value, int characters) {
  for (int i = characters - 1; i >= 0; --i) out.push_back(kAlphabet[(value >> (6 * i)) & 63]);
}

bool take(std::string_view text, std::size_t& at, int characters, std::uint64_t& value) {
  value = 0;
  for (int i = 0; i < characters; ++i) {
    const auto digit = kAlphabet.find(text[at++]);
    if (digit == std::string_view::npos) return false;
    value = value << 6 | digit;
  }
  return true;
}

}  // namespace

std::string to_text(const RowId& id) {
  std::string out;
  put(out, id.object, 6);
  put(out, id.file, 3);
  put(out, id.block, 6);
  put(out, id.slot, 3);
  return out;
}

bool from_text(std::string_view text, RowId& out) {
  std::uint64_t object = 0, file = 0, block = 0, slot = 0;
  std::size_t at = 0;
  if (text.size() != 18 || !take(text, at, 6, object) || !take(text, at, 3, file) ||
      !take(text, at, 6, block) || !take(text, at, 3, slot)) {
    return false;
  }
  if (object > 0xFFFFFFFF || file > 0xFFFF || block > 0xFFFFFFFF || slot > 0xFFFF) return false;
  out = RowId{static_cast<std::uint32_t>(object), static_cast<std::uint16_t>(file),
              static_cast<std::uint32_t>(block), static_cast<std::uint16_t>(slot)};
  return true;
}

}  // namespace orasim
