// The calls of a session over a socket pair: requests cut anywhere, breaks, markers, LOBs. The
// engine is a fake; log-in is covered by the drivers' tests.
#include "server/calls.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>
#include <thread>

#include "server/fake_database.h"
#include "wire/test_hex.h"

namespace orasim::server {
namespace {

using wire::Bytes;
using wire::ByteView;
using wire::hex;
using wire::to_hex;

/// A logged-in session served by a thread, and the client's end of its socket.
class CallsTest : public testing::Test {
 protected:
  void start(std::uint32_t sdu = 8192) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    client_ = std::make_unique<Stream>(ends[0]);
    client_->set_read_timeout(20);
    client_channel_ = std::make_unique<Channel>(*client_);
    client_channel_->use_sdu(8192);
    thread_ = std::thread([this, fd = ends[1], sdu] { serve(fd, sdu); });
  }

  void TearDown() override {
    if (client_) client_->shut_down();
    if (thread_.joinable()) thread_.join();
  }

  void serve(int fd, std::uint32_t sdu) {
    Stream stream(fd);
    Channel channel(stream);
    channel.use_sdu(sdu);
    channel.set_payload_limit(payload_limit_);
    Login login;
    SessionIdentity identity;
    identity.user = "SCOTT";
    login.session = database_.connect(identity);
    login.user = "SCOTT";
    login.dialect = dialect_;
    const Shared shared{options_, database_, nullptr};
    try {
      Calls(channel, shared, watch_, std::move(login)).run();
    } catch (const Closed&) {
      end_ = "closed";
    } catch (const std::exception& error) {
      end_ = error.what();
    }
    stream.shut_down();
  }

  void send(ByteView payload, std::size_t cut = 8000) {
    for (std::size_t at = 0; at < payload.size(); at += cut) {
      const ByteView part = payload.subspan(at, std::min(cut, payload.size() - at));
      Bytes packet(wire::kDataHeader);
      wire::encode_header(packet.data(), static_cast<std::uint32_t>(part.size() + 10),
                          wire::PacketType::kData, true);
      packet.insert(packet.end(), part.begin(), part.end());
      client_channel_->send_raw(packet);
    }
  }

  /// Reads a response of a session without end-of-response marks: `complete` says when it is all.
  Bytes receive(std::size_t bytes) {
    Bytes response;
    while (response.size() < bytes) client_channel_->more(response);
    return response;
  }

  wire::Marker expect_marker() {
    Bytes data;
    try {
      client_channel_->more(data);
    } catch (const MarkerArrived& arrived) {
      return arrived.marker;
    }
    ADD_FAILURE() << "expected a marker, got data " << to_hex(data);
    return wire::Marker::kInterrupt;
  }

  static Bytes query(const std::string& sql, std::uint32_t rows, std::uint32_t options = 0x8061) {
    wire::Writer out;
    out.u8(3);
    out.u8(94);
    out.u8(1);
    out.ub(options);
    out.ub(0);
    out.u8(1);
    out.ub(sql.size());
    out.u8(1);
    out.ub(13);
    out.zeros(3);
    out.ub(rows);
    out.ub(0x7FFFFFFF);
    out.zeros(2 + 5 + 2 + 1);
    out.u8(0);
    out.u8(1);
    out.zeros(2 + 2 + 1 + 3 + 5 + 2);
    out.clr(sql);
    out.ub(1);
    out.zeros(6);
    out.ub(1);
    out.zeros(1);
    out.ub(0x8000);
    out.zeros(3);
    return Bytes(out.data(), out.data() + out.size());
  }

  static Bytes ping() { return hex("03 93 01"); }

