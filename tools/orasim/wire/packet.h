// The TNS packet layer: headers, the listener's messages and markers. Pure bytes, no sockets.
// Layouts: the CONNECT, ACCEPT, REFUSE, REDIRECT, RESEND, MARKER packets of Oracle Net.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/bytes.h"

namespace orasim::wire {

enum class PacketType : std::uint8_t {
  kConnect = 1,
  kAccept = 2,
  kRefuse = 4,
  kRedirect = 5,
  kData = 6,
  kNull = 7,
  kAbort = 9,
  kResend = 11,
  kMarker = 12,
  kControl = 14,
};

/// From this version on packet lengths have 32 bits after ACCEPT.
inline constexpr std::uint16_t kWideVersion = 315;
inline constexpr std::size_t kPacketHeader = 8;
inline constexpr std::size_t kDataHeader = 10;  ///< packet header and data flags
inline constexpr std::uint32_t kMaxPacket = 2097152;
inline constexpr std::uint32_t kMinSdu = 512;
/// Connect data longer than this travels in a DATA packet of its own.
inline constexpr std::size_t kInlineConnectData = 230;

inline constexpr std::uint16_t kFlagEof = 0x0040;
inline constexpr std::uint16_t kFlagEndOfResponse = 0x2000;

enum class Marker : std::uint8_t { kBreak = 1, kReset = 2, kInterrupt = 3 };

struct PacketHeader {
  std::uint32_t length = 0;  ///< header included
  PacketType type = PacketType::kNull;
  std::uint8_t flags = 0;
};

/// `wide`: the 32-bit length form in force after an ACCEPT of version 315 and later.
/// Throws BadMessage for a length below 8 or above 2 MiB.
PacketHeader decode_header(ByteView first_eight, bool wide);
void encode_header(std::uint8_t* to, std::uint32_t length, PacketType type, bool wide,
                   std::uint8_t flags = 0);

struct ConnectRequest {
  std::uint16_t version = 0;
  std::uint16_t lowest_version = 0;
  std::uint16_t service_options = 0;
  std::uint32_t sdu = 0;
  std::uint32_t tdu = 0;
  std::uint8_t flags_0 = 0;
  std::uint8_t flags_1 = 0;
  std::uint16_t data_length = 0;  ///< of the connect data, wherever it is
  std::string data;               ///< empty when it follows in a DATA packet
};
/// Bits of the connect flags with which a client keeps native services off.
inline constexpr std::uint8_t kNoNativeServices = 0x04 | 0x08;
/// `packet` is the whole packet with its header.
ConnectRequest decode_connect(ByteView packet);

/// The value of the innermost (NAME=value) in connect data; names compare without case and spaces
/// around them. Empty when it is missing.
std::string connect_value(std::string_view connect_data, std::string_view name);

struct AcceptReply {
  std::uint16_t version = 0;
  std::uint32_t sdu = 8192;
  std::uint32_t tdu = 2097152;
  std::uint32_t flags_2 = 0;
  bool native_services = false;  ///< the client is to negotiate them
  /// The database's unique id; JDBC's thin driver expects it in ACCEPT from version 319 on.
  std::array<std::uint8_t, 16> database_id{};
};
inline constexpr std::uint32_t kAcceptEndOfResponse = 0x02000000;
inline constexpr std::uint32_t kAcceptFastAuth = 0x10000000;

Bytes encode_accept(const AcceptReply&);
/// `separate`: the text is not inside but follows in a DATA packet.
Bytes encode_refuse(std::string_view text, bool separate = false);
/// "(DESCRIPTION=…(ERR=12514)…)": the text listeners send.
std::string refuse_text(int ora_code);
/// Length-only REDIRECT packet followed by the DATA packet with address, NUL, connect data.
Bytes encode_redirect(std::string_view address, std::string_view connect_data);
/// `new_tls_handshake`: asks a TLS client to shake hands anew on the same socket first.
Bytes encode_resend(bool new_tls_handshake);
Bytes encode_marker(Marker, bool wide);
/// A DATA packet in the 16-bit form of the connection phase.
Bytes encode_connect_phase_data(std::string_view payload);
/// The data byte of a MARKER packet (whole packet); kBreak when it carries none.
Marker decode_marker(ByteView packet);

}  // namespace orasim::wire
