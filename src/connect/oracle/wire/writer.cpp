#include "connect/oracle/wire/writer.h"

#include <algorithm>

namespace wherry::oracle::wire {
namespace {

constexpr std::size_t kShortStringMax = 252;
constexpr std::size_t kChunkMax = 32767;
constexpr std::size_t kSmallChunkMax = 64;

int width_of(std::uint64_t magnitude) {
  if (magnitude == 0) return 0;
  if (magnitude <= 0xFF) return 1;
  if (magnitude <= 0xFFFF) return 2;
  return magnitude <= 0xFFFFFFFF ? 4 : 8;
}

}  // namespace

void Writer::big_endian(std::uint64_t value, int count) {
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) {
    bytes_.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void Writer::u16_le(std::uint16_t value) {
  u8(static_cast<std::uint8_t>(value));
  u8(static_cast<std::uint8_t>(value >> 8));
}

void Writer::variable(std::uint64_t magnitude) {
  const int width = width_of(magnitude);
  u8(static_cast<std::uint8_t>(width));
  if (width != 0) big_endian(magnitude, width);
}

void Writer::sb4(std::int32_t value) {
  if (value >= 0) return variable(static_cast<std::uint64_t>(value));
  const auto magnitude = static_cast<std::uint64_t>(-static_cast<std::int64_t>(value));
  const int width = width_of(magnitude);
  u8(static_cast<std::uint8_t>(0x80 | width));
  big_endian(magnitude, width);
}

void Writer::clr(ByteView bytes) {
  if (bytes.size() <= kShortStringMax) {
    u8(static_cast<std::uint8_t>(bytes.size()));
    return raw(bytes);
  }
  const std::size_t chunk_max = chunks_ == ChunkLength::kUb4 ? kChunkMax : kSmallChunkMax;
  u8(0xFE);
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), chunk_max);
    if (chunks_ == ChunkLength::kUb4) {
      ub4(static_cast<std::uint32_t>(size));
    } else {
      u8(static_cast<std::uint8_t>(size));
    }
    raw(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  u8(0);
}

void Writer::dlc(ByteView bytes) {
  ub4(static_cast<std::uint32_t>(bytes.size()));
  if (!bytes.empty()) clr(bytes);
}

}  // namespace wherry::oracle::wire
