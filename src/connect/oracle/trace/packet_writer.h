// For tests: writes TCP sessions as pcap and pcapng files, in every form that the reader knows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::oracle::trace::packets {

/// Integers in the byte order of a file.
class Bytes {
 public:
  explicit Bytes(bool is_little_endian = false) : is_little_endian_(is_little_endian) {}
  Bytes& number(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) {
      const int shift = 8 * (is_little_endian_ ? i : count - 1 - i);
      text_.push_back(static_cast<char>(value >> shift & 0xFF));
    }
    return *this;
  }
  Bytes& u8(std::uint64_t value) { return number(value, 1); }
  Bytes& u16(std::uint64_t value) { return number(value, 2); }
  Bytes& u32(std::uint64_t value) { return number(value, 4); }
  Bytes& raw(std::string_view bytes) {
    text_ += bytes;
    return *this;
  }
  Bytes& zeros(std::size_t count) {
    text_.append(count, '\0');
    return *this;
  }
  Bytes& pad() { return zeros((4 - text_.size() % 4) % 4); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  bool is_little_endian_;
  std::string text_;
};

enum Flag : std::uint8_t { kFin = 1, kSyn = 2, kReset = 4, kAck = 16, kUrgent = 32 };

struct Segment {
  bool from_client = true;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  std::uint8_t flags = kAck;
  std::string payload;
  std::uint16_t client_port = 40000;
  std::uint16_t server_port = 1521;
  std::uint16_t urgent = 0;
};

inline std::string tcp(const Segment& segment) {
  Bytes out;
  out.u16(segment.from_client ? segment.client_port : segment.server_port);
  out.u16(segment.from_client ? segment.server_port : segment.client_port);
  out.u32(segment.sequence).u32(segment.acknowledged);
  out.u8(0x80).u8(segment.flags).u16(1000).u16(0).u16(segment.urgent);
  out.raw(std::string_view("\x01\x01\x08\x0a", 4)).zeros(8);  // options of 12 bytes
  std::string bytes = out.raw(segment.payload).text();
  bytes[12] = '\x80';
  return bytes;
}

inline std::string ipv4(const Segment& segment, std::uint16_t fragment = 0x4000) {
  const std::string content = tcp(segment);
  Bytes out;
  out.u8(0x46).u8(0).u16(24 + content.size()).u16(7).u16(fragment).u8(64).u8(6).u16(0);
  out.u32(segment.from_client ? 0x0A000001 : 0x0A000002);
  out.u32(segment.from_client ? 0x0A000002 : 0x0A000001);
  return out.u32(0x01010101).raw(content).text();
}

/// A whole IPv4 packet in fragments of `size` bytes of content, a multiple of 8.
inline std::vector<std::string> fragments_of(const std::string& packet, std::size_t size,
                                             std::uint16_t id) {
  const std::string header = packet.substr(0, 24), content = packet.substr(24);
  std::vector<std::string> fragments;
  for (std::size_t at = 0; at < content.size(); at += size) {
    const std::string piece = content.substr(at, size);
    const bool is_last = at + size >= content.size();
    const std::uint64_t place = at / 8 | (is_last ? 0U : 0x2000U);
    fragments.push_back(Bytes()
                            .raw(header.substr(0, 2))
                            .u16(24 + piece.size())
                            .u16(id)
                            .u16(place)
                            .raw(header.substr(8))
                            .raw(piece)
                            .text());
  }
  return fragments;
}

/// The same of IPv6, destination options in the first one.
inline std::vector<std::string> ipv6_fragments(const Segment& segment, std::size_t size,
                                               std::uint32_t id) {
  const std::string content = Bytes().u8(6).u8(0).zeros(6).raw(tcp(segment)).text();
  std::vector<std::string> fragments;
  for (std::size_t at = 0; at < content.size(); at += size) {
    const std::string piece = content.substr(at, size);
    Bytes out;
    out.u32(0x60000000).u16(8 + piece.size()).u8(44).u8(64);
    out.u32(0x20010DB8).zeros(11).u8(segment.from_client ? 1 : 2);
    out.u32(0x20010DB8).zeros(11).u8(segment.from_client ? 2 : 1);
    out.u8(60).u8(0).u16(at | (at + size < content.size() ? 1U : 0U)).u32(id);
    fragments.push_back(out.raw(piece).text());
  }
  return fragments;
}

