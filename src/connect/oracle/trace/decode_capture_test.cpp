// The text form of captures and the packet layer: flows, cuts, damage, protection.
#include "connect/oracle/trace/decode_capture.h"

#include <gtest/gtest.h>

#include <zlib.h>

#include <sstream>
#include <string>
#include <vector>

#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/trace/session.h"
#include "connect/oracle/wire/tns.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::trace {
namespace {

std::vector<Json> decode(const std::string& text) {
  std::istringstream in(text);
  std::ostringstream out;
  EXPECT_TRUE(decode_capture(in, out, "test").ok());
  std::vector<Json> messages;
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) messages.push_back(Json::parse(line));
  return messages;
}

std::vector<std::string> names(const std::vector<Json>& messages) {
  std::vector<std::string> list;
  for (const Json& message : messages) list.push_back(message["message"]);
  return list;
}

/// Builds the text of a capture packet by packet.
class Capture {
 public:
  Capture& packet(const char* direction, int flow, const std::string& bytes) {
    text_ += "# direction=" + std::string(direction) + " flow=" + std::to_string(flow) +
             " n=" + std::to_string(++number_) + " len=" + std::to_string(bytes.size()) + "\n" +
             hex_text(bytes) + "\n\n";
    return *this;
  }
  Capture& data(const char* direction, int flow, const std::string& payload) {
    return packet(direction, flow, header(6, payload.size() + 2) + std::string(2, '\0') + payload);
  }
  static std::string header(int type, std::size_t body_bytes) {
    wire::Writer out;
    wire::encode_header(
        out, {static_cast<std::uint32_t>(body_bytes + 8), static_cast<wire::PacketType>(type), 0},
        false);
    return std::string(wire::text_of(out.bytes()));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  int number_ = 0;
};

std::string bytes(std::initializer_list<int> list) {
  std::string text;
  for (const int byte : list) text.push_back(static_cast<char>(byte));
  return text;
}

const std::string kCommit = bytes({3, 14, 1, 0});
const std::string kStatus = bytes({9, 1, 2, 0});

TEST(DecodeCapture, RefusesAFileWithoutPackets) {
  std::istringstream in("# only a remark\n");
  std::ostringstream out;
  const Result<void> result = decode_capture(in, out, "empty.txt");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, "oracle.capture_empty");
  EXPECT_NE(result.error().to_paragraph().find("empty.txt"), std::string::npos);
}

TEST(DecodeCapture, ReadsHexInAnyLayout) {
  const auto messages = decode(
      "# direction=client flow=2 n=7 len=11 MARKER\r\n00 0B 0000\r\n"
      "0c00\t0000\r\n01 00 03\r\n");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(
      messages[0],
      Json::parse(
          R"({"n":7,"flow":2,"direction":"client","message":"marker","marker":"interrupt"})"));
}

TEST(DecodeCapture, ReportsDamagedHexAndGoesOn) {
  const auto messages = decode(
      "# direction=client flow=0 n=1\n000b00zz\n\n"
      "# direction=client flow=0 n=2\n000b00000c0000000100011\n\n"
      "# direction=client flow=0 n=3\n000b00000c000000010002\n");
  ASSERT_GE(messages.size(), 3U);
  EXPECT_EQ(messages.front()["message"], "undecoded");
  EXPECT_EQ(messages.back()["marker"], "reset");
}

TEST(DecodeCapture, JoinsAMessageThatSpansPackets) {
  Capture capture;
  capture.data("client", 0, kCommit.substr(0, 1)).data("client", 0, kCommit.substr(1));
  capture.data("server", 0, kStatus.substr(0, 2)).data("server", 0, kStatus.substr(2));
  const auto messages = decode(capture.text());
  EXPECT_EQ(names(messages), (std::vector<std::string>{"commit", "status"}));
  EXPECT_EQ(messages[0]["n"], 1);
  EXPECT_EQ(messages[1]["n"], 3);
  EXPECT_EQ(messages[1]["in_transaction"], true);
}

