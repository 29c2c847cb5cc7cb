// What Wherry announces of itself when a session is set up, as data.
// Facts: reference oracle-wire-session, 3.3 and 3.4.
#pragma once

#include <cstdint>
#include <vector>

#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::wire {

inline constexpr std::size_t kCapFieldVersion = 7;
inline constexpr std::uint8_t kRuntimeTimeZone = 0x01;  ///< runtime capability 1

struct TypeEntry {
  std::uint16_t type = 0;
  std::uint16_t converted = 0;  ///< 0: not supported, nothing follows
  std::uint16_t representation = 0;
};
std::vector<TypeEntry> modern_types();
/// The same without the types that came after 11.2.
std::vector<TypeEntry> types_of_11g();

Bytes client_compile_capabilities(std::uint8_t field_version, bool end_of_response);
Bytes client_runtime_capabilities();

/// Capability byte, 0 behind the end of the array.
inline std::uint8_t capability(ByteView caps, std::size_t index) {
  return index < caps.size() ? caps[index] : std::uint8_t{0};
}

}  // namespace wherry::oracle::wire
