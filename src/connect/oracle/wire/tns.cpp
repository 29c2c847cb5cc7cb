#include "connect/oracle/wire/tns.h"

#include <algorithm>
#include <cctype>

namespace wherry::oracle::wire {
namespace {

constexpr std::size_t kConnectDataOffset = 74;
constexpr std::uint16_t kLowFormMax = 65535;
constexpr std::uint32_t kGenericRefusal = 12564;

std::uint16_t low_form(std::uint32_t bytes) {
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(bytes, kLowFormMax));
}

void write_connect_body(Writer& out, const ConnectRequest& request) {
  out.u16(request.version);
  out.u16(request.lowest_version);
  out.u16(request.service_options);
  out.u16(low_form(request.sdu_bytes));
  out.u16(low_form(request.tdu_bytes));
  out.u16(request.protocol_characteristics);
  out.u16(0);
  out.u16(1);
  out.u16(static_cast<std::uint16_t>(request.connect_data.size()));
  out.u16(kConnectDataOffset);
  out.u32(0);
  out.u8(request.native_service_flags);
  out.u8(request.native_service_flags);
  out.zeros(16 + 8);
  out.u32(request.sdu_bytes);
  out.u32(request.tdu_bytes);
  out.u32(0);
  out.u32(request.flags2);
}

/// Number behind `key` and an equals sign, spaces allowed; 0 when there is none.
std::uint32_t number_after(std::string_view text, std::string_view key, std::size_t from = 0) {
  for (std::size_t at = text.find(key, from); at != text.npos; at = text.find(key, at + 1)) {
    std::size_t i = at + key.size();
    const auto skip_spaces = [&] {
      while (i < text.size() && std::isspace(static_cast<unsigned char>(text[i])) != 0) ++i;
    };
    skip_spaces();
    if (i >= text.size() || text[i] != '=') continue;
    ++i;
    skip_spaces();
    std::uint32_t value = 0;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && value < 100'000'000; ++i) {
      value = value * 10 + static_cast<std::uint32_t>(text[i] - '0');
    }
    if (value != 0) return value;
  }
  return 0;
}

}  // namespace

PacketHeader decode_header(Reader& in, bool large_length, std::uint32_t max_bytes) {
  PacketHeader header;
  if (large_length) {
    header.length = in.u32();
  } else {
    header.length = in.u16();
    in.skip(2);
  }
  header.type = static_cast<PacketType>(in.u8());
  header.flags = in.u8();
  in.skip(2);
  if (in.ok() && (header.length < kHeaderBytes || header.length > max_bytes)) {
    in.fail("a packet length is out of range");
  }
  constexpr std::uint8_t kLastType = static_cast<std::uint8_t>(PacketType::kDataDescriptor);
  const auto type = static_cast<std::uint8_t>(header.type);
  if (in.ok() && (type == 0 || type > kLastType)) in.fail("a packet has an unknown type");
  return header;
}

void encode_header(Writer& out, const PacketHeader& header, bool large_length) {
  if (large_length) {
    out.u32(header.length);
  } else {
    out.u16(static_cast<std::uint16_t>(header.length));
    out.u16(0);
  }
  out.u8(static_cast<std::uint8_t>(header.type));
  out.u8(header.flags);
  out.u16(0);
}

Bytes encode_connect(const ConnectRequest& request) {
  const bool overflows = request.connect_data.size() > kMaxInlineConnectData;
  Writer out;
  PacketHeader header;
  header.type = PacketType::kConnect;
  header.flags = request.after_redirect ? kFlagAfterRedirect : std::uint8_t{0};
  header.length = static_cast<std::uint32_t>(kConnectDataOffset +
                                             (overflows ? 0 : request.connect_data.size()));
  encode_header(out, header, false);
  write_connect_body(out, request);
  if (overflows) {
    encode_header(out,
                  {static_cast<std::uint32_t>(kDataHeaderBytes + request.connect_data.size()),
                   PacketType::kData, 0},
                  false);
    out.u16(0);
  }
  out.raw(request.connect_data);
  return out.take();
}