TEST(DecodeCapture, KeepsFlowsApartAndPacketsInOrder) {
  Capture capture;
  capture.data("client", 0, kCommit).data("client", 1, kCommit.substr(0, 2));
  capture.data("server", 0, kStatus).data("client", 1, kCommit.substr(2));
  capture.data("server", 1, kStatus);
  const auto messages = decode(capture.text());
  ASSERT_EQ(names(messages), (std::vector<std::string>{"commit", "commit", "status", "status"}));
  EXPECT_EQ(messages[1]["flow"], 1);
  EXPECT_EQ(messages[1]["n"], 2);
  EXPECT_EQ(messages[3]["n"], 5);
}

TEST(DecodeCapture, TellsWhatAMarkerCutOff) {
  Capture capture;
  capture.data("client", 0, kCommit).data("server", 0, kStatus.substr(0, 2));
  capture.packet("server", 0, Capture::header(12, 3) + bytes({1, 0, 1}));
  const auto messages = decode(capture.text());
  ASSERT_EQ(names(messages), (std::vector<std::string>{"commit", "undecoded", "marker"}));
  EXPECT_NE(messages[1]["reason"].get<std::string>().find("marker"), std::string::npos);
  EXPECT_EQ(messages[1]["hex_length"], 4);
}

TEST(DecodeCapture, GoesOnBehindAPiggybackOfUnknownLayout) {
  Capture capture;
  capture.data("client", 0, bytes({17, 107, 1, 9, 9, 9, 9}) + kCommit);
  const auto messages = decode(capture.text());
  ASSERT_EQ(names(messages), (std::vector<std::string>{"undecoded", "commit"}));
  EXPECT_EQ(messages[0]["type"], "piggyback session switch");
}

TEST(DecodeCapture, SaysWhatIsEncrypted) {
  const auto algorithm = [](int service, int id) {
    return bytes({0, service, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, id});
  };
  const auto envelope = [](int services, const std::string& body) {
    return bytes({0xDE, 0xAD, 0xBE, 0xEF, 0, 0, 0, 0, 0, 0, 0, services, 0}) + body;
  };
  Capture capture;
  capture.data("client", 0, envelope(2, algorithm(2, 17) + algorithm(3, 5)));
  capture.data("server", 0, envelope(2, algorithm(2, 17) + algorithm(3, 5)));
  capture.data("client", 0, envelope(1, algorithm(3, 5)));
  capture.data("client", 0, std::string(34, 'x'));
  const auto messages = decode(capture.text());
  ASSERT_EQ(messages.size(), 4U);
  EXPECT_EQ(messages[1]["services"][0]["chosen"], "AES256");
  EXPECT_EQ(messages[3]["message"], "undecoded");
  EXPECT_EQ(messages[3]["encrypted"], true);
  EXPECT_NE(messages[3]["reason"].get<std::string>().find("AES256"), std::string::npos);
}

TEST(DecodeCapture, JoinsANegotiationThatSpansPackets) {
  const std::string services = bytes({0xDE, 0xAD, 0xBE, 0xEF, 0, 26, 0, 0, 0, 0, 0, 1, 0}) +
                               bytes({0, 2, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 17});
  for (std::size_t cut = 4; cut < services.size(); ++cut) {
    Capture capture;
    capture.data("client", 0, services.substr(0, cut)).data("client", 0, services.substr(cut));
    capture.data("server", 0, services.substr(0, cut)).data("client", 0, kCommit);
    const auto messages = decode(capture.text());
    ASSERT_EQ(messages.size(), 3U) << cut;
    EXPECT_EQ(messages[0]["services"][0]["offered"], Json::array({"AES256"}));
    EXPECT_EQ(messages[1]["message"], "undecoded");
    EXPECT_EQ(messages[2]["message"], "commit");
  }
}

