// Native network services from the server's side: levels, the offers of real clients, and sealing
// against reference values.
#include "wire/ano.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "wire/sealing.h"
#include "wire/test_hex.h"

namespace orasim::wire {
namespace {

AnoWish wish(AnoLevel level, std::vector<std::uint8_t> algorithms = {17}) {
  return {level, std::move(algorithms)};
}

TEST(AnoChoiceTest, LevelsCombineAsInSqlnet) {
  using enum AnoLevel;
  struct Case {
    AnoLevel client, server;
    int algorithm, error;
  };
  const Case cases[] = {
      {kRejected, kRejected, 0, 0},     {kRejected, kAccepted, 0, 0},
      {kRejected, kRequested, 0, 0},    {kRejected, kRequired, 0, 12660},
      {kAccepted, kRejected, 0, 0},     {kAccepted, kAccepted, 0, 0},
      {kAccepted, kRequested, 17, 0},   {kAccepted, kRequired, 17, 0},
      {kRequested, kRejected, 0, 0},    {kRequested, kAccepted, 17, 0},
      {kRequested, kRequested, 17, 0},  {kRequested, kRequired, 17, 0},
      {kRequired, kRejected, 0, 12660}, {kRequired, kAccepted, 17, 0},
      {kRequired, kRequested, 17, 0},   {kRequired, kRequired, 17, 0},
  };
  for (const Case& c : cases) {
    const AnoChoice choice = choose(wish(c.client), wish(c.server));
    const int place = static_cast<int>(c.client) * 10 + static_cast<int>(c.server);
    EXPECT_EQ(choice.algorithm, c.algorithm) << place;
    EXPECT_EQ(choice.error, c.error) << place;
  }
}

TEST(AnoChoiceTest, TheServersPreferenceDecides) {
  using enum AnoLevel;
  EXPECT_EQ(choose(wish(kRequested, {15, 16}), wish(kAccepted, {17, 16, 15})).algorithm, 16);
  EXPECT_EQ(choose(wish(kRequested, {15}), wish(kAccepted, {17})).algorithm, 0);
  EXPECT_EQ(choose(wish(kRequested, {15}), wish(kAccepted, {17})).error, 0);
  EXPECT_EQ(choose(wish(kRequired, {15}), wish(kAccepted, {17})).error, 12650);
  EXPECT_EQ(choose(wish(kAccepted, {15}), wish(kRequired, {17})).error, 12650);
}

AnoOffer offer_of(const char* text) {
  const Bytes bytes = hex(text);
  Reader in{ByteView(bytes)};
  return decode_ano_offer(in);
}

// Lists of ids: services 2 and 3 alone in an envelope.
std::string envelope(const std::string& ciphers, const std::string& checksums) {
  const auto service = [](int id, const std::string& list) {
    char head[64];
    std::snprintf(head, sizeof head, "%04x000200000000000400050b200200%04x0001", id,
                  static_cast<unsigned>(list.size() / 2));
    return head + list;
  };
  const std::string body = service(2, ciphers) + service(3, checksums);
  char head[64];
  std::snprintf(head, sizeof head, "deadbeef%04x0b200200000200",
                static_cast<unsigned>(13 + body.size() / 2));
  return head + body;
}

TEST(AnoOfferTest, NoneInTheListTellsTheLevel) {
  AnoOffer offer = offer_of(envelope("00", "0005").c_str());
  EXPECT_EQ(offer.encryption.level, AnoLevel::kRejected);
  EXPECT_EQ(offer.integrity.level, AnoLevel::kAccepted);
  offer = offer_of(envelope("111000", "0506").c_str());
  EXPECT_EQ(offer.encryption.level, AnoLevel::kRequested);
  EXPECT_EQ(offer.encryption.algorithms, (std::vector<std::uint8_t>{17, 16}));
  EXPECT_EQ(offer.integrity.level, AnoLevel::kRequired);
}

TEST(AnoOfferTest, RefusesBrokenEnvelopes) {
  EXPECT_THROW(offer_of("deadbeef000c0b2002000000"), BadMessage);
  EXPECT_ANY_THROW(offer_of("deadbeef00150b20020000010000020001000000000004"));
  EXPECT_THROW(offer_of("0106007838"), BadMessage);
}

TEST(AnoKeyTest, RefusesKeysThatGiveTheSecretAway) {
  const AnoKey key;
  EXPECT_THROW((void)key.shared_with(Bytes(256, 0)), BadMessage);
  EXPECT_THROW((void)key.shared_with(key.prime()), BadMessage);
  const AnoKey other;
  EXPECT_EQ(key.shared_with(other.public_key()), other.shared_with(key.public_key()));
}

Bytes counting(int from, int count) {
  Bytes bytes;
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(from + i));
  return bytes;
}

TEST(SealingTest, OpensThePacketOfTheReference) {
  Sealing sealing(17, 5, counting(0, 64), counting(0xA0, 32));
  const Bytes sealed = hex(
      "E0B47E4D4B84CC790C157DF34894A12ABD2661F31E0FE9130FAB39057959E87746B4E818DA543DF6A98E82FF851B"
      "FBAC0E00");
  EXPECT_EQ(sealing.open(sealed), (Bytes{0x03, 0x93, 0x05}));
  EXPECT_THROW((void)sealing.open(sealed), BadMessage) << "a packet counts once";
}

TEST(SealingTest, EveryPacketIsSealedAnew) {
  for (const std::uint8_t checksum : {3, 4, 5, 6}) {
    Sealing sealing(0, checksum, counting(0, 64), counting(0xA0, 32));
    const Bytes first = sealing.seal(counting(1, 10)), second = sealing.seal(counting(1, 10));
    EXPECT_NE(first, second);
    sealing.restart();
    EXPECT_NE(sealing.seal(counting(1, 10)), first);
  }
}

}  // namespace
}  // namespace orasim::wire
