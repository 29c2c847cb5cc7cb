#include "connect/oracle/trace/handshake_request.h"

namespace wherry::oracle::trace {
namespace {

constexpr std::size_t kWideTypeItems = 27;  ///< capability: 0 = list items of one byte
constexpr std::size_t kTtc3 = 37;
constexpr std::uint8_t kZoneFileVersion = 0x02;

wire::Bytes clr_bytes(Reader& in) {
  const std::string text = in.clr_text();
  const ByteView bytes = wire::bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

std::uint16_t item(Reader& in, bool is_wide) {
  return is_wide ? in.u16() : in.u8();
}

void read_type_list(Reader& in, bool is_wide, std::vector<wire::TypeEntry>& types) {
  while (in.ok()) {
    wire::TypeEntry entry;
    entry.type = item(in, is_wide);
    if (entry.type == 0) break;
    entry.converted = item(in, is_wide);
    if (entry.converted != 0) {
      entry.representation = item(in, is_wide);
      item(in, is_wide);
    }
    types.push_back(entry);
  }
}

/// The list begins with type 1, as 00 01 00 01 or, in single bytes, 01 01 01 00.
bool starts_wide_list(const Reader& in) {
  const ByteView rest = in.rest();
  return rest.size() >= 4 && rest[0] == 0 && rest[1] == 1 && rest[2] == 0;
}

bool starts_narrow_list(const Reader& in) {
  const ByteView rest = in.rest();
  return rest.size() >= 4 && rest[0] == 1 && rest[1] == 1 && rest[3] == 0;
}

}  // namespace

wire::ProtocolRequest decode_protocol_request(Reader& in) {
  wire::ProtocolRequest request;
  request.versions.clear();
  while (in.ok()) {
    const std::uint8_t version = in.u8();
    if (version == 0) break;
    request.versions.push_back(version);
  }
  request.driver_name = in.text_until_nul();
  return request;
}

wire::DataTypesRequest decode_data_types_request(Reader& in, ByteView server_capabilities) {
  wire::DataTypesRequest request;
  request.charset = in.u16_le();
  in.skip(2);
  request.encoding_flags = in.u8();
  request.compile_capabilities = clr_bytes(in);
  request.runtime_capabilities = clr_bytes(in);
  if ((wire::capability(request.runtime_capabilities, 1) & wire::kRuntimeTimeZone) != 0) {
    const ByteView zone = in.raw(wire::ZoneImage{}.size());
    if (in.ok()) std::copy(zone.begin(), zone.end(), request.time_zone.emplace().begin());
    const bool has_version =
        (wire::capability(request.compile_capabilities, kTtc3) & kZoneFileVersion) != 0;
    if (has_version && !starts_wide_list(in) && !starts_narrow_list(in)) {
      request.zone_file_version = in.u32();
    }
  }
  // Nothing more is the form of old clients that take the server's list as it is.
  if (in.ok() && in.remaining() == 0) return request;
  if (!starts_wide_list(in) && !starts_narrow_list(in)) request.national_charset = in.u16_le();
  if (in.ok() && in.remaining() == 0) return request;
  const bool told_narrow =
      !server_capabilities.empty() && wire::capability(server_capabilities, kWideTypeItems) == 0;
  const bool is_wide = starts_wide_list(in) || (!starts_narrow_list(in) && !told_narrow);
  read_type_list(in, is_wide, request.types);
  return request;
}

ConnectionCookie decode_cookie(Reader& in) {
  ConnectionCookie cookie;
  in.skip(2);  // version of the cookie, of the protocol
  cookie.charset = in.u16_le();
  in.skip(1);
  cookie.national_charset = in.u16_le();
  cookie.banner = in.clr_text();
  cookie.compile_capabilities = clr_bytes(in);
  cookie.runtime_capabilities = clr_bytes(in);
  return cookie;
}

wire::AuthMessage decode_auth_request(Reader& in, wire::AuthPhase phase, bool text_is_clr) {
  wire::AuthMessage message;
  message.phase = phase;
  const bool has_user = in.u8() != 0;
  const std::uint32_t user_bytes = in.ub4();
  message.mode = in.ub4();
  in.skip(1);
  const std::uint32_t pair_count = in.ub4();
  message.second_pointer = in.u8();
  in.skip(1);
  if (has_user) {
    message.user = text_is_clr ? in.clr_text() : std::string(wire::text_of(in.raw(user_bytes)));
  }
  for (std::uint32_t i = 0; i < pair_count && in.ok(); ++i) {
    wire::KeyValue pair;
    pair.key = in.dlc_text();
    pair.value = in.dlc_text();
    pair.flags = in.ub4();
    message.pairs.push_back(std::move(pair));
  }
  return message;
}

}  // namespace wherry::oracle::trace
