// BINARY_FLOAT and BINARY_DOUBLE images: IEEE 754, big-endian, made sortable as bytes.
// Facts: reference oracle-wire-types, 6.4.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::wire {

template <class Float>
struct SortableBits;
template <>
struct SortableBits<float> {
  using Type = std::uint32_t;
};
template <>
struct SortableBits<double> {
  using Type = std::uint64_t;
};

/// A set sign bit means positive, else all bits are inverted. False: the size is wrong.
template <class Float>
bool from_sortable(ByteView image, Float& out) {
  using Bits = typename SortableBits<Float>::Type;
  if (image.size() != sizeof(Bits)) return false;
  Bits bits = 0;
  for (const std::uint8_t byte : image) bits = static_cast<Bits>(bits << 8 | byte);
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  out = std::bit_cast<Float>((bits & kSign) != 0 ? bits ^ kSign : static_cast<Bits>(~bits));
  return true;
}

template <class Float>
void append_sortable(Float value, std::string& out) {
  using Bits = typename SortableBits<Float>::Type;
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  auto bits = std::bit_cast<Bits>(value);
  bits = (bits & kSign) != 0 ? static_cast<Bits>(~bits) : static_cast<Bits>(bits | kSign);
  for (int shift = static_cast<int>(sizeof(Bits)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(bits >> shift));
  }
}

}  // namespace wherry::oracle::wire
