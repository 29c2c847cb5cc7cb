// The fields of a row image as bytes (see row_codec.h for what they look like). Internal to the
// files that read and write images.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "store/row_codec.h"

namespace orasim::row_fields {

inline constexpr std::uint8_t kMaxShort = 249;
inline constexpr std::uint8_t kLobPointer = 250;
inline constexpr std::uint8_t kLong = 251;
inline constexpr std::uint8_t kLobBytes = 252;

inline void put_field(std::string& out, std::string_view payload) {
  if (payload.size() <= kMaxShort) {
    out.push_back(static_cast<char>(payload.size()));
  } else {
    out.push_back(static_cast<char>(kLong));
    const auto size = static_cast<std::uint32_t>(payload.size());
    out.append(reinterpret_cast<const char*>(&size), 4);
  }
  out.append(payload);
}

/// Reads one field at `p`; moves `p` behind it. `lob` is set for a LOB in memory.
inline Field next_field(const char*& p, bool& lob) {
  const auto head = static_cast<std::uint8_t>(*p++);
  lob = false;
  Field field;
  if (head == 0) return field;
  field.size = head;
  if (head == kLobPointer) {
    field.size = sizeof(Lob*);
    lob = true;
  } else if (head == kLong) {
    std::uint32_t size = 0;
    std::memcpy(&size, p, 4);
    p += 4;
    field.size = size;
  }
  field.data = p;
  p += field.size;
  return field;
}

inline const Lob& lob_at(const char* payload) {
  const Lob* address = nullptr;
  std::memcpy(&address, payload, sizeof address);
  return *address;
}

/// A LOB in memory as its bytes.
inline void put_lob_bytes(std::string& out, const std::string& data) {
  const auto size = static_cast<std::uint32_t>(data.size());
  out.push_back(static_cast<char>(kLobBytes));
  out.append(reinterpret_cast<const char*>(&size), 4);
  out.append(data);
}

}  // namespace orasim::row_fields
