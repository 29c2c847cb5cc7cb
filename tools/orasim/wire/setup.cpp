#include "wire/setup.h"

#include <algorithm>

#include "engine/charset.h"

namespace orasim::wire {

namespace {

constexpr std::size_t kMaxName = 256;
constexpr std::uint8_t kProtocolVersion = 6;
constexpr std::uint16_t kNationalCharsetId = 2000;  // AL16UTF16

std::string text_to_nul(Reader& in) {
  std::string text;
  while (const std::uint8_t c = in.u8()) {
    text.push_back(static_cast<char>(c));
    if (text.size() > kMaxName) throw BadMessage("driver name is not terminated");
  }
  return text;
}

}  // namespace

ProtocolRequest decode_protocol(Reader& in) {
  for (std::size_t versions = 0; in.u8() != 0; ++versions) {
    if (versions > kMaxName) throw BadMessage("protocol version list is not terminated");
  }
  return ProtocolRequest{text_to_nul(in)};
}

void encode_protocol(Writer& out, const ServerProfile& profile) {
  out.u8(static_cast<std::uint8_t>(Message::kProtocol));
  out.u8(kProtocolVersion);
  out.u8(0);
  out.raw(std::string_view("x86_64/Linux 2.4.xx"));
  out.u8(0);
  out.u16le(database_charset().id);
  out.u8(1);
  out.u16le(0);
  // Smallest FDO that holds a national charset: two zero lengths put it at offset 9.
  out.u16(11);
  out.zeros(9);
  out.u16(kNationalCharsetId);
  out.clr(profile.compile);
  out.clr(profile.runtime);
}

void ServerProfile::set_pbkdf2_key_mixing(bool on) {
  constexpr std::uint8_t kBit = 0x20;
  compile.at(4) = static_cast<std::uint8_t>(on ? compile[4] | kBit : compile[4] & ~kBit);
}

std::uint16_t DataTypesRequest::representation_of(std::uint16_t type) const {
  const auto at =
      std::find_if(types.begin(), types.end(), [&](const TypeEntry& e) { return e.type == type; });
  return at == types.end() || at->converted == 0 ? 0 : at->representation;
}

namespace {

constexpr std::size_t kMaxTypes = 4096;

Bytes clr_bytes(Reader& in) {
  ByteView view;
  in.clr(view);
  return Bytes(view.begin(), view.end());
}

std::vector<TypeEntry> type_list(Reader& in, bool is_wide) {
  const auto item = [&]() -> std::uint16_t { return is_wide ? in.u16() : in.u8(); };
  std::vector<TypeEntry> types;
  std::uint16_t type = item();
  // go-ora puts the national charset (little-endian) here; a list starts with type 1.
  if (type > 255) type = item();
  for (; type != 0; type = item()) {
    if (types.size() == kMaxTypes) throw BadMessage("type list does not end");
    TypeEntry entry{type, item(), 0};
    if (entry.converted != 0) {
      entry.representation = item();
      item();
    }
    types.push_back(entry);
  }
  return types;
}

}  // namespace

DataTypesRequest decode_data_types(Reader& in) {
  DataTypesRequest request;
  request.charset = in.u16le();
  in.skip(2);
  request.encoding_flags = in.u8();
  request.compile_capabilities = clr_bytes(in);
  request.runtime_capabilities = clr_bytes(in);
  request.has_time_zone =
      request.runtime_capabilities.size() > 1 && (request.runtime_capabilities[1] & 1) != 0;
  if (request.has_time_zone) {
    in.skip(11);
    request.has_time_zone_version = (request.capability(37) & 2) != 0;
    if (request.has_time_zone_version) in.skip(4);
  }
  request.types = type_list(in, request.has_wide_types());
  return request;
}

void encode_data_types(Writer& out, const DataTypesRequest& request, std::size_t limit) {
  constexpr std::size_t kEntryAndEnd = 10;
  const std::size_t from = out.size();
  const bool is_wide = request.has_wide_types();
  const auto item = [&](std::uint16_t value) {
    return is_wide ? out.u16(value) : out.u8(static_cast<std::uint8_t>(value));
  };
  out.u8(static_cast<std::uint8_t>(Message::kDataTypes));
  if (request.has_time_zone) {
    static constexpr std::uint8_t kUtc[11] = {0x80, 0, 0, 0, 60, 60, 60, 0x80, 0, 0, 0};
    out.raw(kUtc, sizeof kUtc);
    if (request.has_time_zone_version) out.u32(32);
  }
  for (const TypeEntry& entry : request.types) {
    if (out.size() - from + kEntryAndEnd > limit) break;
    item(entry.type);
    item(entry.converted);
    if (entry.converted == 0) continue;
    item(entry.representation);
    item(0);
  }
  item(0);
}

SessionCookie decode_cookie(Reader& in) {
  SessionCookie cookie;
  in.skip(1);  // version of the cookie
  cookie.protocol_version = in.u8();
  cookie.charset = in.u16le();
  in.skip(1);
  cookie.national_charset = in.u16le();
  clr_bytes(in);  // the server's platform
  cookie.compile_capabilities = clr_bytes(in);
  cookie.runtime_capabilities = clr_bytes(in);
  return cookie;
}

bool SessionCookie::is_of(const ServerProfile& profile) const {
  return protocol_version == kProtocolVersion && charset == database_charset().id &&
         national_charset == kNationalCharsetId && compile_capabilities == profile.compile &&
         runtime_capabilities == profile.runtime;
}

FastAuthHead decode_fast_auth(Reader& in) {
  FastAuthHead head;
  head.version = in.u8();
  in.skip(2);
  if (in.u8() != static_cast<std::uint8_t>(Message::kProtocol)) {
    throw BadMessage("fast auth does not hold a protocol request");
  }
  head.protocol = decode_protocol(in);
  in.skip(5);  // server charset, flag, national charset: unused
  head.field_version = in.u8();
  if (in.u8() != static_cast<std::uint8_t>(Message::kDataTypes)) {
    throw BadMessage("fast auth does not hold a data types request");
  }
  head.data_types = decode_data_types(in);
  return head;
}

}  // namespace orasim::wire