DecodedConnect decode_connect(Reader& in, const PacketHeader& header) {
  DecodedConnect result;
  ConnectRequest& request = result.request;
  request.after_redirect = (header.flags & kFlagAfterRedirect) != 0;
  const std::size_t start = in.position();
  request.version = in.u16();
  request.lowest_version = in.u16();
  request.service_options = in.u16();
  request.sdu_bytes = in.u16();
  request.tdu_bytes = in.u16();
  request.protocol_characteristics = in.u16();
  in.skip(4);
  const std::uint16_t data_bytes = in.u16();
  const std::uint16_t data_offset = in.u16();
  in.skip(4);
  request.native_service_flags = in.u8();
  if (!in.ok()) return result;
  const std::size_t read = in.position() - start;
  constexpr std::size_t kSduLarge = 58 - kHeaderBytes;
  if (data_offset >= kConnectDataOffset - 4 && in.remaining() >= kSduLarge - read + 8) {
    in.skip(kSduLarge - read);
    request.sdu_bytes = in.u32();
    request.tdu_bytes = in.u32();
  }
  if (data_bytes != 0 && header.length == data_offset) {
    result.overflow_bytes = data_bytes;
    in.skip(in.remaining());
    return result;
  }
  const std::size_t consumed = in.position() - start + kHeaderBytes;
  if (data_offset < consumed) {
    in.fail("connect data overlaps the packet's fields");
    return result;
  }
  in.skip(data_offset - consumed);
  request.connect_data = text_of(in.raw(data_bytes));
  return result;
}

Accept decode_accept(Reader& body) {
  Accept accept;
  accept.version = body.u16();
  accept.service_options = body.u16();
  accept.sdu_bytes = body.u16();
  accept.tdu_bytes = body.u16();
  body.skip(6);
  accept.flags0 = body.u8();
  accept.flags1 = body.u8();
  if (!accept.has_large_header()) return accept;
  body.skip(8);
  accept.sdu_bytes = body.u32();
  accept.tdu_bytes = body.u32();
  if (accept.version < 318) return accept;
  body.skip(1);
  accept.flags2 = body.u32();
  return accept;
}

Refuse decode_refuse(Reader& body) {
  Refuse refuse;
  refuse.user_reason = body.u8();
  refuse.system_reason = body.u8();
  const std::uint16_t length = body.u16();
  refuse.text_follows = length != 0 && body.remaining() == 0;
  refuse.text = text_of(body.raw(std::min<std::size_t>(length, body.remaining())));
  return refuse;
}

std::uint32_t refuse_code(std::string_view text) {
  if (const std::uint32_t code = number_after(text, "ERR")) return code;
  const std::size_t error = text.find("ERROR");
  if (error != text.npos) {
    if (const std::uint32_t code = number_after(text, "CODE", error)) return code;
  }
  return kGenericRefusal;
}

Redirect decode_redirect(Reader& body) {
  Redirect redirect;
  redirect.data_bytes = body.u16();
  redirect.data_follows = redirect.data_bytes != 0 && body.remaining() == 0;
  redirect.data = text_of(body.raw(std::min<std::size_t>(redirect.data_bytes, body.remaining())));
  return redirect;
}

RedirectTarget parse_redirect(std::string_view data, std::uint8_t packet_flags) {
  RedirectTarget target;
  const std::size_t nul = data.find('\0');
  target.address = data.substr(0, nul);
  if (nul == data.npos || (packet_flags & kFlagRedirectHasData) == 0) return target;
  std::string_view connect_data = data.substr(nul + 1);
  connect_data = connect_data.substr(0, connect_data.find('\0'));
  if (!connect_data.empty()) target.connect_data = std::string(connect_data);
  return target;
}

Bytes encode_marker(MarkerKind kind, bool large_length) {
  Writer out;
  encode_header(out, {11, PacketType::kMarker, 0}, large_length);
  out.u8(1);
  out.u8(0);
  out.u8(static_cast<std::uint8_t>(kind));
  return out.take();
}

MarkerKind decode_marker(Reader& body) {
  body.skip(2);
  const std::uint8_t data = body.u8();
  return data >= 1 && data <= 3 ? static_cast<MarkerKind>(data) : MarkerKind::kBreak;
}

Control decode_control(Reader& body) {
  Control control;
  control.command = body.u16();
  if (control.command != kControlNotification) return control;
  control.facility = body.u32();
  control.code = body.u32();
  const std::uint32_t length = body.u32();
  control.text = text_of(body.raw(std::min<std::size_t>(length, body.remaining())));
  return control;
}

Bytes encode_eof(bool large_length) {
  Writer out;
  encode_header(out, {kDataHeaderBytes, PacketType::kData, 0}, large_length);
  out.u16(kDataEof);
  return out.take();
}

}  // namespace wherry::oracle::wire
