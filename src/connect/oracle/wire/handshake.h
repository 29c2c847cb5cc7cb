// Session set-up messages: protocol, data types, fast auth. Requests are built from a profile, so
// that the log-in of any client can be re-created; replies become structs.
// Facts: reference oracle-wire-session, 3.2, 3.3, 3.6.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connect/oracle/wire/capabilities.h"
#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::wire {

/// Zone as an INTERVAL DAY TO SECOND image: 4 bytes of days, hour, minute, second, 4 of fraction.
using ZoneImage = std::array<std::uint8_t, 11>;
/// UTC as the official clients send it.
inline constexpr ZoneImage kUtcImage = {0x80, 0, 0, 0, 60, 60, 0x80, 0, 0, 0, 0};

struct ProtocolRequest {
  Bytes versions = {6};  ///< in order of preference
  std::string driver_name = "wherry";
};
void encode_protocol(Writer& out, const ProtocolRequest& request);

struct DataTypesRequest {
  std::uint16_t charset = kCharsetAl32Utf8;
  std::uint8_t encoding_flags = 0x03;
  Bytes compile_capabilities;
  Bytes runtime_capabilities;
  std::optional<ZoneImage> time_zone;              ///< with runtime capability 1 bit 0x01
  std::optional<std::uint32_t> zone_file_version;  ///< with compile capability 37 bit 0x02 too
  std::optional<std::uint16_t> national_charset;   ///< one client sends it
  std::vector<TypeEntry> types;
};
void encode_data_types(Writer& out, const DataTypesRequest& request);

/// Protocol, data types and log-in phase one in one message. `auth_phase_one` is a whole message
/// built for kFastAuthFieldVersion.
inline constexpr std::uint8_t kFastAuthFieldVersion = 13;
Bytes encode_fast_auth(const ProtocolRequest& protocol, const DataTypesRequest& types,
                       ByteView auth_phase_one);

/// Both decoders start behind the message's type byte.
struct ProtocolReply {
  std::uint8_t version = 0;
  std::string banner;
  std::uint16_t charset = 0;
  std::uint8_t server_flags = 0;
  std::uint16_t national_charset = 0;
  Bytes compile_capabilities;
  Bytes runtime_capabilities;
};
ProtocolReply decode_protocol(Reader& in);

struct DataTypesReply {
  std::optional<ZoneImage> time_zone;  ///< DBTIMEZONE
  std::vector<TypeEntry> types;
};
/// `expect_zone`: both sides have runtime capability 1 bit 0x01; `expect_zone_version`: and the
/// client compile capability 37 bit 0x02.
DataTypesReply decode_data_types(Reader& in, bool expect_zone, bool expect_zone_version);

/// What holds from now on, from both sides' capabilities.
Dialect negotiate(const ProtocolReply& server, const DataTypesRequest& client,
                  std::uint16_t tns_version, bool end_of_response);

}  // namespace wherry::oracle::wire