/// Hop-by-hop, destination options, an atomic fragment header, authentication.
inline std::string ipv6(const Segment& segment) {
  const std::string content = tcp(segment);
  Bytes out;
  out.u32(0x60000000).u16(8 + 16 + 8 + 24 + content.size()).u8(0).u8(64);
  const auto address = [&](int last) { out.u32(0x20010DB8).zeros(11).u8(last); };
  address(segment.from_client ? 1 : 2);
  address(segment.from_client ? 2 : 1);
  out.u8(60).u8(0).zeros(6);        // hop by hop
  out.u8(44).u8(1).zeros(14);       // destination options
  out.u8(51).u8(0).u16(0).u32(77);  // fragment, the only one
  out.u8(6).u8(4).zeros(22);        // authentication
  return out.raw(content).text();
}

/// One way to put a segment into a frame.
struct Link {
  std::uint32_t type = 1;
  std::function<std::string(const Segment&)> frame;
};

inline std::string ethernet(std::string_view tags_and_type, std::string_view packet) {
  // Short frames are padded.
  std::string bytes = std::string(12, '\x02') + std::string(tags_and_type) + std::string(packet);
  if (bytes.size() < 60) bytes.resize(60, '\0');
  return bytes;
}

inline std::vector<std::pair<std::string, Link>> links(bool is_little_endian) {
  const auto null_header = [is_little_endian](std::uint32_t family) {
    return Bytes(is_little_endian).u32(family).text();
  };
  using S = const Segment&;
  std::vector<std::pair<std::string, Link>> list;
  list.push_back(
      {"ethernet", {1, [](S s) { return ethernet("\x08" + std::string(1, '\0'), ipv4(s)); }}});
  list.push_back({"ethernet, IPv6", {1, [](S s) { return ethernet("\x86\xdd", ipv6(s)); }}});
  list.push_back({"two VLAN tags",
                  {1, [](S s) {
                     return ethernet(
                         Bytes().u16(0x88A8).u16(5).u16(0x8100).u16(6).u16(0x0800).text(), ipv4(s));
                   }}});
  list.push_back({"PPPoE", {1, [](S s) {
                              const std::string head =
                                  Bytes().u16(0x8864).u32(0x11000001).u16(99).u16(0x21).text();
                              return ethernet(head, ipv4(s));
                            }}});
  list.push_back(
      {"cooked", {113, [](S s) { return Bytes().zeros(14).u16(0x0800).raw(ipv4(s)).text(); }}});
  list.push_back(
      {"cooked 2", {276, [](S s) { return Bytes().u16(0x86DD).zeros(18).raw(ipv6(s)).text(); }}});
  list.push_back({"null", {0, [=](S s) { return null_header(2) + ipv4(s); }}});
  list.push_back({"null, IPv6", {0, [=](S s) { return null_header(30) + ipv6(s); }}});
  list.push_back({"loop", {108, [](S s) { return Bytes().u32(2).raw(ipv4(s)).text(); }}});
  list.push_back({"raw", {101, [](S s) { return ipv4(s); }}});
  list.push_back({"raw, IPv6", {101, [](S s) { return ipv6(s); }}});
  list.push_back({"IPv4", {228, [](S s) { return ipv4(s); }}});
  list.push_back({"IPv6", {229, [](S s) { return ipv6(s); }}});
  return list;
}

/// `snapshot` cuts the frames.
inline std::string pcap(const std::vector<std::string>& frames, std::uint32_t link_type,
                        bool is_little_endian = true, bool has_nanoseconds = false,
                        std::size_t snapshot = 262144) {
  Bytes out(is_little_endian);
  out.u32(has_nanoseconds ? 0xA1B23C4D : 0xA1B2C3D4).u16(2).u16(4).u32(0).u32(0);
  out.u32(snapshot).u32(link_type);
  for (const std::string& frame : frames) {
    const std::string_view kept = std::string_view(frame).substr(0, snapshot);
    out.u32(1).u32(2).u32(kept.size()).u32(frame.size()).raw(kept);
  }
  return out.text();
}

