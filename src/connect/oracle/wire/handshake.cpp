#include "connect/oracle/wire/handshake.h"

#include <algorithm>

#include "connect/oracle/wire/messages.h"

namespace wherry::oracle::wire {
namespace {

constexpr std::uint8_t kEncodingTextLengths = 0x02;
constexpr std::size_t kCapTtc4 = 40;
constexpr std::uint8_t kTtc4EndOfResponse = 0x20;
constexpr std::uint16_t kTypeSb1 = 27;
constexpr std::uint8_t kFieldVersion121 = 7;

void write_capabilities(Writer& out, const Bytes& caps) {
  out.clr(ByteView(caps));
}

Bytes read_capabilities(Reader& in) {
  const std::string text = in.clr_text();
  const ByteView bytes = bytes_of(text);
  return Bytes(bytes.begin(), bytes.end());
}

/// The national character set lies behind two lists in the FDO block.
std::uint16_t national_charset_of(Reader& in, ByteView fdo) {
  constexpr std::size_t kFirstList = 5, kSecondList = 6;
  if (fdo.size() <= kSecondList) {
    in.fail("the protocol reply's FDO is too short");
    return 0;
  }
  const std::size_t at = std::size_t{6} + fdo[kFirstList] + fdo[kSecondList] + 3;
  if (at + 2 > fdo.size()) {
    in.fail("the protocol reply's FDO has no national character set");
    return 0;
  }
  return static_cast<std::uint16_t>(fdo[at] << 8 | fdo[at + 1]);
}

bool announces_wide_scale(const std::vector<TypeEntry>& types) {
  const auto sb1 = std::find_if(types.begin(), types.end(),
                                [](const TypeEntry& entry) { return entry.type == kTypeSb1; });
  return sb1 == types.end() || sb1->representation == 1;
}

}  // namespace

void encode_protocol(Writer& out, const ProtocolRequest& request) {
  out.u8(static_cast<std::uint8_t>(Message::kProtocol));
  out.raw(request.versions);
  out.u8(0);
  out.raw(request.driver_name);
  out.u8(0);
}

void encode_data_types(Writer& out, const DataTypesRequest& request) {
  out.u8(static_cast<std::uint8_t>(Message::kDataTypes));
  out.u16_le(request.charset);
  out.u16_le(request.charset);
  out.u8(request.encoding_flags);
  write_capabilities(out, request.compile_capabilities);
  write_capabilities(out, request.runtime_capabilities);
  if (request.time_zone) out.raw(ByteView(*request.time_zone));
  if (request.zone_file_version) out.u32(*request.zone_file_version);
  if (request.national_charset) out.u16_le(*request.national_charset);
  for (const TypeEntry& entry : request.types) {
    out.u16(entry.type);
    out.u16(entry.converted);
    if (entry.converted == 0) continue;
    out.u16(entry.representation);
    out.u16(0);
  }
  out.u16(0);
}

Bytes encode_fast_auth(const ProtocolRequest& protocol, const DataTypesRequest& types,
                       ByteView auth_phase_one) {
  constexpr std::uint8_t kServerConverts = 0x01;
  Writer out;
  out.u8(static_cast<std::uint8_t>(Message::kFastAuth));
  out.u8(1);
  out.u8(kServerConverts);
  out.u8(0);
  encode_protocol(out, protocol);
  out.u16(0);
  out.u8(0);
  out.u16(0);
  out.u8(kFastAuthFieldVersion);
  encode_data_types(out, types);
  out.raw(auth_phase_one);
  return out.take();
}

ProtocolReply decode_protocol(Reader& in) {
  constexpr std::size_t kElementBytes = 5;
  ProtocolReply reply;
  reply.version = in.u8();
  in.skip(1);
  reply.banner = in.text_until_nul();
  reply.charset = in.u16_le();
  reply.server_flags = in.u8();
  in.skip(kElementBytes * in.u16_le());
  const ByteView fdo = in.raw(in.u16());
  if (in.ok()) reply.national_charset = national_charset_of(in, fdo);
  reply.compile_capabilities = read_capabilities(in);
  reply.runtime_capabilities = read_capabilities(in);
  return reply;
}

DataTypesReply decode_data_types(Reader& in, bool expect_zone, bool expect_zone_version) {
  DataTypesReply reply;
  // seerdb's server announces that it tells its zone and does not: the list is there at once. An
  // image never begins with the 0 that the number of the first type does.
  if (expect_zone && in.peek() != 0) {
    const ByteView image = in.raw(ZoneImage{}.size());
    if (in.ok()) std::copy(image.begin(), image.end(), reply.time_zone.emplace().begin());
    if (expect_zone_version) in.skip(4);
  }
  while (in.ok()) {
    TypeEntry entry;
    entry.type = in.u16();
    if (entry.type == 0) break;
    entry.converted = in.u16();
    if (entry.converted != 0) {
      entry.representation = in.u16();
      in.skip(2);
    }
    reply.types.push_back(entry);
  }
  return reply;
}

Dialect negotiate(const ProtocolReply& server, const DataTypesRequest& client,
                  std::uint16_t tns_version, bool end_of_response) {
  const ByteView compile = server.compile_capabilities;
  Dialect dialect;
  dialect.tns_version = tns_version;
  dialect.field_version = std::min(capability(client.compile_capabilities, kCapFieldVersion),
                                   capability(compile, kCapFieldVersion));
  // Servers from 12.1 on count in ub4, and the official clients do not look at the capability
  // there; seerdb's server announces what 11g does and counts so too.
  const bool counts_in_ub4 =
      (capability(compile, 37) & 0x20) != 0 || dialect.field_version >= kFieldVersion121;
  dialect.chunks = counts_in_ub4 ? ChunkLength::kUb4 : ChunkLength::kUb1;
  // Every server since 10.2 sends both status fields, and the official clients do not look at
  // capabilities 15 and 16; obeying a cleared bit here would break what works for them.
  dialect.end_of_response = end_of_response && (capability(client.compile_capabilities, kCapTtc4) &
                                                kTtc4EndOfResponse) != 0;
  dialect.text_is_clr = (client.encoding_flags & kEncodingTextLengths) != 0;
  dialect.wide_scale = announces_wide_scale(client.types);
  dialect.long_strings = (capability(server.runtime_capabilities, 6) & 0x04) != 0;
  dialect.database_charset = server.charset;
  dialect.national_charset = server.national_charset;
  return dialect;
}

}  // namespace wherry::oracle::wire
