// The TNS packet layer, pure: packet headers, connection packets, markers, notifications.
// Facts: reference oracle-wire, 1.1 to 1.12.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::wire {

enum class PacketType : std::uint8_t {
  kConnect = 1,
  kAccept = 2,
  kAck = 3,
  kRefuse = 4,
  kRedirect = 5,
  kData = 6,
  kNull = 7,
  kAbort = 9,
  kResend = 11,
  kMarker = 12,
  kAttention = 13,
  kControl = 14,
  kDataDescriptor = 15,
};

inline constexpr std::size_t kHeaderBytes = 8;
inline constexpr std::size_t kDataHeaderBytes = 10;  ///< header and data flags
inline constexpr std::uint32_t kMaxPacketBytes = 2 * 1024 * 1024;
inline constexpr std::uint32_t kMinSduBytes = 512;
inline constexpr std::uint32_t kMaxSduBytes = kMaxPacketBytes;
inline constexpr std::uint16_t kOldestVersion = 314;       ///< Oracle 11.2
inline constexpr std::uint16_t kLargeHeaderVersion = 315;  ///< from here u32 packet lengths
inline constexpr std::size_t kMaxInlineConnectData = 230;

// Packet flags.
inline constexpr std::uint8_t kFlagRedirectHasData = 0x02;
inline constexpr std::uint8_t kFlagAfterRedirect = 0x04;
inline constexpr std::uint8_t kFlagTlsAgain = 0x08;

// Data flags.
inline constexpr std::uint16_t kDataEof = 0x0040;
inline constexpr std::uint16_t kDataEndOfResponse = 0x2000;

// Connect flags 0 and 1: what a client says of native services.
inline constexpr std::uint8_t kNativeServicesOff = 0x84;  ///< TLS again possible, no services
inline constexpr std::uint8_t kNativeServicesWanted = 0x01;

// Accept flags 2.
inline constexpr std::uint32_t kAcceptEndOfResponse = 0x02000000;
inline constexpr std::uint32_t kAcceptFastAuth = 0x10000000;

struct PacketHeader {
  std::uint32_t length = 0;  ///< header included
  PacketType type = PacketType::kNull;
  std::uint8_t flags = 0;
};
/// Fails on lengths below the header or above `max_bytes`.
PacketHeader decode_header(Reader& in, bool large_length, std::uint32_t max_bytes);
void encode_header(Writer& out, const PacketHeader& header, bool large_length);

struct ConnectRequest {
  std::uint16_t version = 319;
  std::uint16_t lowest_version = 300;
  std::uint16_t service_options = 0x0001;
  std::uint32_t sdu_bytes = 8192;
  std::uint32_t tdu_bytes = kMaxPacketBytes;
  std::uint16_t protocol_characteristics = 0x4F98;
  std::uint8_t native_service_flags = kNativeServicesOff;
  std::uint32_t flags2 = 0;
  bool after_redirect = false;
  std::string connect_data;
};
/// The CONNECT packet, followed by a DATA packet when the connect data does not fit.
Bytes encode_connect(const ConnectRequest& request);
/// Body of a CONNECT packet; `connect_data` stays empty and `overflow_bytes` says how much follows
/// in a DATA packet when it overflowed.
struct DecodedConnect {
  ConnectRequest request;
  std::size_t overflow_bytes = 0;
};
DecodedConnect decode_connect(Reader& in, const PacketHeader& header);

struct Accept {
  std::uint16_t version = 0;
  std::uint16_t service_options = 0;
  std::uint32_t sdu_bytes = 0;
  std::uint32_t tdu_bytes = 0;
  std::uint8_t flags0 = 0;
  std::uint8_t flags1 = 0;
  std::uint32_t flags2 = 0;
  [[nodiscard]] bool has_large_header() const { return version >= kLargeHeaderVersion; }
  [[nodiscard]] bool has_end_of_response() const {
    return version >= 319 && (flags2 & kAcceptEndOfResponse) != 0;
  }
  [[nodiscard]] bool has_fast_auth() const { return (flags2 & kAcceptFastAuth) != 0; }
  [[nodiscard]] bool requires_native_services() const { return ((flags0 | flags1) & 0x10) != 0; }
  /// The server wants to negotiate native services, given that the client does.
  [[nodiscard]] bool negotiates_native_services() const {
    return (flags0 & 0x01) != 0 && (flags0 & 0x04) == 0 && (flags1 & 0x08) == 0;
  }
};
/// `body` is the packet behind its header.
Accept decode_accept(Reader& body);

struct Refuse {
  std::uint8_t user_reason = 0;
  std::uint8_t system_reason = 0;
  std::string text;
  bool text_follows = false;  ///< it is the payload of the next DATA packet
};
Refuse decode_refuse(Reader& body);
/// The ORA- number in a REFUSE text; 12564 when it has none.
std::uint32_t refuse_code(std::string_view text);

struct Redirect {
  std::uint16_t data_bytes = 0;
  std::string data;
  bool data_follows = false;  ///< in the next DATA packet
};
Redirect decode_redirect(Reader& body);
struct RedirectTarget {
  std::string address;
  std::optional<std::string> connect_data;  ///< nullopt: reuse the original
};
RedirectTarget parse_redirect(std::string_view data, std::uint8_t packet_flags);

enum class MarkerKind : std::uint8_t { kBreak = 1, kReset = 2, kInterrupt = 3 };
Bytes encode_marker(MarkerKind kind, bool large_length);
/// Data byte of a marker; an attention marker without data counts as a break.
MarkerKind decode_marker(Reader& body);

struct Control {
  std::uint16_t command = 0;
  std::uint32_t facility = 0;
  std::uint32_t code = 0;
  std::string text;
};
inline constexpr std::uint16_t kControlNotification = 8;
inline constexpr std::uint16_t kControlNoUrgentData = 9;
Control decode_control(Reader& body);

/// The empty DATA packet that says good-bye.
Bytes encode_eof(bool large_length);

}  // namespace wherry::oracle::wire
