#include "wire/packet.h"

#include <algorithm>
#include <cctype>

namespace orasim::wire {

PacketHeader decode_header(ByteView first_eight, bool wide) {
  Reader in(first_eight);
  PacketHeader header;
  if (wide) {
    header.length = in.u32();
  } else {
    header.length = in.u16();
    in.skip(2);
  }
  header.type = static_cast<PacketType>(in.u8());
  header.flags = in.u8();
  if (header.length < kPacketHeader || header.length > kMaxPacket) {
    throw BadMessage("packet length " + std::to_string(header.length) + " is outside 8…2097152");
  }
  return header;
}

void encode_header(std::uint8_t* to, std::uint32_t length, PacketType type, bool wide,
                   std::uint8_t flags) {
  std::memset(to, 0, kPacketHeader);
  if (wide) {
    to[0] = static_cast<std::uint8_t>(length >> 24);
    to[1] = static_cast<std::uint8_t>(length >> 16);
    to[2] = static_cast<std::uint8_t>(length >> 8);
    to[3] = static_cast<std::uint8_t>(length);
  } else {
    to[0] = static_cast<std::uint8_t>(length >> 8);
    to[1] = static_cast<std::uint8_t>(length);
  }
  to[4] = static_cast<std::uint8_t>(type);
  to[5] = flags;
}

ConnectRequest decode_connect(ByteView packet) {
  Reader in(packet);
  in.skip(kPacketHeader);
  ConnectRequest request;
  request.version = in.u16();
  request.lowest_version = in.u16();
  request.service_options = in.u16();
  request.sdu = in.u16();
  request.tdu = in.u16();
  in.skip(6);  // NT protocol characteristics, turnaround, byte order
  request.data_length = in.u16();
  const std::uint16_t offset = in.u16();
  in.skip(4);
  request.flags_0 = in.u8();
  request.flags_1 = in.u8();
  // The large SDU and TDU exist since version 315; older clients end the fixed part earlier.
  if (request.version >= 315 && offset >= 66 && packet.size() >= 66) {
    Reader large(packet.subspan(58));
    request.sdu = std::max(request.sdu, large.u32());
    request.tdu = std::max(request.tdu, large.u32());
  }
  if (request.data_length > 0 && packet.size() > offset) {
    if (offset < kPacketHeader || packet.size() - offset < request.data_length) {
      throw BadMessage("connect data reaches beyond the CONNECT packet");
    }
    request.data = as_text(packet.subspan(offset, request.data_length));
  }
  return request;
}

namespace {

char upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}
bool space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return upper(x) == upper(y); });
}

}  // namespace

std::string connect_value(std::string_view connect_data, std::string_view name) {
  for (std::size_t open = connect_data.find('('); open != std::string_view::npos;
       open = connect_data.find('(', open + 1)) {
    const std::size_t equals = connect_data.find_first_of("=()", open + 1);
    if (equals == std::string_view::npos || connect_data[equals] != '=') continue;
    if (!same_word(trimmed(connect_data.substr(open + 1, equals - open - 1)), name)) continue;
    const std::size_t end = connect_data.find_first_of("()", equals + 1);
    if (end == std::string_view::npos || connect_data[end] == '(') continue;
    return std::string(trimmed(connect_data.substr(equals + 1, end - equals - 1)));
  }
  return {};
}

namespace {

// Puts the 16-bit header in front of what the writer holds.
Bytes packet_of(PacketType type, const Writer& body, std::uint8_t flags = 0) {
  Bytes out(kPacketHeader + body.size());
  encode_header(out.data(), static_cast<std::uint32_t>(out.size()), type, false, flags);
  std::copy(body.data(), body.data() + body.size(), out.begin() + kPacketHeader);
  return out;
}

}  // namespace

Bytes encode_accept(const AcceptReply& reply) {
  Writer out;
  out.u16(reply.version);
  out.u16(0x0801);  // no 0x0400: breaks come as markers, never as urgent data
  out.u16(static_cast<std::uint16_t>(std::min<std::uint32_t>(reply.sdu, 65535)));
  out.u16(static_cast<std::uint16_t>(std::min<std::uint32_t>(reply.tdu, 65535)));
  out.u16(0x0100);
  const bool large = reply.version >= kWideVersion;
  const bool flags_2 = reply.version >= 318;
  const bool database_id = reply.version >= 319;
  out.u16(0);
  out.u16(database_id ? 61 : flags_2 ? 45 : large ? 41 : 32);
  // 0x04 in the first and 0x08 in the second: no native services on this connection.
  out.u8(reply.native_services ? 0x41 : 0x45);
  out.u8(reply.native_services ? 0x01 : 0x49);
  out.zeros(8);
  if (large) {
    out.u32(reply.sdu);
    out.u32(reply.tdu);
    out.u8(0);
  }
  if (flags_2) out.u32(reply.flags_2);
  if (database_id) out.raw(reply.database_id.data(), reply.database_id.size());
  return packet_of(PacketType::kAccept, out);
}

std::string refuse_text(int ora_code) {
  const std::string code = std::to_string(ora_code);
  return "(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=" + code +
         ")(ERROR_STACK=(ERROR=(CODE=" + code + ")(EMFI=4))))";
}

Bytes encode_refuse(std::string_view text, bool separate) {
  Writer out;
  out.u8(0x22);
  out.u8(0);
  out.u16(static_cast<std::uint16_t>(text.size()));
  if (!separate) out.raw(text);
  Bytes packet = packet_of(PacketType::kRefuse, out);
  if (separate) {
    const Bytes data = encode_connect_phase_data(text);
    packet.insert(packet.end(), data.begin(), data.end());
  }
  return packet;
}

Bytes encode_connect_phase_data(std::string_view payload) {
  Writer out;
  out.u16(0);
  out.raw(payload);
  return packet_of(PacketType::kData, out);
}

Bytes encode_redirect(std::string_view address, std::string_view connect_data) {
  std::string text(address);
  text.push_back('\0');
  text.append(connect_data);
  Writer out;
  out.u16(static_cast<std::uint16_t>(text.size()));
  Bytes packet = packet_of(PacketType::kRedirect, out, 0x02);
  const Bytes data = encode_connect_phase_data(text);
  packet.insert(packet.end(), data.begin(), data.end());
  return packet;
}

Bytes encode_resend(bool new_tls_handshake) {
  return packet_of(PacketType::kResend, Writer(), new_tls_handshake ? 0x08 : 0);
}

Bytes encode_marker(Marker marker, bool wide) {
  Bytes packet(kPacketHeader + 3);
  encode_header(packet.data(), static_cast<std::uint32_t>(packet.size()), PacketType::kMarker,
                wide);
  packet[8] = 1;
  packet[10] = static_cast<std::uint8_t>(marker);
  return packet;
}

Marker decode_marker(ByteView packet) {
  if (packet.size() < kPacketHeader + 3 || packet[8] != 1) return Marker::kBreak;
  const std::uint8_t data = packet[10];
  return data == 2 ? Marker::kReset : data == 3 ? Marker::kInterrupt : Marker::kBreak;
}

}  // namespace orasim::wire
