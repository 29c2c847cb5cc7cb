// Session set-up messages of TTC: protocol, data types, fast auth. Decoders of what clients send
// and encoders of the server's answers. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/bytes.h"

namespace orasim::wire {

enum class Message : std::uint8_t {
  kProtocol = 1,
  kDataTypes = 2,
  kFunction = 3,
  kStatus = 4,
  kRowHeader = 6,
  kRowData = 7,
  kParameter = 8,
  kCallEnd = 9,
  kIoVector = 11,
  kLobData = 14,
  kWarning = 15,
  kDescribe = 16,
  kPiggyback = 17,
  kFlushOutBinds = 19,
  kBitVector = 21,
  kOneWay = 26,
  kImplicitResults = 27,
  kEndOfResponse = 29,
  kCookie = 30,
  kFastAuth = 34,
};

/// The message byte is already read in all the decoders below.
struct ProtocolRequest {
  std::string driver;
};
ProtocolRequest decode_protocol(Reader&);

/// The capability arrays a server announces. Both must be filled: clients read up to index 40.
struct ServerProfile {
  Bytes compile;
  Bytes runtime;

  [[nodiscard]] std::uint8_t field_version() const { return compile.at(7); }
  /// Compile capability 4, bit 0x20: keys are mixed by PBKDF2 also for 11g verifiers.
  void set_pbkdf2_key_mixing(bool on);
};
void encode_protocol(Writer&, const ServerProfile&);

/// What a client remembers of the protocol reply of an earlier session, so as not to ask again.
/// Seen from Oracle's JDBC driver: it comes right behind a protocol request that needs no answer of
/// its own when the server still is what the cookie says.
struct SessionCookie {
  std::uint8_t protocol_version = 0;
  std::uint16_t charset = 0, national_charset = 0;
  Bytes compile_capabilities, runtime_capabilities;

  /// The server still announces what the cookie says.
  [[nodiscard]] bool is_of(const ServerProfile& profile) const;
};
SessionCookie decode_cookie(Reader&);

struct TypeEntry {
  std::uint16_t type = 0;
  std::uint16_t converted = 0;  ///< 0: not supported
  std::uint16_t representation = 0;
};
struct DataTypesRequest {
  std::uint16_t charset = 0;
  std::uint8_t encoding_flags = 0;
  Bytes compile_capabilities;
  Bytes runtime_capabilities;
  bool has_time_zone = false;
  bool has_time_zone_version = false;
  std::vector<TypeEntry> types;

  [[nodiscard]] std::uint8_t capability(std::size_t index) const {
    return index < compile_capabilities.size() ? compile_capabilities[index] : 0;
  }
  /// Items of the type list are two bytes, from 12.1 on; older clients leave the capability out.
  [[nodiscard]] bool has_wide_types() const { return capability(27) != 0; }
  /// Representation the client gave for a type, 0 when it is not listed.
  [[nodiscard]] std::uint16_t representation_of(std::uint16_t type) const;
};
DataTypesRequest decode_data_types(Reader&);
/// Echoes the client's list, cut to what fits `limit` bytes: clients ignore the contents but some
/// expect the whole reply in one packet.
void encode_data_types(Writer&, const DataTypesRequest& request, std::size_t limit);

/// What surrounds the three requests inside a fast-auth message.
struct FastAuthHead {
  std::uint8_t version = 0;
  ProtocolRequest protocol;
  std::uint8_t field_version = 0;  ///< the layout version of the auth request that follows
  DataTypesRequest data_types;
};
/// Leaves the reader at the auth phase one function message.
FastAuthHead decode_fast_auth(Reader&);

}  // namespace orasim::wire