  ServerOptions options_;
  fake::FakeDatabase database_;
  BreakWatch watch_;
  wire::Dialect dialect_;
  std::uint32_t payload_limit_ = 0;
  std::unique_ptr<Stream> client_;
  std::unique_ptr<Channel> client_channel_;
  std::thread thread_;
  std::string end_;
};

TEST_F(CallsTest, PingIsAnsweredWithTheEndOfTheCall) {
  start();
  send(ping());
  EXPECT_EQ(to_hex(receive(4)), "09010100");
}

TEST_F(CallsTest, ARequestCutAtEveryByteGetsTheSameAnswer) {
  start();
  const Bytes request = query("select 1 from dual", 2);
  send(request);
  const Bytes whole = receive(100);
  for (std::size_t cut = 1; cut < request.size(); cut += cut < 20 ? 1 : 13) {
    send(request, cut);
    Bytes again = receive(whole.size());
    // Only the cursor id differs, in two places.
    EXPECT_EQ(again.size(), whole.size()) << cut;
  }
}

TEST_F(CallsTest, AnAnswerIsTheSameInPacketsOfAnySize) {
  start();
  send(query("select count 300", 1000));
  const Bytes whole = receive(4000);
  client_->shut_down();
  thread_.join();
  for (const std::uint32_t limit : {1U, 2U, 3U, 7U, 100U, 5000U}) {
    payload_limit_ = limit;
    start();
    send(query("select count 300", 1000));
    EXPECT_EQ(to_hex(receive(whole.size())), to_hex(whole)) << limit;
    client_->shut_down();
    thread_.join();
  }
}

TEST_F(CallsTest, SmallSduCutsAnswersIntoItsPackets) {
  start(512);
  send(query("select count 300", 1000));
  std::size_t total = 0;
  PacketView packet;
  do {
    packet = client_channel_->read_packet();
    EXPECT_LE(packet.bytes.size(), 512U);
    total += packet.bytes.size() - wire::kDataHeader;
  } while (packet.bytes.size() == 512);
  EXPECT_GT(total, 4000U);
}

TEST_F(CallsTest, EndOfResponseIsMarkedTwice) {
  dialect_.field_version = 24;
  dialect_.end_of_response = true;
  start();
  send(hex("03 93 01 00"));
  const PacketView packet = client_channel_->read_packet();
  EXPECT_EQ(to_hex(packet.bytes.subspan(8)),
            "2000"
            "09010100"
            "1D");
}

TEST_F(CallsTest, ALoneEndByteIsNeverAPacketInTheMiddle) {
  dialect_.field_version = 24;
  dialect_.end_of_response = true;
  payload_limit_ = 1;
  start();
  Bytes request = query("select count 200", 1000);
  request.insert(request.begin() + 3, 0);  // token
  send(request);
  for (;;) {
    const PacketView packet = client_channel_->read_packet();
    const bool lone_end = packet.bytes.size() == 11 && packet.bytes[10] == 0x1D;
    const bool flagged = packet.bytes[8] == 0x20;
    EXPECT_EQ(lone_end, flagged);
    if (flagged) break;
  }
}

TEST_F(CallsTest, AnInterruptCancelsTheRunningStatement) {
  start();
  send(query("select wait", 1));
  client_channel_->send_marker(wire::Marker::kInterrupt);
  EXPECT_EQ(expect_marker(), wire::Marker::kBreak);
  EXPECT_EQ(expect_marker(), wire::Marker::kReset);
  client_channel_->send_marker(wire::Marker::kReset);
  const Bytes error = receive(60);
  EXPECT_NE(wire::as_text(error).find("ORA-01013"), std::string::npos);
  send(ping());
  EXPECT_EQ(to_hex(receive(4)), "09010100");
}

TEST_F(CallsTest, BreakAndResetBetweenCallsPutTheClientBackInStep) {
  start();
  client_channel_->send_marker(wire::Marker::kBreak);
  client_channel_->send_marker(wire::Marker::kReset);
  EXPECT_EQ(expect_marker(), wire::Marker::kReset);
  EXPECT_NE(wire::as_text(receive(60)).find("ORA-01013"), std::string::npos);
  send(ping());
  EXPECT_EQ(to_hex(receive(4)), "09010100");
}

TEST_F(CallsTest, AnInterruptAfterItsCallIsAnsweredToo) {
  start();
  send(ping());
  receive(3);
  client_channel_->send_marker(wire::Marker::kInterrupt);
  EXPECT_EQ(expect_marker(), wire::Marker::kBreak);
  EXPECT_EQ(expect_marker(), wire::Marker::kReset);
  client_channel_->send_marker(wire::Marker::kReset);
  EXPECT_NE(wire::as_text(receive(60)).find("ORA-01013"), std::string::npos);
}

TEST_F(CallsTest, ErrorsCanTravelThroughMarkers) {
  options_.marker_errors = true;
  start();
  send(query("select nothing", 1));
  EXPECT_EQ(expect_marker(), wire::Marker::kBreak);
  EXPECT_EQ(expect_marker(), wire::Marker::kReset);
  client_channel_->send_marker(wire::Marker::kReset);
  EXPECT_NE(wire::as_text(receive(60)).find("ORA-00942"), std::string::npos);
}

TEST_F(CallsTest, UnknownFunctionsAreAnErrorAndTheSessionGoesOn) {
  start();
  send(hex("03 C8 01"));
  EXPECT_NE(wire::as_text(receive(60)).find("ORA-03120"), std::string::npos);
  send(ping());
  EXPECT_EQ(to_hex(receive(4)), "09010100");
}

TEST_F(CallsTest, GarbageEndsTheSession) {
  start();
  send(hex("EE EE EE"));
  Bytes none;
  EXPECT_THROW(client_channel_->more(none), Closed);
  thread_.join();
  EXPECT_NE(end_.find("message 238"), std::string::npos) << end_;
}

TEST_F(CallsTest, AnEofPacketEndsTheSession) {
  start();
  client_channel_->send_raw(hex("0000000A 06 00 0000 0040"));
  thread_.join();
  EXPECT_EQ(end_, "closed");
}

TEST_F(CallsTest, AClientThatVanishesInMidCallEndsTheStatement) {
  start();
  send(query("select wait", 1));
  client_->shut_down();
  thread_.join();  // long before the statement's own 30 seconds
  EXPECT_EQ(end_, "closed");
}

TEST(LobTable, ReadsForwardAndBackInUtf16Units) {
  LobTable table;
  const wire::ByteView locator = table.locator_for(fake::lob(Type::kClob, "a🎉bcd"));
  LobEntry& lob = table.find(wire::as_text(locator));
  EXPECT_EQ(lob.length(), 6U);
  EXPECT_EQ(to_hex(wire::as_bytes(lob.read(1, 2).bytes)), "D83CDF89");
  EXPECT_EQ(to_hex(wire::as_bytes(lob.read(3, 100).bytes)), "006200630064");
  EXPECT_EQ(to_hex(wire::as_bytes(lob.read(0, 1).bytes)), "0061");
  EXPECT_EQ(lob.read(6, 1).amount, 0U);
}

TEST(LobTable, TemporaryLobsAreWrittenTrimmedAndFreed) {
  LobTable table;
  const std::string locator(wire::as_text(table.create_temporary(true, false)));
  ASSERT_TRUE(LobTable::is_temporary(locator));
  LobEntry& lob = table.find(locator);
  lob.write(0, "hello");
  const Value handed_out = lob.value();
  lob.write(7, "!");
  EXPECT_EQ(lob.read(0, 99).bytes, std::string("hello\0\0!", 8));
  EXPECT_EQ(handed_out.lob()->data, "hello");
  lob.trim(2);
  EXPECT_EQ(lob.read(0, 99).bytes, "he");
  EXPECT_THROW(lob.trim(3), OraError);
  table.free_temporary(locator);
  EXPECT_THROW(table.find(locator), OraError);
}

TEST(LobTable, StrangeLocatorsAreRefused) {
  LobTable table;
  EXPECT_THROW(table.find(""), OraError);
  EXPECT_THROW(table.find(std::string(40, '\0')), OraError);
  EXPECT_THROW(table.find(std::string(40, '\xFF')), OraError);
}

}  // namespace
}  // namespace orasim::server
