#include "connect/oracle/logminer/lob_content.h"

#include <algorithm>

namespace wherry::oracle {
namespace {

/// Bytes of the character that begins so.
std::size_t utf8_size(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xE0) return 2;
  return first < 0xF0 ? 3 : 4;
}

void append_utf8(char32_t c, std::string& out) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

LobContent::LobContent(Unit unit, std::string_view content) : unit_(unit), has_end_(true) {
  units_ = units_of(content);
  is_written_.assign(units_.size(), true);
}

std::u32string LobContent::units_of(std::string_view data) const {
  std::u32string out;
  if (unit_ == Unit::kByte) {
    for (const char c : data) out += static_cast<unsigned char>(c);
    return out;
  }
  for (std::size_t at = 0; at < data.size();) {
    const auto first = static_cast<unsigned char>(data[at]);
    const std::size_t size = std::min(utf8_size(first), data.size() - at);
    char32_t c = size == 1 ? first : first & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
      c = c << 6 | (static_cast<unsigned char>(data[at + i]) & 0x3FU);
    }
    out += c;
    at += size;
  }
  return out;
}

bool LobContent::give_up(std::uint64_t units) {
  if (units > kMostUnits) {
    is_too_large_ = true;
    units_ = {};
    is_written_ = {};
  }
  return is_too_large_;
}

void LobContent::put(std::size_t from, std::size_t size, std::u32string_view units) {
  const char32_t filler = unit_ == Unit::kCharacter ? U' ' : U'\0';
  if (from + size > units_.size()) {
    // Where the end is not known, a gap may hold anything.
    is_written_.resize(from + size, has_end_);
    units_.resize(from + size, filler);
  }
  for (std::size_t i = 0; i < size; ++i) {
    units_[from + i] = i < units.size() ? units[i] : filler;
    is_written_[from + i] = true;
  }
}

void LobContent::write(std::uint64_t amount, std::uint64_t offset, std::string_view data) {
  if (offset == 0 || give_up(offset) || give_up(offset - 1 + data.size())) return;
  const std::u32string units = units_of(data);
  const std::size_t size = std::min<std::uint64_t>(amount, units.size());
  put(offset - 1, size, units);
}

void LobContent::erase(std::uint64_t amount, std::uint64_t offset) {
  if (offset == 0 || give_up(offset) || (has_end_ && offset > units_.size())) return;
  // Erasing never makes it longer.
  const std::uint64_t most = has_end_ ? units_.size() - (offset - 1) : amount;
  const std::uint64_t size = std::min(amount, most);
  if (size > kMostUnits || give_up(offset - 1 + size)) {
    give_up(kMostUnits + 1);
    return;
  }
  put(offset - 1, size, {});
}

void LobContent::trim(std::uint64_t length) {
  if (give_up(length)) return;
  if (length > units_.size()) {
    if (has_end_) return;
    is_written_.resize(length, false);
  }
  units_.resize(length);
  is_written_.resize(length);
  has_end_ = true;
}

bool LobContent::is_known() const {
  return !is_too_large_ && has_end_ &&
         std::find(is_written_.begin(), is_written_.end(), false) == is_written_.end();
}

std::string LobContent::content() const {
  std::string out;
  for (const char32_t c : units_) {
    if (unit_ == Unit::kByte) {
      out += static_cast<char>(c);
    } else {
      append_utf8(c, out);
    }
  }
  return out;
}

}  // namespace wherry::oracle
