// pcap and pcapng files: every form of file and frame, and TCP as networks and capture tools make
// it. The sessions are made here; captured ones are put through the same in the second half.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/decode_capture.h"
#include "connect/oracle/trace/ip_fragments.h"
#include "connect/oracle/trace/packet_writer.h"
#include "connect/oracle/trace/session.h"
#include "connect/oracle/trace/shared_vectors.h"
#include "connect/oracle/wire/tns.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::trace {
namespace {

using packets::BlockKind;
using packets::Connection;
using packets::Segment;

std::vector<Json> decode_file(const std::string& file, const DecodeOptions& options = {}) {
  std::istringstream in(file);
  std::ostringstream out;
  const Result<void> result = decode_capture(in, out, "test", options);
  EXPECT_TRUE(result.ok()) << result.error().to_paragraph();
  std::vector<Json> messages;
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) messages.push_back(Json::parse(line));
  return messages;
}

std::vector<std::string> messages_of(const std::vector<Json>& lines) {
  std::vector<std::string> list;
  for (const Json& line : lines) list.push_back(line["message"]);
  return list;
}

std::string text_of_bytes(const wire::Bytes& bytes) {
  return std::string(wire::text_of(bytes));
}

std::string tns_packet(wire::PacketType type, const std::string& body, bool is_large) {
  wire::Writer out;
  wire::encode_header(out, {static_cast<std::uint32_t>(body.size() + 8), type, 0}, is_large);
  out.raw(body);
  return text_of_bytes(out.bytes());
}

std::string connect_packet() {
  wire::ConnectRequest request;
  request.connect_data = "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=s)))";
  return text_of_bytes(wire::encode_connect(request));
}

std::string accept_packet() {
  packets::Bytes body;
  body.u16(318).u16(0).u16(8192).u16(0xFFFF).u16(0x100).u16(0).u16(45).u8(0x45).u8(0x45);
  body.zeros(8).u32(8192).u32(0x200000).u8(0).u32(0);
  return tns_packet(wire::PacketType::kAccept, body.text(), false);
}

std::string data_packet(const std::string& payload) {
  return tns_packet(wire::PacketType::kData, std::string(2, '\0') + payload, true);
}

const std::string kCommit("\x03\x0e\x01", 3);
const std::string kPing("\x03\x93\x02", 3);
const std::string kStatus("\x09\x01\x02\x00", 4);

/// Opened, connected, one commit; then whatever is added.
Connection session(std::uint16_t client_port = 40000, std::uint32_t client_sequence = 1000) {
  Connection connection(client_port, client_sequence);
  connection.open().send(true, connect_packet()).send(false, accept_packet());
  connection.send(true, data_packet(kCommit)).send(false, data_packet(kStatus));
  return connection;
}

const std::vector<std::string> kSessionMessages = {"connect", "accept", "commit", "status"};

std::vector<std::string> raw_frames(const std::vector<Segment>& segments) {
  std::vector<std::string> frames;
  for (const Segment& segment : segments) frames.push_back(packets::ipv4(segment));
  return frames;
}

std::string raw_pcap(const std::vector<Segment>& segments) {
  return packets::pcap(raw_frames(segments), 101);
}

TEST(PacketCapture, ReadsEveryLinkLayerInBothByteOrders) {
  for (const bool is_little : {true, false}) {
    for (const auto& [name, link] : packets::links(is_little)) {
      std::vector<std::string> frames;
      for (const Segment& segment : session().segments()) frames.push_back(link.frame(segment));
      for (const bool is_nano : {true, false}) {
        const auto lines = decode_file(packets::pcap(frames, link.type, is_little, is_nano));
        EXPECT_EQ(messages_of(lines), kSessionMessages) << name;
        EXPECT_EQ(lines[0]["n"], 4) << name;
        EXPECT_EQ(lines[0]["direction"], "client");
        EXPECT_EQ(lines[3]["direction"], "server");
      }
    }
  }
}

