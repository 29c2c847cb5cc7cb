// Numbers of the OSON format. Facts: reference oracle-wire-types, 6.15.
#pragma once

#include <cstdint>

namespace wherry::oracle::wire::oson {

inline constexpr std::uint8_t kMagic[] = {0xFF, 0x4A, 0x5A};
inline constexpr std::uint8_t kVersionShortNames = 1;
inline constexpr std::uint8_t kVersionLongNames = 3;

// Header flags.
inline constexpr unsigned kRelativeOffsets = 0x0001;
inline constexpr unsigned kInlineLeaf = 0x0002;
inline constexpr unsigned kWideFieldCount = 0x0008;
inline constexpr unsigned kIsScalar = 0x0010;
inline constexpr unsigned kHashOneByte = 0x0100;
inline constexpr unsigned kMiddleFieldCount = 0x0400;
inline constexpr unsigned kWideNames = 0x0800;
inline constexpr unsigned kWideTree = 0x1000;
inline constexpr unsigned kTinyNodeStatistics = 0x2000;
/// In the second flags.
inline constexpr unsigned kNarrowLongNames = 0x0100;

// Container nodes.
inline constexpr unsigned kContainer = 0x80;
inline constexpr unsigned kArrayBit = 0x40;
inline constexpr unsigned kWideOffsets = 0x20;
inline constexpr unsigned kCountMask = 0x18;
inline constexpr unsigned kCountU8 = 0x00;
inline constexpr unsigned kCountU16 = 0x08;
inline constexpr unsigned kCountU32 = 0x10;
inline constexpr unsigned kSharedFields = 0x18;
inline constexpr unsigned kObjectNode = 0x84;
inline constexpr unsigned kArrayNode = 0xC0;

inline constexpr unsigned kMaxShortString = 0x1F;

/// Scalar nodes that are not told by a range.
enum class Node : std::uint8_t {
  kNull = 0x30,
  kTrue = 0x31,
  kFalse = 0x32,
  kString8 = 0x33,
  kNumber = 0x34,
  kDouble = 0x36,
  kString16 = 0x37,
  kString32 = 0x38,
  kTimestamp = 0x39,
  kBinary16 = 0x3A,
  kBinary32 = 0x3B,
  kDate = 0x3C,
  kIntervalYm = 0x3D,
  kIntervalDs = 0x3E,
  kExtended = 0x7B,
  kTimestampTz = 0x7C,
  kTimestamp7 = 0x7D,
  kId = 0x7E,
  kFloat = 0x7F,
};

}  // namespace wherry::oracle::wire::oson
