#include "connect/oracle/wire/rowid.h"

namespace wherry::oracle::wire {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char* put_digits(std::uint64_t value, int count, char* out) {
  for (int shift = 6 * (count - 1); shift >= 0; shift -= 6) *out++ = kAlphabet[value >> shift & 63];
  return out;
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

RowidParts read_rowid(Reader& in) {
  RowidParts rowid;
  rowid.object = in.ub4();
  rowid.file = in.ub2();
  in.skip(1);
  rowid.block = in.ub4();
  rowid.slot = in.ub2();
  return rowid;
}

std::optional<RowidParts> read_rowid_column(Reader& in) {
  constexpr std::uint8_t kNull = 0xFF;
  const std::uint8_t length = in.u8();
  if (length == 0 || length == kNull) return std::nullopt;
  return read_rowid(in);
}

void write_rowid(const RowidParts& rowid, char* out) {
  out = put_digits(rowid.object, 6, out);
  out = put_digits(rowid.file, 3, out);
  out = put_digits(rowid.block, 6, out);
  put_digits(rowid.slot, 3, out);
}

std::string rowid_text(const RowidParts& rowid) {
  std::string text(kRowidChars, '\0');
  write_rowid(rowid, text.data());
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
  out.resize(kRowidChars);
  write_rowid(parts, out.data());
  return ValueStatus::kOk;
}

}  // namespace wherry::oracle::wire