TEST(PacketCapture, ReadsBlocksOfEveryKind) {
  for (const bool is_little : {true, false}) {
    for (const BlockKind kind : {BlockKind::kEnhanced, BlockKind::kSimple, BlockKind::kOld}) {
      std::string file = packets::section(is_little) + packets::interface(101, is_little);
      file += packets::block(5, std::string(24, 'x'), is_little);      // statistics
      file += packets::block(0x0BAD, std::string(5, 'x'), is_little);  // nobody's
      for (const std::string& frame : raw_frames(session().segments())) {
        file += packets::packet(frame, 0, kind, is_little);
      }
      EXPECT_EQ(messages_of(decode_file(file)), kSessionMessages);
    }
  }
}

TEST(PacketCapture, FollowsAConnectionOverInterfacesAndSections) {
  const auto segments = session().segments();
  std::string file = packets::section(true) + packets::interface(1, true);
  file += packets::interface(101, true);
  const std::size_t half = segments.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const std::string frame =
        i % 2 == 0 ? packets::ethernet(std::string("\x08\x00", 2), packets::ipv4(segments[i]))
                   : packets::ipv4(segments[i]);
    file += packets::packet(frame, i % 2, BlockKind::kEnhanced, true);
  }
  file += packets::section(false) + packets::interface(228, false);
  for (std::size_t i = half; i < segments.size(); ++i) {
    file += packets::packet(packets::ipv4(segments[i]), 0, BlockKind::kEnhanced, false);
  }
  EXPECT_EQ(messages_of(decode_file(file)), kSessionMessages);
}

bool is_whole(const Json& line) {
  return line["direction"] != "unknown" && line["message"] != "undecoded" &&
         line["message"] != "missing";
}

/// Every beginning of a file gives its whole messages and says what was lost.
TEST(PacketCapture, NeverFailsOnATruncatedFile) {
  const auto segments = session().segments();
  std::string blocks = packets::section(true) + packets::interface(101, true);
  for (const std::string& frame : raw_frames(segments)) {
    blocks += packets::packet(frame, 0, BlockKind::kEnhanced, true);
  }
  for (const std::string& file : {raw_pcap(segments), blocks}) {
    const std::size_t message_count = decode_file(file).size();
    std::size_t most = 0;
    for (std::size_t size = 4; size < file.size(); ++size) {
      std::istringstream in(file.substr(0, size));
      std::ostringstream out;
      const Result<void> result = decode_capture(in, out, "cut");
      if (!result.ok()) {
        EXPECT_EQ(result.error().code, "oracle.capture_empty");
        EXPECT_EQ(out.str(), "");
        continue;
      }
      std::size_t whole = 0;
      std::istringstream lines(out.str());
      for (std::string line; std::getline(lines, line);) {
        const Json message = Json::parse(line);
        whole += is_whole(message) ? 1U : 0U;
      }
      // The message that is cut may have looked whole when less of it was there.
      EXPECT_GE(whole + 1, most) << size;
      most = std::max(most, whole);
    }
    EXPECT_EQ(most, message_count);
  }
}

TEST(PacketCapture, SaysWhereAFileIsDamaged) {
  const std::string file = raw_pcap(session().segments());
  const auto cut = decode_file(file.substr(0, file.size() - 3));
  EXPECT_EQ(cut.back()["message"], "damaged file");
  EXPECT_EQ(cut.back()["flow"], nullptr);
  std::string broken = file;
  broken.replace(24 + 16 + packets::ipv4(session().segments()[0]).size() + 8, 4,
                 "\xff\xff\xff\xff");
  const auto lines = [&] {
    std::istringstream in(broken);
    std::ostringstream out;
    EXPECT_TRUE(decode_capture(in, out, "broken").ok());
    return out.str();
  }();
  EXPECT_NE(lines.find("4294967295 bytes is a sign of damage"), std::string::npos);
}

