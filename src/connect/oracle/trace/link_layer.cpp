#include "connect/oracle/trace/link_layer.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace wherry::oracle::trace {
namespace {

using wire::ByteView;
using wire::Reader;

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86DD;
constexpr std::uint16_t kTcp = 6;

bool is_vlan(std::uint16_t type) {
  return type == 0x8100 || type == 0x88A8 || type == 0x9100;
}

/// Behind an Ethernet type: VLAN tags and the header of a PPPoE session may stand before the
/// packet.
std::uint16_t skip_tags(Reader& in, std::uint16_t type) {
  constexpr std::uint16_t kPppoeSession = 0x8864, kPppIpv4 = 0x0021, kPppIpv6 = 0x0057;
  while (is_vlan(type) && in.ok()) {
    in.skip(2);
    type = in.u16();
  }
  if (type != kPppoeSession) return type;
  in.skip(6);
  const std::uint16_t protocol = in.u16();
  return protocol == kPppIpv4 ? kIpv4 : protocol == kPppIpv6 ? kIpv6 : 0;
}

/// The address family of BSD's loopback header: 2 is IPv4 everywhere, IPv6 differs.
std::uint16_t type_of_family(std::uint32_t family) {
  if (family == 2) return kIpv4;
  return family == 10 || family == 24 || family == 28 || family == 30 ? kIpv6 : 0;
}

std::uint16_t type_of_version(const Reader& in) {
  if (in.remaining() == 0) return 0;
  const unsigned version = in.rest()[0] >> 4U;
  return version == 4 ? kIpv4 : version == 6 ? kIpv6 : 0;
}

/// The Ethernet type of what follows; 0 when it is none; nullopt for a link type that is not read.
std::optional<std::uint16_t> skip_link_header(Reader& in, const Frame& frame) {
  switch (frame.link_type) {
    case 0:
      return type_of_family(frame.is_little_endian ? in.u32_le() : in.u32());
    case 108:
      return type_of_family(in.u32());
    case 1:
      in.skip(12);
      return skip_tags(in, in.u16());
    case 113:  // Linux cooked
      in.skip(14);
      return skip_tags(in, in.u16());
    case 276: {  // Linux cooked, version 2
      const std::uint16_t type = in.u16();
      in.skip(18);
      return skip_tags(in, type);
    }
    case 12:
    case 14:
    case 101:
      return type_of_version(in);
    case 228:
      return kIpv4;
    case 229:
      return kIpv6;
    default:
      return std::nullopt;
  }
}

void read_address(Reader& in, std::size_t count, Endpoint& endpoint) {
  const ByteView bytes = in.raw(count);
  std::copy(bytes.begin(), bytes.end(), endpoint.address.begin());
  endpoint.is_ipv6 = count == 16;
}

/// What is left of a packet whose header says how long its content is.
struct Content {
  FrameContent kind = FrameContent::kTcp;
  ByteView bytes;
  std::uint64_t lost_bytes = 0;
  IpFragment fragment{};  ///< kFragment: where `bytes` belong
};

/// Frames are padded behind the packet, and cut by the snapshot length. Length 0 means that the
/// network card was to cut the packet: what was captured is all of it.
Content content_of(Reader& in, std::uint64_t announced_bytes, std::uint64_t lost_of_frame) {
  Content content;
  content.bytes = in.rest();
  if (announced_bytes == 0) {
    content.lost_bytes = lost_of_frame;
  } else if (announced_bytes < content.bytes.size()) {
    content.bytes = content.bytes.first(static_cast<std::size_t>(announced_bytes));
  } else {
    content.lost_bytes = announced_bytes - content.bytes.size();
  }
  return content;
}

Content as_fragment(Content content, const IpFragment& fragment) {
  content.kind = FrameContent::kFragment;
  content.fragment = fragment;
  content.fragment.bytes = content.bytes;
  content.fragment.lost_bytes = content.lost_bytes;
  return content;
}

/// Addresses, for what tells a packet's fragments from others.
std::array<std::uint8_t, 32> both_addresses(const TcpSegment& segment) {
  std::array<std::uint8_t, 32> both;
  std::copy(segment.source.address.begin(), segment.source.address.end(), both.begin());
  std::copy(segment.destination.address.begin(), segment.destination.address.end(),
            both.begin() + segment.source.address.size());
  return both;
}

Content read_ipv4(Reader& in, const Frame& frame, TcpSegment& segment) {
  const std::uint8_t first = in.u8();
  in.skip(1);
  const std::uint16_t total_bytes = in.u16();
  IpFragment fragment;
  fragment.id = in.u16();
  const std::uint16_t flags_and_offset = in.u16();
  in.skip(1);
  fragment.protocol = in.u8();
  in.skip(2);
  read_address(in, 4, segment.source);
  read_address(in, 4, segment.destination);
  const unsigned header_bytes = (first & 0x0FU) * 4U;
  if (!in.ok() || header_bytes < 20) return {FrameContent::kCut, {}, 0};
  if (fragment.protocol != kTcp) return {FrameContent::kOther, {}, 0};
  in.skip(header_bytes - 20);
  if (!in.ok() || (total_bytes != 0 && total_bytes < header_bytes)) {
    return {FrameContent::kCut, {}, 0};
  }
  Content content =
      content_of(in, total_bytes == 0 ? 0U : total_bytes - header_bytes, frame.lost_bytes);
  constexpr std::uint16_t kMore = 0x2000, kOffset = 0x1FFF;
  if ((flags_and_offset & (kMore | kOffset)) == 0) return content;
  fragment.addresses = both_addresses(segment);
  fragment.offset = (flags_and_offset & kOffset) * 8U;
  fragment.is_last = (flags_and_offset & kMore) == 0;
  return as_fragment(content, fragment);
}

/// Walks the extension headers to TCP, or to a fragment, which `fragment` tells of then.
FrameContent skip_extensions(Reader& in, std::uint8_t next, IpFragment& fragment) {
  while (in.ok()) {
    switch (next) {
      case kTcp:
        return FrameContent::kTcp;
      case 0:
      case 43:
      case 60:
      case 135: {
        next = in.u8();
        in.skip(in.u8() * std::size_t{8} + 6);
        break;
      }
      case 44: {
        next = in.u8();
        in.skip(1);
        const std::uint16_t offset_and_flags = in.u16();
        fragment.id = in.u32();
        constexpr std::uint16_t kMore = 0x0001, kOffset = 0xFFF8;
        if (!in.ok() || (offset_and_flags & (kMore | kOffset)) == 0) break;
        fragment.protocol = next;
        fragment.offset = offset_and_flags & kOffset;
        fragment.is_last = (offset_and_flags & kMore) == 0;
        return FrameContent::kFragment;
      }
      case 51: {
        next = in.u8();
        in.skip(in.u8() * std::size_t{4} + 6);
        break;
      }
      default:
        return FrameContent::kOther;
    }
  }
  return FrameContent::kCut;
}

Content read_ipv6(Reader& in, const Frame& frame, TcpSegment& segment) {
  in.skip(4);
  const std::uint16_t payload_bytes = in.u16();
  const std::uint8_t next = in.u8();
  in.skip(1);
  read_address(in, 16, segment.source);
  read_address(in, 16, segment.destination);
  const std::size_t start = in.position();
  IpFragment fragment;
  const FrameContent kind = skip_extensions(in, next, fragment);
  if (!in.ok()) return {FrameContent::kCut, {}, 0};
  if (kind != FrameContent::kTcp && kind != FrameContent::kFragment) return {kind, {}, 0};
  const std::size_t extension_bytes = in.position() - start;
  if (payload_bytes != 0 && payload_bytes < extension_bytes) return {FrameContent::kCut, {}, 0};
  const Content content =
      content_of(in, payload_bytes == 0 ? 0U : payload_bytes - extension_bytes, frame.lost_bytes);
  if (kind == FrameContent::kTcp) return content;
  fragment.addresses = both_addresses(segment);
  fragment.is_ipv6 = true;
  return as_fragment(content, fragment);
}

FrameContent read_tcp(const Content& content, TcpSegment& segment) {
  Reader in(content.bytes);
  segment.source.port = in.u16();
  segment.destination.port = in.u16();
  segment.sequence = in.u32();
  segment.acknowledged = in.u32();
  const std::size_t header_bytes = (in.u8() >> 4U) * std::size_t{4};
  const std::uint8_t flags = in.u8();
  in.skip(4);
  const std::uint16_t urgent = in.u16();
  if (!in.ok() || header_bytes < 20) return FrameContent::kCut;
  in.skip(header_bytes - 20);
  if (!in.ok()) return FrameContent::kCut;
  segment.is_fin = (flags & 0x01) != 0;
  segment.is_syn = (flags & 0x02) != 0;
  segment.is_reset = (flags & 0x04) != 0;
  segment.has_acknowledgment = (flags & 0x10) != 0;
  if ((flags & 0x20) != 0 && urgent != 0) segment.urgent_end = urgent;
  segment.payload = in.rest();
  segment.lost_bytes = content.lost_bytes;
  return FrameContent::kTcp;
}

}  // namespace

