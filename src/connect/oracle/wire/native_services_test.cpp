#include "connect/oracle/wire/native_services.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "connect/oracle/wire/auth.h"
#include "connect/oracle/wire/packet_guard.h"

namespace wherry::oracle::wire {
namespace {

Bytes hex_bytes(std::string_view text) {
  return *from_hex(text);
}

Bytes counting(int from, int count) {
  Bytes bytes;
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(from + i));
  return bytes;
}

PacketGuard reference_guard(PacketGuard::Side side = PacketGuard::Side::kClient) {
  return {Cipher::kAes256, Checksum::kSha256, counting(0, 64), counting(0xA0, 32), side};
}

TEST(NativeServices, OffersNothingAsTheOfficialClientDoes) {
  NetworkSecurity offer;
  offer.encryption = offer.integrity = SecurityLevel::kRejected;
  const std::string text = to_hex_upper(encode_native_request(offer));
  EXPECT_EQ(text.substr(0, 26), "DEADBEEF008A0B200200000400");
  // Both lists hold "none" alone; the driver byte stands between.
  EXPECT_NE(text.find("00020003000000000004"
                      "00050B200200"
                      "0001000100"
                      "0001000201"),
            std::string::npos)
      << text;
  EXPECT_TRUE(
      text.ends_with("00030002000000000004"
                     "00050B200200"
                     "0001000100"))
      << text;
}

std::string list_of(SecurityLevel level) {
  NetworkSecurity offer;
  offer.encryption = SecurityLevel::kRejected;
  offer.integrity = level;
  offer.checksums = {Checksum::kSha512, Checksum::kSha256};
  const std::string text = to_hex_upper(encode_native_request(offer));
  const std::size_t version = text.rfind("0B200200");
  return text.substr(version + 8);
}

TEST(NativeServices, ALevelDecidesWhereNoneStandsInTheList) {
  EXPECT_EQ(list_of(SecurityLevel::kRejected), "0001000100");
  EXPECT_EQ(list_of(SecurityLevel::kAccepted), "00030001000405");
  EXPECT_EQ(list_of(SecurityLevel::kRequested), "00030001040500");
  EXPECT_EQ(list_of(SecurityLevel::kRequired), "000200010405");
}

TEST(NativeServices, ReadsAnAnswerThatSwitchesNothingOn) {
  const Bytes answer = hex_bytes(
      "DEADBEEF0079130300000004000004000300000000000400051303000000020006001F00120001DEADBEEF000300"
      "0000040004000100020003000100020000000000040005130300000002000"
      "6FBFF00020002000000000004000513"
      "03000000010002000003000200000000000400051303000000010002"
      "00");
  for (std::size_t size = 0; size < answer.size(); ++size) {
    Reader part(ByteView(answer).first(size));
    decode_native_answer(part);
    EXPECT_EQ(part.state(), ParseState::kNeedMore) << size;
  }
  Reader in(answer);
  const NativeAnswer decoded = decode_native_answer(in);
  ASSERT_TRUE(in.ok()) << in.problem();
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(decoded.supervisor_status, kSupervisorOk);
  EXPECT_EQ(decoded.error, 0U);
  EXPECT_EQ(decoded.cipher, 0);
  EXPECT_EQ(decoded.checksum, 0);
  EXPECT_FALSE(decoded.wants_authentication_service);
  EXPECT_FALSE(decoded.key_exchange);
}

TEST(NativeServices, RefusesAnAnswerOutOfStep) {
  Bytes answer = hex_bytes("DEADBEEF00191303000000010000030002000000000004000513");
  answer.resize(0x19);
  Reader in(answer);
  decode_native_answer(in);
  EXPECT_EQ(in.state(), ParseState::kMalformed);
  const Bytes other = hex_bytes("0106007838");
  Reader not_native(other);
  decode_native_answer(not_native);
  EXPECT_EQ(not_native.state(), ParseState::kMalformed);
}

/// 2^521 - 1 is prime, and small enough to be read off a page.
KeyExchange small_exchange() {
  KeyExchange exchange;
  exchange.prime_bits = exchange.generator_bits = 521;
  exchange.prime = Bytes(66, 0xFF);
  exchange.prime[0] = 0x01;
  exchange.generator = {3};
  exchange.iv = Bytes(16, 1);
  return exchange;
}

TEST(KeyAgreement, BothSidesFindTheSameKey) {
  const KeyExchange exchange = small_exchange();
  const Bytes mine(66, 0x11), theirs(66, 0x22);
  KeyExchange from_them = exchange, from_me = exchange;
  from_them.server_public = Bytes(66, 0);
  from_them.server_public[65] = 9;  // a key only to get the other's public one
  const auto their_half = agree_on_key(from_them, theirs);
  ASSERT_TRUE(their_half);
  from_me.server_public = their_half->public_key;
  const auto my_half = agree_on_key(from_me, mine);
  ASSERT_TRUE(my_half);
  from_them.server_public = my_half->public_key;
  const auto their_key = agree_on_key(from_them, theirs);
  ASSERT_TRUE(their_key);
  EXPECT_EQ(my_half->shared, their_key->shared);
  EXPECT_EQ(my_half->shared.size(), exchange.prime.size());
}

TEST(KeyAgreement, RefusesWhatWouldGiveASecretThatAnyoneKnows) {
  const Bytes secret(66, 0x11);
  KeyExchange exchange = small_exchange();
  for (const int degenerate : {0, 1}) {
    exchange.server_public = Bytes(66, 0);
    exchange.server_public[65] = static_cast<std::uint8_t>(degenerate);
    EXPECT_FALSE(agree_on_key(exchange, secret));
  }
  exchange.server_public = exchange.prime;
  EXPECT_FALSE(agree_on_key(exchange, secret));
  exchange.server_public.back() = 0xFE;  // prime - 1
  EXPECT_FALSE(agree_on_key(exchange, secret));
  exchange.server_public = Bytes(65, 7);
  EXPECT_FALSE(agree_on_key(exchange, secret));
  exchange.server_public = Bytes(66, 0);
  exchange.server_public[60] = 7;
  EXPECT_TRUE(agree_on_key(exchange, secret));
  exchange.prime_bits = 65535;
  EXPECT_FALSE(agree_on_key(exchange, secret));
}

TEST(PacketGuard, MakesTheBytesOfTheReference) {
  PacketGuard guard = reference_guard();
  Bytes payload = {0x03, 0x93, 0x05};
  guard.protect(payload);
  EXPECT_EQ(
      to_hex_upper(payload),
      "E0B47E4D4B84CC790C157DF34894A12ABD2661F31E0FE9130FAB39057959E87746B4E818DA543DF6A98E82FF"
      "851BFBAC0E00");
}

TEST(PacketGuard, OpensWhatTheOtherSideClosed) {
  for (const Cipher cipher : {Cipher::kNone, Cipher::kAes128, Cipher::kAes192, Cipher::kAes256}) {
    for (const Checksum checksum : {Checksum::kNone, Checksum::kSha1, Checksum::kSha256,
                                    Checksum::kSha384, Checksum::kSha512}) {
      PacketGuard client(cipher, checksum, counting(0, 64), counting(0xA0, 32));
      PacketGuard server(cipher, checksum, counting(0, 64), counting(0xA0, 32),
                         PacketGuard::Side::kServer);
      for (int size = 1; size < 40; ++size) {
        const Bytes meant = counting(size, size);
        Bytes packet = meant;
        client.protect(packet);
        EXPECT_LE(packet.size(), meant.size() + PacketGuard::kMaxOverhead);
        ASSERT_TRUE(server.unprotect(packet));
        ASSERT_EQ(packet, meant);
        server.protect(packet);
        ASSERT_TRUE(client.unprotect(packet));
        ASSERT_EQ(packet, meant);
        if (size % 13 != 0) continue;
        client.restart_sending();
        server.restart_sending();
        server.restart_receiving();
        client.restart_receiving();
      }
    }
  }
}

TEST(PacketGuard, SeesEveryChange) {
  PacketGuard client = reference_guard();
  Bytes packet = counting(1, 20);
  client.protect(packet);
  for (std::size_t i = 0; i + 1 < packet.size(); ++i) {  // the last byte means nothing
    PacketGuard server = reference_guard(PacketGuard::Side::kServer);
    Bytes changed = packet;
    changed[i] ^= 1;
    EXPECT_FALSE(server.unprotect(changed)) << i;
  }
  PacketGuard server = reference_guard(PacketGuard::Side::kServer);
  for (std::size_t size = 0; size < packet.size(); ++size) {
    Bytes cut(packet.begin(), packet.begin() + static_cast<long>(size));
    EXPECT_FALSE(server.unprotect(cut)) << size;
  }
  Bytes first = packet, again = packet;
  PacketGuard fresh = reference_guard(PacketGuard::Side::kServer);
  EXPECT_TRUE(fresh.unprotect(first));
  EXPECT_FALSE(fresh.unprotect(again)) << "a repeated packet is taken";
}

std::string shared_file(const char* name) {
  const char* folder = std::getenv("WHERRY_SHARED");
  return std::string(folder != nullptr ? folder : "../shared") + "/vectors/oracle-wire/" + name;
}

/// Every payload that a 26ai server sent in a session with two broken calls carries the checksum
/// that the guard expects.
TEST(PacketGuard, FollowsACapturedSessionThroughItsResets) {
  const std::string path = shared_file("network-encryption-26ai.txt");
  if (!std::filesystem::exists(path)) {
    ASSERT_EQ(std::getenv("WHERRY_REQUIRE_SHARED"), nullptr) << path;
    GTEST_SKIP() << path << " is not there";
  }
  std::ifstream file(path);
  Bytes shared, iv;
  std::unique_ptr<PacketGuard> guard;
  int packets = 0, resets = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("shared=")) shared = hex_bytes(line.substr(7));
    if (line.starts_with("server_iv=")) iv = hex_bytes(line.substr(10));
    if (!line.starts_with("packet ")) continue;
    if (!guard) guard = std::make_unique<PacketGuard>(Cipher::kNone, Checksum::kSha256, shared, iv);
    if (line.find("reset=1") != line.npos) {
      guard->restart_sending();
      guard->restart_receiving();
      ++resets;
    }
    Bytes packet = hex_bytes(line.substr(line.find("data=") + 5));
    packet.push_back(0);
    EXPECT_TRUE(guard->unprotect(packet)) << "packet " << packets;
    ++packets;
  }
  EXPECT_EQ(packets, 9);
  EXPECT_EQ(resets, 2);
}

}  // namespace
}  // namespace wherry::oracle::wire