TEST(PacketCapture, NamesWhatItDoesNotRead) {
  auto segments = session().segments();
  auto frames = raw_frames(segments);
  frames.push_back(packets::ipv4(segments[3], 0x2000));
  frames.push_back(packets::ipv4(segments[3], 0x0070));
  frames.push_back(packets::ipv4(segments[3]).substr(0, 30));
  const auto lines = decode_file(packets::pcap(frames, 101));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[4]["message"], "skipped frames");
  EXPECT_EQ(lines[4]["frames"], 1);
  EXPECT_EQ(lines[5]["frames"], 2);
  EXPECT_NE(lines[5]["reason"].get<std::string>().find("other parts are missing"),
            std::string::npos);
  const auto unknown = decode_file(packets::pcap(frames, 147));
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_EQ(unknown[0]["reason"], "link type 147 is not read");
}

/// The packets of a session in fragments, each list in an order of its own.
TEST(PacketCapture, PutsFragmentsTogether) {
  std::mt19937 random(791);
  for (const std::size_t size : {std::size_t{8}, std::size_t{40}, std::size_t{1480}}) {
    std::vector<std::string> v4, v6;
    std::uint16_t id = 0;
    for (const Segment& segment : session().segments()) {
      auto pieces = packets::fragments_of(packets::ipv4(segment), size, ++id);
      pieces.push_back(pieces[random() % pieces.size()]);  // one of them twice
      std::shuffle(pieces.begin(), pieces.end(), random);
      v4.insert(v4.end(), pieces.begin(), pieces.end());
      pieces = packets::ipv6_fragments(segment, size, id);
      std::shuffle(pieces.begin(), pieces.end(), random);
      v6.insert(v6.end(), pieces.begin(), pieces.end());
    }
    EXPECT_EQ(messages_of(decode_file(packets::pcap(v6, 229))), kSessionMessages) << size;
    const auto lines = decode_file(packets::pcap(v4, 228));
    // A double behind its whole packet is one that never becomes whole.
    EXPECT_EQ(messages_of({lines.begin(), lines.begin() + 4}), kSessionMessages) << size;
  }
}

/// Two packets of different numbers may come mixed; the same number may be used again.
TEST(PacketCapture, KeepsFragmentsOfSeveralPacketsApart) {
  const auto segments = session().segments();
  std::vector<std::string> frames;
  std::vector<std::vector<std::string>> lists;
  for (const Segment& segment : segments) {
    lists.push_back(packets::fragments_of(packets::ipv4(segment), 16,
                                          static_cast<std::uint16_t>(lists.size() % 2)));
  }
  // The first part of a packet that never came, with a number that is used again.
  frames.push_back(packets::fragments_of(packets::ipv4(segments[4]), 24, 0)[0]);
  for (std::size_t i = 0; i < lists.size(); i += 2) {
    const std::size_t longest =
        std::max(lists[i].size(), i + 1 < lists.size() ? lists[i + 1].size() : 0);
    for (std::size_t j = 0; j < longest; ++j) {
      for (std::size_t k = i; k < std::min(i + 2, lists.size()); ++k) {
        if (j < lists[k].size()) frames.push_back(lists[k][j]);
      }
    }
  }
  const auto lines = decode_file(packets::pcap(frames, 228));
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(messages_of({lines.begin(), lines.begin() + 4}), kSessionMessages);
  EXPECT_EQ(lines[4]["frames"], 1);
}

TEST(PacketCapture, SaysWhatTheSnapshotLengthCutOfAFragment) {
  Connection connection = session();
  connection.send(true, data_packet(kPing + std::string(400, 'x')));
  connection.send(false, data_packet(kStatus)).send(true, data_packet(kPing));
  std::vector<std::string> frames;
  std::uint16_t id = 0;
  for (const Segment& segment : connection.segments()) {
    for (const std::string& piece : packets::fragments_of(packets::ipv4(segment), 256, ++id)) {
      frames.push_back(piece);
    }
  }
  const auto names = messages_of(decode_file(packets::pcap(frames, 228, true, false, 250)));
  EXPECT_EQ(std::count(names.begin(), names.end(), "missing"), 1);
  EXPECT_EQ(names.back(), "ping");
}