std::string Endpoint::text() const {
  std::string text;
  if (!is_ipv6) {
    for (std::size_t i = 0; i < 4; ++i) text += (i == 0 ? "" : ".") + std::to_string(address[i]);
    return text + ":" + std::to_string(port);
  }
  for (std::size_t i = 0; i < 16; i += 2) {
    char group[8];
    std::snprintf(group, sizeof group, "%s%x", i == 0 ? "" : ":", address[i] << 8 | address[i + 1]);
    text += group;
  }
  return "[" + text + "]:" + std::to_string(port);
}

FrameContent FrameReader::read(const Frame& frame, TcpSegment& segment) {
  segment = {};
  Reader in(wire::bytes_of(frame.bytes));
  const auto type = skip_link_header(in, frame);
  if (!type) return FrameContent::kUnknownLink;
  if (!in.ok()) return FrameContent::kCut;
  if (*type != kIpv4 && *type != kIpv6) return FrameContent::kOther;
  const Content content =
      *type == kIpv4 ? read_ipv4(in, frame, segment) : read_ipv6(in, frame, segment);
  if (content.kind == FrameContent::kFragment) return put_together(content.fragment, segment);
  return content.kind == FrameContent::kTcp ? read_tcp(content, segment) : content.kind;
}

FrameContent FrameReader::put_together(const IpFragment& fragment, TcpSegment& segment) {
  auto packet = fragments_.add(fragment);
  if (!packet) return FrameContent::kFragment;
  packet_ = *std::move(packet);
  Reader in(wire::bytes_of(packet_.bytes));
  IpFragment inner;
  const FrameContent kind = skip_extensions(in, packet_.protocol, inner);
  if (kind != FrameContent::kTcp) return kind;
  return read_tcp({FrameContent::kTcp, in.rest(), packet_.lost_bytes}, segment);
}

std::uint64_t FrameReader::lost_fragments() {
  fragments_.finish();
  return fragments_.dropped();
}

}  // namespace wherry::oracle::trace
