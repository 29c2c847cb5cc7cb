#include "wire/o5logon.h"

#include <gtest/gtest.h>

#include "wire/test_hex.h"

namespace orasim::wire {
namespace {

// Consecutive bytes from a start, as the published vectors of the protocol use them.
Bytes run(std::uint8_t from, std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::uint8_t>(from + i);
  return bytes;
}

struct Fixed {
  int call = 0;
  Bytes operator()(std::size_t n) {
    const std::uint8_t starts[] = {0x00, 0x20, 0x40};  // salt, key salt, server half
    return run(starts[call++], n);
  }
};

TEST(O5Logon, Verifier12cMatchesTheKnownSession) {
  const Challenge challenge(Verifier::k12c, "tiger", Fixed{});
  EXPECT_EQ(challenge.session_key_hex(),
            "4376F43FE9FD95FF400D332264C4514AB18C3495E68ED1F4A6A461CE02F96308");
  const Bytes key =
      challenge.combined_key("7D7A4AC45E285195950C333E1D93354061D19D89A1EEE2D4FB9BA3913663904D");
  EXPECT_EQ(to_hex(key), "5D94857B75F23855686179480278FDA7CBF5CD3A849537FE39DCF793E4893EA4");
  EXPECT_EQ(
      decrypt_password(key, "EEFF30C0225A8D7C2257B4C2F6AE3DE8C1AE213BFAF9F16F7628A2BEB15D7FEC"),
      "tiger");
  EXPECT_EQ(server_response(key, run(0xF0, 16)),
            "EEFF30C0225A8D7C2257B4C2F6AE3DE8D5F110441CAEA0A81EBE8730336F5FFB"
            "1407A32CE441EBB035F7AA9B09FB77CA");
}

TEST(O5Logon, Verifier11gWithPbkdf2MatchesTheKnownSession) {
  const Challenge challenge(Verifier::k11g, "tiger", Fixed{});
  // The client half of the known session, B = 80…9F, wrapped with the known H.
  Challenge client_side(Verifier::k11g, "tiger", [call = 0](std::size_t n) mutable {
    return run(call++ == 0 ? 0x00 : 0x80, n);
  });
  const Bytes key = challenge.combined_key(client_side.session_key_hex());
  EXPECT_EQ(to_hex(key), "107743645BCD77935623D75100409A00A65118DA4465848B");
  EXPECT_EQ(
      decrypt_password(key, "D6021AD1CD41DEEDF22BFC5171FB37FA02047F2E7B8FEE8B99CC861C082593E5"),
      "tiger");
}

TEST(O5Logon, Verifier11gWithMd5MatchesTheKnownSession) {
  const Challenge challenge(Verifier::k11gPlain, "tiger", Fixed{});
  EXPECT_EQ(challenge.session_key_hex(),
            "C97FE874C2365BC448B95B22D4A9BC25DE04AAAD860C524006071EA4B51F86F9"
            "546C16C0D825F767750FF80221708913");
  const Bytes key = challenge.combined_key(
      "0FF21BB3371C43C5A65BBA38CA07C4AC2F44FBB815BCC0B9067B9534341C679B"
      "DC20D968B685E3B2D7D62F79ACC1CD26");
  EXPECT_EQ(to_hex(key), "68D95075A47A50389EFB7BFEC301A9FB742746803F4CB80A");
  EXPECT_EQ(
      decrypt_password(key, "58333D5EB244D583502460BB1BF6F4D8AB77A801D0C34AEBB7B1FDA150754836"),
      "tiger");
}

TEST(O5Logon, MalformedClientKeysGiveNoKey) {
  const Challenge challenge(Verifier::k12c, "tiger", Fixed{});
  EXPECT_TRUE(challenge.combined_key("").empty());
  EXPECT_TRUE(challenge.combined_key("zz").empty());
  EXPECT_TRUE(challenge.combined_key(std::string(62, 'A')).empty());
  EXPECT_FALSE(decrypt_password({}, std::string(64, 'A')).has_value());
  EXPECT_FALSE(decrypt_password(run(0, 32), std::string(31, 'A')).has_value());
}

TEST(O5Logon, AnotherPasswordGivesAnotherKey) {
  const Challenge right(Verifier::k12c, "tiger", Fixed{});
  const Challenge wrong(Verifier::k12c, "lion", Fixed{});
  const char* client = "7D7A4AC45E285195950C333E1D93354061D19D89A1EEE2D4FB9BA3913663904D";
  EXPECT_NE(right.combined_key(client), wrong.combined_key(client));
}

}  // namespace
}  // namespace orasim::wire