/// Fragments without their other parts, as many as one likes.
TEST(PacketCapture, KeepsFewFragmentsOfPacketsThatNeverBecomeWhole) {
  IpFragments::Limits limits;
  limits.max_packets = 8;
  limits.max_bytes = 20000;
  IpFragments fragments(limits);
  const std::string bytes(1000, 'x');
  for (std::uint32_t id = 0; id < 100; ++id) {
    IpFragment fragment;
    fragment.id = id;
    fragment.bytes = wire::bytes_of(bytes);
    EXPECT_FALSE(fragments.add(fragment));
  }
  EXPECT_EQ(fragments.dropped(), 92U);
  for (std::uint32_t i = 0; i < 60; ++i) {
    IpFragment fragment;
    fragment.id = 1000;
    fragment.offset = i * 1000;
    fragment.bytes = wire::bytes_of(bytes);
    EXPECT_FALSE(fragments.add(fragment));
  }
  EXPECT_GE(fragments.dropped(), 100U);
  IpFragment beyond;
  beyond.offset = 65000;
  beyond.bytes = wire::bytes_of(bytes);
  EXPECT_FALSE(fragments.add(beyond));
}

TEST(PacketCapture, NamesAnInterfaceThatIsNotDescribed) {
  std::string file = packets::section(true) + packets::interface(101, true);
  for (const std::string& frame : raw_frames(session().segments())) {
    file += packets::packet(frame, 0, BlockKind::kEnhanced, true);
    file += packets::packet(frame, 3, BlockKind::kEnhanced, true);
    file += packets::block(0x0A, std::string(12, 'k'), true);        // secrets
    file += packets::block(0x80000BAD, std::string(40, 'x'), true);  // somebody's own
    file += packets::block(4, std::string(4, '\0'), true);           // names
  }
  const auto lines = decode_file(file);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[4]["reason"], "the file does not describe their interface");
}

TEST(PacketCapture, RefusesACompressedFileWithARemedy) {
  std::istringstream in(std::string("\x1f\x8b\x08\x00", 4));
  std::ostringstream out;
  const Result<void> result = decode_capture(in, out, "a.pcap.gz");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, "oracle.capture_compressed");
}

TEST(PacketCapture, DropsRetransmissionsAndOverlaps) {
  auto segments = session().segments();
  std::vector<Segment> seen;
  for (const Segment& segment : segments) {
    seen.push_back(segment);
    if (segment.payload.size() < 4) continue;
    seen.push_back(segment);  // again
    Segment later = segment;  // again from its middle, with what follows missing
    later.sequence += 3;
    later.payload = later.payload.substr(3);
    seen.push_back(later);
    Segment alive = segment;  // keep-alive
    alive.sequence -= 1;
    alive.payload = "x";
    seen.push_back(alive);
  }
  EXPECT_EQ(messages_of(decode_file(raw_pcap(seen))), kSessionMessages);
}

TEST(PacketCapture, PutsOverlappingPiecesTogether) {
  Connection connection;
  connection.open();
  const std::string packet = connect_packet();
  const std::uint32_t start = connection.segments()[2].sequence;
  std::vector<Segment> seen = connection.segments();
  for (std::size_t at : {std::size_t{40}, std::size_t{0}, std::size_t{20}}) {
    Segment piece = connection.segments()[2];
    piece.sequence = start + static_cast<std::uint32_t>(at);
    piece.payload = packet.substr(at, at == 40 ? packet.npos : 30);
    seen.push_back(piece);
  }
  EXPECT_EQ(messages_of(decode_file(raw_pcap(seen))), std::vector<std::string>{"connect"});
}

TEST(PacketCapture, FollowsSequenceNumbersOverTheirEnd) {
  for (std::uint32_t back = 0; back < 200; back += 7) {
    const auto lines = decode_file(raw_pcap(session(40000, 0U - back).segments()));
    EXPECT_EQ(messages_of(lines), kSessionMessages) << back;
  }
}

TEST(PacketCapture, KeepsConnectionsApartAlsoOnTheSamePort) {
  std::vector<Segment> seen;
  const auto append = [&](Connection connection) {
    for (const Segment& segment : connection.segments()) seen.push_back(segment);
  };
  append(session(40000, 1000).close());
  append(session(40000, 900000).close(packets::kReset));
  append(session(40000, 77).close());  // lower numbers than before
  append(session(40001, 1000));
  const auto lines = decode_file(raw_pcap(seen));
  ASSERT_EQ(lines.size(), 16U);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i]["flow"], i / 4);
}