enum class BlockKind : std::uint8_t { kEnhanced, kSimple, kOld };

inline std::string block(std::uint32_t type, const std::string& body, bool is_little_endian) {
  Bytes padded(is_little_endian);
  padded.raw(body).pad();
  const std::size_t length = padded.text().size() + 12;
  return Bytes(is_little_endian).u32(type).u32(length).raw(padded.text()).u32(length).text();
}

inline std::string section(bool is_little_endian) {
  Bytes body(is_little_endian);
  body.u32(0x1A2B3C4D).u16(1).u16(0).u32(0xFFFFFFFF).u32(0xFFFFFFFF);
  body.u16(4).u16(5).raw("tests").pad().u32(0);  // an option: the application
  return block(0x0A0D0D0A, body.text(), is_little_endian);
}

inline std::string interface(std::uint32_t link_type, bool is_little_endian) {
  Bytes body(is_little_endian);
  body.u16(link_type).u16(0).u32(0).u16(9).u16(1).u8(9).pad().u32(0);  // nanoseconds
  return block(1, body.text(), is_little_endian);
}

inline std::string packet(const std::string& frame, std::uint32_t interface, BlockKind kind,
                          bool is_little_endian) {
  Bytes body(is_little_endian);
  switch (kind) {
    case BlockKind::kSimple:
      return block(3, body.u32(frame.size()).raw(frame).text(), is_little_endian);
    case BlockKind::kOld:
      body.u16(interface).u16(0).u32(1).u32(2);
      break;
    default:
      body.u32(interface).u32(1).u32(2);
  }
  body.u32(frame.size()).u32(frame.size()).raw(frame).pad();
  body.u16(1).u16(4).raw("note").u32(0);
  return block(kind == BlockKind::kOld ? 2 : 6, body.text(), is_little_endian);
}

/// A connection as its segments, sequence numbers counted.
class Connection {
 public:
  explicit Connection(std::uint16_t client_port = 40000, std::uint32_t client_sequence = 1000,
                      std::uint32_t server_sequence = 5000)
      : client_port_(client_port), next_{client_sequence, server_sequence} {}

  Connection& open() {
    push(true, kSyn, "");
    ++next_[0];
    push(false, kSyn | kAck, "");
    ++next_[1];
    push(true, kAck, "");
    return *this;
  }
  Connection& send(bool from_client, const std::string& bytes) {
    push(from_client, kAck, bytes);
    next_[from_client ? 0 : 1] += static_cast<std::uint32_t>(bytes.size());
    return *this;
  }
  Connection& urgent(bool from_client, char byte) {
    push(from_client, kAck | kUrgent, std::string(1, byte));
    segments_.back().urgent = 1;
    next_[from_client ? 0 : 1] += 1;
    return *this;
  }
  Connection& close(std::uint8_t flag = kFin) {
    push(true, flag | kAck, "");
    ++next_[0];
    push(false, flag | kAck, "");
    ++next_[1];
    return *this;
  }
  std::vector<Segment>& segments() & { return segments_; }
  std::vector<Segment> segments() && { return std::move(segments_); }

 private:
  void push(bool from_client, int flags, const std::string& bytes) {
    Segment segment;
    segment.from_client = from_client;
    segment.sequence = next_[from_client ? 0 : 1];
    segment.acknowledged = (flags & kAck) != 0 ? next_[from_client ? 1 : 0] : 0;
    segment.flags = static_cast<std::uint8_t>(flags);
    segment.payload = bytes;
    segment.client_port = client_port_;
    segments_.push_back(segment);
  }

  std::uint16_t client_port_;
  std::uint32_t next_[2];
  std::vector<Segment> segments_;
};

}  // namespace wherry::oracle::trace::packets
