// The server releases orasim can present itself as: what each shows in ACCEPT, in the protocol
// reply and in its version texts. Values are those that servers of the release announced in
// recorded sessions (11.2, 19.22, 21c, 23.26); 12.1 to 18c are taken between their neighbours by
// the field version that the release introduced.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "wire/o5logon.h"
#include "wire/setup.h"

namespace orasim::server {

/// The database's unique id, the same for every connection.
inline constexpr std::array<std::uint8_t, 16> kDatabaseId{
    0xA3, 0xD9, 0xC1, 0xF0, 0x5E, 0x7B, 0x42, 0x68, 0x8B, 0x1D, 0x60, 0xF2, 0xC4, 0xE7, 0x9A, 0x15};

struct Generation {
  std::string_view name;     ///< as --emulate takes it
  std::string_view version;  ///< of the database: V$INSTANCE, AUTH_VERSION_NO
  std::string_view engine;   ///< the dictionary's generation: 12.2, 19 or 23
  std::uint16_t tns_version = 0;
  std::uint32_t accept_flags = 0;  ///< third flags word of ACCEPT, from version 318 on
  wire::Verifier verifier{};       ///< unless --verifier says otherwise
  wire::ServerProfile profile;
};

/// Oldest first; they live for ever.
std::span<const Generation> generations();
/// Also by the aliases 18, 19, 21, 23 and 26; nullptr when there is none.
const Generation* find_generation(std::string_view name);

}  // namespace orasim::server