TEST(PacketCapture, KeepsMixedConnectionsApart) {
  Connection first = session(40000), second = session(40001, 90);
  std::vector<Segment> seen;
  for (std::size_t i = 0; i < first.segments().size(); ++i) {
    seen.push_back(first.segments()[i]);
    seen.push_back(second.segments()[i]);
  }
  std::map<int, std::vector<std::string>> flows;
  for (const Json& line : decode_file(raw_pcap(seen)))
    flows[line["flow"]].push_back(line["message"]);
  EXPECT_EQ(flows[0], kSessionMessages);
  EXPECT_EQ(flows[1], kSessionMessages);
}

TEST(PacketCapture, TellsWhichBytesAreMissing) {
  Connection connection = session();
  const std::string request = data_packet(kCommit);
  for (int i = 0; i < 3; ++i) connection.send(true, request).send(false, data_packet(kStatus));
  auto segments = connection.segments();
  const std::size_t lost = 9;  // the second commit's answer and the third request stay
  const auto bytes = segments[lost - 2].payload.size();
  segments.erase(segments.begin() + lost - 2);
  const auto lines = decode_file(raw_pcap(segments));
  const auto names = messages_of(lines);
  EXPECT_EQ(std::count(names.begin(), names.end(), "commit"), 3);
  EXPECT_EQ(std::count(names.begin(), names.end(), "status"), 4);
  const auto missing = std::find(names.begin(), names.end(), "missing");
  ASSERT_NE(missing, names.end());
  EXPECT_EQ(lines[static_cast<std::size_t>(missing - names.begin())]["bytes"], bytes);
}

TEST(PacketCapture, GoesOnBehindAHoleWithinAPacket) {
  Connection connection = session();
  const std::string packet = data_packet(std::string("\x03\x0e\x03", 3) + std::string(5000, 'x'));
  for (std::size_t at = 0; at < packet.size(); at += 1000) {
    connection.send(true, packet.substr(at, 1000));
  }
  connection.send(false, data_packet(kStatus)).send(true, data_packet(kPing));
  auto segments = connection.segments();
  segments.erase(segments.begin() + 9);
  const auto lines = decode_file(raw_pcap(segments));
  EXPECT_EQ(lines.back()["message"], "ping");
  const auto names = messages_of(lines);
  const auto missing = std::find(names.begin(), names.end(), "missing");
  ASSERT_NE(missing, names.end());
  EXPECT_EQ(lines[static_cast<std::size_t>(missing - names.begin())]["bytes"], 1000);
}

TEST(PacketCapture, FindsTheNextPacketBehindAHole) {
  Connection connection = session();
  std::string stream;
  for (int i = 0; i < 40; ++i) stream += data_packet(kPing);
  for (std::size_t at = 0; at < stream.size(); at += 100)
    connection.send(true, stream.substr(at, 100));
  connection.send(false, data_packet(kStatus));
  auto segments = connection.segments();
  segments.erase(segments.begin() + 8);
  const auto names = messages_of(decode_file(raw_pcap(segments)));
  EXPECT_GE(std::count(names.begin(), names.end(), "ping"), 28);
  EXPECT_EQ(names.back(), "status");
}

TEST(PacketCapture, JoinsAConnectionInItsMiddle) {
  Connection connection = session();
  connection.send(true, data_packet(kPing)).send(false, data_packet(kStatus));
  const auto all = connection.segments();
  for (std::size_t first = 1; first + 2 < all.size(); ++first) {
    const std::vector<Segment> part(all.begin() + static_cast<std::ptrdiff_t>(first), all.end());
    const auto lines = decode_file(raw_pcap(part));
    ASSERT_GE(lines.size(), 2U) << first;
    const Json& ping = lines[lines.size() - 2];
    EXPECT_EQ(ping["message"], "ping") << first;
    EXPECT_EQ(ping["direction"], "client") << first;
    EXPECT_EQ(lines.back()["message"], "status") << first;
  }
}

