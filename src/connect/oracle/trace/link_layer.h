// From a captured frame to the TCP segment in it: link layer, VLAN tags, PPPoE, IPv4 and IPv6 with
// its extension headers, fragments of both.
// Facts: the link-layer types of tcpdump.org/linktypes, RFC 791, 8200, 9293, 2516, IEEE 802.1Q.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "connect/oracle/trace/ip_fragments.h"
#include "connect/oracle/trace/packet_file.h"
#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::trace {

struct Endpoint {
  std::array<std::uint8_t, 16> address{};  ///< IPv4 in the first four bytes
  bool is_ipv6 = false;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
  /// "10.0.0.1:1521", "[2001:db8:0:0:0:0:0:1]:1521"
  [[nodiscard]] std::string text() const;
};

/// `payload` points into the frame's bytes, or into the reader's.
struct TcpSegment {
  Endpoint source, destination;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  bool is_syn = false, is_fin = false, is_reset = false, has_acknowledgment = false;
  std::optional<std::uint16_t> urgent_end;  ///< bytes from `sequence` to behind the urgent one
  wire::ByteView payload;
  std::uint64_t lost_bytes = 0;  ///< of the payload, behind the captured ones
};

enum class FrameContent : std::uint8_t {
  kTcp,
  kFragment,     ///< of an IP packet, whose other parts are still to come
  kCut,          ///< headers end early or contradict themselves
  kUnknownLink,  ///< a link type that is not read
  kOther,        ///< not TCP over IP
};

class FrameReader {
 public:
  explicit FrameReader(IpFragments::Limits limits) : fragments_(limits) {}
  /// `segment` is set for kTcp only, and good until the next call.
  FrameContent read(const Frame& frame, TcpSegment& segment);
  /// After the last frame: fragments of packets that never became complete.
  std::uint64_t lost_fragments();

 private:
  FrameContent put_together(const IpFragment& fragment, TcpSegment& segment);

  IpFragments fragments_;
  IpFragments::Packet packet_;  ///< what the last segment points into
};

}  // namespace wherry::oracle::trace