TEST(DecodeCapture, CutsOffAChecksumThatIsNotEncryption) {
  const auto algorithm = [](int service, int id) {
    return bytes({0, service, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, id});
  };
  const std::string head = bytes({0xDE, 0xAD, 0xBE, 0xEF, 0, 0, 0, 0, 0, 0, 0, 2, 0});
  const std::string services = head + algorithm(2, 0) + algorithm(3, 5);
  Capture capture;
  capture.data("client", 0, services).data("server", 0, services).data("client", 0, services);
  capture.data("client", 0, kCommit + std::string(33, '\x7f'));
  EXPECT_EQ(decode(capture.text()).back()["message"], "commit");
}

TEST(DecodeCapture, ReadsConnectDataThatDidNotFit) {
  wire::ConnectRequest request;
  request.connect_data = "(DESCRIPTION=" + std::string(300, ' ') + ")";
  const wire::Bytes sent = wire::encode_connect(request);
  Capture capture;
  capture.packet("client", 0, std::string(wire::text_of(ByteView(sent).first(74))));
  capture.packet("client", 0, std::string(wire::text_of(ByteView(sent).subspan(74))));
  const auto messages = decode(capture.text());
  ASSERT_EQ(names(messages), (std::vector<std::string>{"connect", "connect data"}));
  EXPECT_EQ(messages[1]["connect_data"], request.connect_data);
}

TEST(DecodeCapture, SurvivesEveryByteAsAPacket) {
  for (const int type : {0, 1, 2, 4, 5, 6, 11, 12, 14, 15, 16, 255}) {
    for (int first = 0; first < 256; ++first) {
      Capture capture;
      capture.packet("server", 0, Capture::header(type, 3) + bytes({first, first, first}));
      capture.data("client", 0, bytes({first, type, 255, 0}));
      EXPECT_FALSE(decode(capture.text()).empty());
    }
  }
}

/// Deflate data as a sender makes it: one stream over all packets, or one a packet.
class Deflater {
 public:
  explicit Deflater(int window_bits) {
    EXPECT_EQ(deflateInit2(&stream_, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  std::string packet(std::string text, int flush = Z_SYNC_FLUSH) {
    std::string out(text.size() + 100, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(text.data());
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    deflate(&stream_, flush);
    out.resize(out.size() - stream_.avail_out);
    return out;
  }

 private:
  z_stream stream_{};
};

constexpr int kZlib = 15, kRaw = -15;

std::string compressed(const std::string& payload) {
  return Capture::header(6, payload.size() + 2) + bytes({0x04, 0}) + payload;
}

TEST(DecodeCapture, InflatesCompressedPackets) {
  const std::string first = kCommit + kCommit, second = kCommit;
  Deflater one(kZlib), head(kZlib), other(kRaw), closed(kZlib), next(kZlib);
  const std::vector<std::pair<std::string, std::string>> forms = {
      {one.packet(first), one.packet(second)},
      {head.packet(first), other.packet(second)},
      {closed.packet(first, Z_FINISH), next.packet(second, Z_FINISH)}};
  for (const auto& [a, b] : forms) {
    Capture capture;
    capture.packet("client", 0, compressed(a)).packet("client", 0, compressed(b));
    capture.data("server", 0, kStatus);
    EXPECT_EQ(names(decode(capture.text())),
              (std::vector<std::string>{"commit", "commit", "commit", "status"}));
  }
}

TEST(DecodeCapture, NamesWhatDoesNotInflate) {
  Deflater bomb(kZlib);
  std::string large = bomb.packet(std::string(32 << 20, 'a'));
  for (const std::string& payload : {std::string("\x78\x9c not deflate data"), large}) {
    Capture capture;
    capture.packet("client", 0, compressed(payload)).data("server", 0, kStatus);
    const auto messages = decode(capture.text());
    ASSERT_EQ(names(messages), (std::vector<std::string>{"undecoded", "status"}));
    EXPECT_EQ(messages[0]["reason"], "a compressed DATA packet that does not inflate");
  }
}

}  // namespace
}  // namespace wherry::oracle::trace