TEST(PacketCapture, ShowsAnUrgentBreakAndKeepsTheStreamWhole) {
  Connection connection = session();
  connection.send(true, data_packet(kCommit)).urgent(true, '!').send(false, data_packet(kStatus));
  connection.send(true, data_packet(kPing));
  const auto lines = decode_file(raw_pcap(connection.segments()));
  auto wanted = kSessionMessages;
  for (const char* name : {"commit", "marker", "status", "ping"}) wanted.emplace_back(name);
  EXPECT_EQ(messages_of(lines), wanted);
  EXPECT_EQ(lines[5]["urgent"], true);
}

TEST(PacketCapture, NamesTlsAndLeavesOtherProtocolsOut) {
  Connection tls(41000);
  tls.open().send(true, std::string("\x16\x03\x01\x00\x20", 5) + std::string(32, 'x'));
  Connection web(41001);
  web.open().send(true, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").send(false, "HTTP/1.1 200 OK\r\n\r\n");
  Connection greeting(41002);
  greeting.open().send(false, "220 mail.example ready\r\n").send(true, "QUIT\r\n");
  std::vector<Segment> seen = tls.segments();
  for (Connection each : {web, greeting, session()}) {
    for (const Segment& segment : each.segments()) seen.push_back(segment);
  }
  const auto lines = decode_file(raw_pcap(seen));
  auto wanted = kSessionMessages;
  wanted.insert(wanted.begin(), "tls");
  EXPECT_EQ(messages_of(lines), wanted);
  DecodeOptions options;
  options.lists_connections = true;
  const auto listed = decode_file(raw_pcap(seen), options);
  std::vector<std::string> protocols;
  for (const Json& line : listed) {
    if (line["message"] == "connection") protocols.push_back(line["protocol"]);
  }
  std::sort(protocols.begin(), protocols.end());
  EXPECT_EQ(protocols, (std::vector<std::string>{"oracle", "other", "other", "tls"}));
  EXPECT_EQ(listed.back()["server"].get<std::string>().rfind("10.0.0.2:1521", 0), 0U);
}

TEST(PacketCapture, IsNotMisledByWrongAcknowledgments) {
  for (const std::uint32_t wrong : {0U, 1U, 0x7FFFFFFFU}) {
    auto segments = session().segments();
    for (Segment& segment : segments) {
      if ((segment.flags & packets::kSyn) == 0) segment.acknowledged += wrong;
    }
    const auto names = messages_of(decode_file(raw_pcap(segments)));
    EXPECT_EQ(names.size(), 4U) << wrong;
  }
}

TEST(PacketCapture, SaysThatTheSnapshotLengthCutPackets) {
  Connection connection = session();
  connection.send(true, data_packet(kPing + std::string(400, 'x')));
  connection.send(false, data_packet(kStatus)).send(true, data_packet(kPing));
  const auto lines =
      decode_file(packets::pcap(raw_frames(connection.segments()), 101, true, false, 250));
  const auto names = messages_of(lines);
  const auto missing = std::find(names.begin(), names.end(), "missing");
  ASSERT_NE(missing, names.end());
  EXPECT_NE(
      lines[static_cast<std::size_t>(missing - names.begin())]["reason"].get<std::string>().find(
          "snapshot"),
      std::string::npos);
  EXPECT_EQ(names.back(), "ping");
}

/// However little may be kept, every small message of many connections is given out.
TEST(PacketCapture, KeepsToItsMemory) {
  std::vector<Connection> connections;
  for (int i = 0; i < 50; ++i) {
    connections.push_back(session(static_cast<std::uint16_t>(30000 + i)));
    const std::string packet = data_packet(kPing + std::string(7000, 'x'));
    for (int j = 0; j < 20; ++j) connections.back().send(true, packet);
    connections.back().send(false, data_packet(kStatus));
  }
  std::vector<Segment> seen;
  for (std::size_t i = 0; i < connections[0].segments().size(); ++i) {
    for (Connection& connection : connections) seen.push_back(connection.segments()[i]);
  }
  DecodeOptions options;
  options.memory_bytes = 1 << 20;
  const auto names = messages_of(decode_file(raw_pcap(seen), options));
  EXPECT_EQ(std::count(names.begin(), names.end(), "commit"), 50);
}

// --- Captured sessions, as files of many kinds ---

struct Piece {
  std::uint64_t flow = 0;
  bool from_client = false;
  std::string bytes;
};

/// The packets of a text capture.
std::vector<Piece> pieces_of(const std::string& text) {
  std::vector<Piece> pieces;
  std::istringstream in(text);
  read_capture({}, in, [&](const Block& block) {
    if (block.is_alone || block.is_payload) return;
    pieces.push_back({block.flow, block.direction == Direction::kClient, block.bytes});
  });
  return pieces;
}

/// Cuts each packet into segments; the sizes come from `size_of`.
std::vector<Segment> segments_of(const std::vector<Piece>& pieces,
                                 const std::function<std::size_t()>& size_of) {
  std::map<std::uint64_t, Connection> connections;
  std::vector<Segment> all;
  std::size_t given = 0;
  const auto take_new = [&](Connection& connection) {
    for (const Segment& segment : connection.segments()) all.push_back(segment);
    connection.segments().clear();
  };
  for (const Piece& piece : pieces) {
    const auto port = static_cast<std::uint16_t>(20000 + piece.flow);
    const auto [found, is_new] =
        connections.try_emplace(piece.flow, Connection(port, 0xFFFFFF00U, 0xFFFFF000U));
    if (is_new) found->second.open();
    for (std::size_t at = 0; at < piece.bytes.size(); at += given) {
      given = std::max<std::size_t>(1, size_of());
      found->second.send(piece.from_client, piece.bytes.substr(at, given));
    }
    take_new(found->second);
  }
  return all;
}

/// What must not depend on the file: all but frame numbers; flows in the order of their beginning.
Json comparable(const std::vector<Json>& lines) {
  std::map<std::string, std::size_t> flows;
  Json all = Json::object();
  for (Json line : lines) {
    const std::string flow =
        std::to_string(flows.try_emplace(line["flow"].dump(), flows.size()).first->second);
    line.erase("n");
    line.erase("flow");
    all[flow].push_back(line);
  }
  return all;
}

class CapturedSessionsAsPackets : public SharedVectorTest {
 protected:
  struct Capture {
    std::string name;
    std::vector<Piece> pieces;
    Json wanted;
  };
  /// Those that consist of packets.
  std::vector<Capture> captures() const {
    std::vector<Capture> list;
    for (const auto& entry : std::filesystem::directory_iterator(vectors_)) {
      if (entry.path().extension() != ".txt") continue;
      Capture capture;
      capture.name = entry.path().filename();
      const std::string text = text_of(capture.name);
      capture.pieces = pieces_of(text);
      if (capture.pieces.empty()) continue;
      capture.wanted = comparable(decode_file(text));
      list.push_back(std::move(capture));
    }
    EXPECT_GE(list.size(), 8U);
    return list;
  }
};

TEST_F(CapturedSessionsAsPackets, GiveTheSameMessagesInAnySegments) {
  for (const Capture& capture : captures()) {
    for (const std::size_t size : {std::size_t{100000}, std::size_t{1460}, std::size_t{7}}) {
      const auto segments = segments_of(capture.pieces, [&] { return size; });
      EXPECT_EQ(comparable(decode_file(raw_pcap(segments))), capture.wanted)
          << capture.name << " in segments of " << size;
    }
  }
}

TEST_F(CapturedSessionsAsPackets, MayBeCutAtEveryByte) {
  for (const Capture& capture : captures()) {
    std::size_t bytes = 0;
    for (const Piece& piece : capture.pieces) bytes += piece.bytes.size();
    if (bytes > 12000) continue;
    EXPECT_EQ(comparable(decode_file(raw_pcap(segments_of(capture.pieces, [] { return 1U; })))),
              capture.wanted)
        << capture.name;
    // Pairs of segments, the border at every byte of the headers and of what follows them.
    for (std::size_t border = 1; border < 80; ++border) {
      std::size_t calls = 0;
      const auto size = [&] { return calls++ % 2 == 0 ? border : 100000; };
      const auto segments = segments_of(capture.pieces, size);
      ASSERT_EQ(comparable(decode_file(raw_pcap(segments))), capture.wanted)
          << capture.name << " cut at " << border;
    }
  }
}

TEST_F(CapturedSessionsAsPackets, MayBeReorderedAndDoubled) {
  std::mt19937 random(1521);
  for (const Capture& capture : captures()) {
    for (int round = 0; round < 4; ++round) {
      const auto size = [&] { return 1 + random() % 900; };
      auto segments = segments_of(capture.pieces, size);
      std::vector<Segment> seen;
      for (const Segment& segment : segments) {
        seen.push_back(segment);
        if (random() % 4 == 0) seen.push_back(segment);
      }
      // The opening of a connection stays where it is; the rest moves by up to ten places.
      for (std::size_t i = 0; i < seen.size(); ++i) {
        const std::size_t j = std::min(i + random() % 10, seen.size() - 1);
        const auto is_opening = [](const Segment& s) { return (s.flags & packets::kSyn) != 0; };
        const bool is_free =
            std::none_of(seen.begin() + static_cast<std::ptrdiff_t>(i),
                         seen.begin() + static_cast<std::ptrdiff_t>(j) + 1, is_opening);
        if (is_free) std::swap(seen[i], seen[j]);
      }
      EXPECT_EQ(comparable(decode_file(raw_pcap(seen))), capture.wanted) << capture.name;
    }
  }
}

TEST_F(CapturedSessionsAsPackets, GiveTheSameMessagesInBlocks) {
  std::mt19937 random(318);
  for (const Capture& capture : captures()) {
    std::string file = packets::section(false) + packets::interface(276, false);
    const Json wanted = capture.wanted;
    const auto segments = segments_of(capture.pieces, [&] { return 1 + random() % 4000; });
    const auto links = packets::links(false);
    const auto cooked = std::find_if(links.begin(), links.end(),
                                     [](const auto& link) { return link.first == "cooked 2"; });
    for (const Segment& segment : segments) {
      const auto kind = static_cast<BlockKind>(random() % 3);
      file += packets::packet(cooked->second.frame(segment), 0, kind, false);
    }
    EXPECT_EQ(comparable(decode_file(file)), wanted) << capture.name;
  }
}

/// However short a file is, it gives what was in it.
TEST_F(CapturedSessionsAsPackets, MayBeCutShortAnywhere) {
  for (const Capture& capture : captures()) {
    const std::string file = raw_pcap(segments_of(capture.pieces, [] { return 700U; }));
    for (std::size_t size = 4; size < file.size(); size += 397) {
      std::istringstream in(file.substr(0, size));
      std::ostringstream out;
      const Result<void> result = decode_capture(in, out, "cut");
      EXPECT_TRUE(result.ok() || result.error().code == "oracle.capture_empty");
      std::istringstream lines(out.str());
      for (std::string line; std::getline(lines, line);) ASSERT_TRUE(Json::accept(line));
    }
  }
}

/// Damage of any kind: every line stays JSON.
TEST_F(CapturedSessionsAsPackets, MayBeDamagedAnywhere) {
  std::mt19937 random(7);
  for (const Capture& capture : captures()) {
    const std::string file = raw_pcap(segments_of(capture.pieces, [] { return 500U; }));
    for (int round = 0; round < 6; ++round) {
      std::string damaged = file;
      for (int i = 0; i < 5; ++i) damaged[24 + random() % (damaged.size() - 24)] ^= '\x55';
      std::istringstream in(damaged);
      std::ostringstream out;
      (void)decode_capture(in, out, "damaged");
      std::istringstream lines(out.str());
      for (std::string line; std::getline(lines, line);) EXPECT_TRUE(Json::accept(line));
    }
  }
}

}  // namespace
}  // namespace wherry::oracle::trace
