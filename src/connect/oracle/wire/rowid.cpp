#include "connect/oracle/wire/rowid.h"

namespace wherry::oracle::wire {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void put_digits(std::uint64_t value, int count, std::string& out) {
  for (int shift = 6 * (count - 1); shift >= 0; shift -= 6) {
    out.push_back(kAlphabet[value >> shift & 63]);
  }
}

/// Base-64 without padding.
void put_base64(ByteView bytes, std::string& out) {
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    bit_count += 8;
    while (bit_count >= 6) {
      bit_count -= 6;
      out.push_back(kAlphabet[bits >> bit_count & 63]);
    }
  }
  if (bit_count != 0) out.push_back(kAlphabet[bits << (6 - bit_count) & 63]);
}

}  // namespace

std::string rowid_text(const RowidParts& rowid) {
  std::string text;
  text.reserve(kRowidChars);
  put_digits(rowid.object, 6, text);
  put_digits(rowid.file, 3, text);
  put_digits(rowid.block, 6, text);
  put_digits(rowid.slot, 3, text);
  return text;
}

ValueStatus urowid_text(ByteView image, std::string& out) {
  constexpr std::uint8_t kPhysical = 1;
  if (image.empty()) return ValueStatus::kMalformed;
  if (image[0] != kPhysical) {
    out.assign(1, '*');
    put_base64(image.subspan(1), out);
    return ValueStatus::kOk;
  }
  Reader in(image.subspan(1));
  RowidParts parts;
  parts.object = in.u32();
  parts.file = in.u16();
  parts.block = in.u32();
  parts.slot = in.u16();
  if (!in.ok()) return ValueStatus::kMalformed;
  out = rowid_text(parts);
  return ValueStatus::kOk;
}

}  // namespace wherry::oracle::wire
