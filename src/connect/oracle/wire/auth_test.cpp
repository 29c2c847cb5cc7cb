#include "connect/oracle/wire/auth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "connect/oracle/wire/handshake.h"

namespace wherry::oracle::wire {
namespace {

Bytes hex(std::string_view text) {
  return *from_hex(text);
}

Bytes ramp(int from, int count) {
  Bytes bytes;
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(from + i));
  return bytes;
}

LoginRandom known_random() {
  LoginRandom random;
  const Bytes half = ramp(0x80, 48), salt = ramp(0xF0, 16);
  std::copy(half.begin(), half.end(), random.session_half.begin());
  std::copy(salt.begin(), salt.end(), random.password_salt.begin());
  std::copy(salt.begin(), salt.end(), random.speedy_salt.begin());
  return random;
}

Challenge challenge_12c() {
  Challenge challenge;
  challenge.verifier = Verifier::k12c;
  challenge.salt = ramp(0, 16);
  challenge.mixing_salt = ramp(0x20, 16);
  challenge.verifier_rounds = 4096;
  challenge.mixing_rounds = 3;
  challenge.encrypted_key = hex("4376F43FE9FD95FF400D332264C4514AB18C3495E68ED1F4A6A461CE02F96308");
  return challenge;
}

Challenge challenge_11g() {
  Challenge challenge;
  challenge.verifier = Verifier::k11g;
  challenge.salt = ramp(0, 10);
  challenge.encrypted_key =
      hex("C97FE874C2365BC448B95B22D4A9BC25DE04AAAD860C524006071EA4B51F86F9"
          "546C16C0D825F767750FF80221708913");
  return challenge;
}

TEST(Auth, Answers12cChallenges) {
  const Challenge challenge = challenge_12c();
  EXPECT_EQ(to_hex_upper(password_key(challenge, "tiger")),
            "14EA3F411C70C9A3E7AA9026B8D71B205A99B5EFB1E5F739B6C13191E5935AB3");
  EXPECT_EQ(aes_cbc_decrypt(password_key(challenge, "tiger"), challenge.encrypted_key),
            ramp(0x40, 32));
  const LoginProof proof = answer_challenge(challenge, "tiger", known_random());
  EXPECT_EQ(proof.session_key, "7D7A4AC45E285195950C333E1D93354061D19D89A1EEE2D4FB9BA3913663904D");
  EXPECT_EQ(to_hex_upper(proof.combined_key),
            "5D94857B75F23855686179480278FDA7CBF5CD3A849537FE39DCF793E4893EA4");
  EXPECT_EQ(proof.speedy_key,
            "EEFF30C0225A8D7C2257B4C2F6AE3DE8011C850BAD03A24FAC28DC9D225B4BF8"
            "FA7DCB0DE132FDCBE2A70ABFDD9FA810FB4EADC832A4ED49E26E99BBB1E94D11"
            "D4E72BAD1E48407DEE037BAA9C757154");
  EXPECT_EQ(proof.password, "EEFF30C0225A8D7C2257B4C2F6AE3DE8C1AE213BFAF9F16F7628A2BEB15D7FEC");
  const std::string response =
      "EEFF30C0225A8D7C2257B4C2F6AE3DE8D5F110441CAEA0A81EBE8730336F5FFB"
      "1407A32CE441EBB035F7AA9B09FB77CA";
  EXPECT_TRUE(is_genuine_response(proof.combined_key, response));
  std::string spoilt = response;
  spoilt[40] = spoilt[40] == '0' ? '1' : '0';
  EXPECT_FALSE(is_genuine_response(proof.combined_key, spoilt));
  for (const char* bad : {"", "00", "EEFF30C0225A8D7C2257B4C2F6AE3DE8", "not hex"}) {
    EXPECT_FALSE(is_genuine_response(proof.combined_key, bad)) << bad;
  }
}

TEST(Auth, Answers11gChallengesOfBothLengths) {
  Challenge challenge = challenge_11g();
  EXPECT_EQ(to_hex_upper(password_key(challenge, "tiger")),
            "15597ABE90E7A4FF4E897831AD7EAB681374006A00000000");
  LoginProof proof = answer_challenge(challenge, "tiger", known_random());
  EXPECT_EQ(proof.session_key,
            "0FF21BB3371C43C5A65BBA38CA07C4AC2F44FBB815BCC0B9067B9534341C679B"
            "DC20D968B685E3B2D7D62F79ACC1CD26");
  EXPECT_EQ(to_hex_upper(proof.combined_key), "68D95075A47A50389EFB7BFEC301A9FB742746803F4CB80A");
  EXPECT_EQ(proof.password, "58333D5EB244D583502460BB1BF6F4D8AB77A801D0C34AEBB7B1FDA150754836");
  EXPECT_TRUE(proof.speedy_key.empty());

  challenge.encrypted_key = aes_cbc_encrypt(password_key(challenge, "tiger"), ramp(0x40, 32));
  challenge.mixing_salt = ramp(0x20, 16);
  challenge.mixing_rounds = 3;
  proof = answer_challenge(challenge, "tiger", known_random());
  EXPECT_EQ(to_hex_upper(proof.combined_key), "107743645BCD77935623D75100409A00A65118DA4465848B");
  EXPECT_EQ(proof.password, "D6021AD1CD41DEEDF22BFC5171FB37FA02047F2E7B8FEE8B99CC861C082593E5");
}

std::vector<KeyValue> challenge_pairs(std::uint32_t verifier) {
  return {{"AUTH_SESSKEY", std::string(64, 'A'), 0},
          {"AUTH_VFR_DATA", std::string(32, '0'), verifier},
          {"AUTH_PBKDF2_CSK_SALT", std::string(32, '1'), 0},
          {"AUTH_PBKDF2_VGEN_COUNT", "4096", 0},
          {"AUTH_PBKDF2_SDER_COUNT", "3", 0}};
}

TEST(Auth, ReadsChallengesAndBoundsThem) {
  EXPECT_TRUE(read_challenge(challenge_pairs(18453)).ok());
  EXPECT_TRUE(read_challenge(challenge_pairs(6949)).ok());
  const auto old = read_challenge(challenge_pairs(2361));
  ASSERT_FALSE(old.ok());
  EXPECT_EQ(old.error().code, "oracle.verifier");
  EXPECT_EQ(old.error().kind, ErrorKind::kUnsupported);
  const auto spoilt = [](std::size_t pair, const std::string& value) {
    std::vector<KeyValue> pairs = challenge_pairs(18453);
    pairs[pair].value = value;
    return read_challenge(pairs).ok();
  };
  EXPECT_FALSE(spoilt(0, std::string(62, 'A')));
  EXPECT_FALSE(spoilt(0, std::string(64, 'G')));
  EXPECT_FALSE(spoilt(0, std::string(96, 'A'))) << "48 bytes belong to 11g";
  EXPECT_FALSE(spoilt(2, std::string(30, '1')));
  EXPECT_FALSE(spoilt(3, "0"));
  EXPECT_FALSE(spoilt(3, "100001"));
  EXPECT_FALSE(spoilt(4, "x"));
  EXPECT_FALSE(read_challenge({}).ok());
}

TEST(Auth, BuildsPhaseOneAsCaptured) {
  AuthMessage message;
  message.user = "scott";
  ClientIdentity identity;
  identity.terminal = "t";
  identity.program = "demo";
  identity.machine = "vm";
  identity.process_id = "4675";
  identity.os_user = "u";
  message.pairs = phase_one_pairs(identity);
  message.second_pointer = 0;
  Dialect dialect;
  dialect.field_version = 12;
  const Bytes built = encode_auth(message, dialect);
  const std::string start =
      "03760101010501010101050001"
      "0573636F7474"
      "010D0D";
  EXPECT_EQ(to_hex_upper(ByteView(built).first(start.size() / 2)), start);
  // Newer servers get a token behind the sequence number.
  dialect.field_version = 24;
  EXPECT_EQ(to_hex_upper(ByteView(encode_auth(message, dialect)).first(5)), "0376010001");
  dialect.text_is_clr = false;
  dialect.field_version = 12;
  EXPECT_EQ(encode_auth(message, dialect).size(), built.size() - 1);
}

TEST(Handshake, BuildsTheProtocolRequest) {
  Writer out;
  ProtocolRequest request;
  request.driver_name = "node-oracledb";
  encode_protocol(out, request);
  EXPECT_EQ(std::string(text_of(out.bytes())), std::string("\x01\x06\x00node-oracledb\x00", 17));
}

TEST(Handshake, ReadsItsOwnTypeListBack) {
  DataTypesRequest request;
  request.types = modern_types();
  EXPECT_GT(request.types.size(), 300U);
  EXPECT_EQ(request.types.front().type, 1);
  EXPECT_EQ(request.types.back().type, 670);
  const auto sb1 = std::find_if(request.types.begin(), request.types.end(),
                                [](const TypeEntry& entry) { return entry.type == 27; });
  ASSERT_NE(sb1, request.types.end());
  EXPECT_EQ(sb1->representation, 10) << "scales travel as one byte";
  Writer out;
  encode_data_types(out, request);
  Reader in(out.bytes());
  in.skip(1 + 5 + 2);  // type, character sets and flags, two empty capability arrays
  const DataTypesReply reply = decode_data_types(in, false, false);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(reply.types.size(), request.types.size());
}

TEST(Handshake, TakesATypeListWithAndWithoutTheZoneThatWasAnnounced) {
  const std::string list =
      "0001000100010000"
      "0000";
  const std::string zone = "800000003C3C3C80000000";
  for (const bool is_told : {true, false}) {
    const Bytes bytes = hex((is_told ? zone : "") + list);
    Reader in{ByteView(bytes)};
    const DataTypesReply reply = decode_data_types(in, true, false);
    EXPECT_TRUE(in.ok());
    EXPECT_EQ(reply.time_zone.has_value(), is_told);
    EXPECT_EQ(reply.types.size(), 1U);
  }
}

TEST(Handshake, CountsChunksInFourBytesFromTwelveOnWhateverTheServerAnnounces) {
  for (const auto& [field_version, bit, chunks] :
       {std::tuple{6, 0x00, ChunkLength::kUb1}, std::tuple{6, 0x20, ChunkLength::kUb4},
        std::tuple{7, 0x00, ChunkLength::kUb4}}) {
    ProtocolReply server;
    server.compile_capabilities = Bytes(42, 0);
    server.compile_capabilities[7] = static_cast<std::uint8_t>(field_version);
    server.compile_capabilities[37] = static_cast<std::uint8_t>(bit);
    DataTypesRequest client;
    client.compile_capabilities = Bytes(42, 24);
    EXPECT_EQ(negotiate(server, client, 318, false).chunks, chunks);
  }
}

/// Places of the shared vectors; empty when they are not on this machine.
std::filesystem::path vectors_directory() {
  const char* given = std::getenv("WHERRY_SHARED");
  std::filesystem::path base = given != nullptr ? given : "";
  if (base.empty()) {
    for (auto at = std::filesystem::current_path(); at.has_relative_path(); at = at.parent_path()) {
      if (std::filesystem::exists(at / "shared" / "vectors")) base = at / "shared";
    }
  }
  const auto directory = base / "vectors" / "oracle-wire";
  return std::filesystem::exists(directory) ? directory : std::filesystem::path();
}

TEST(Auth, OpensChallengesOfRealServers) {
  const auto directory = vectors_directory();
  if (directory.empty()) GTEST_SKIP() << "set WHERRY_SHARED to run this test";
  std::ifstream file(directory / "auth-vectors.json");
  const auto document = nlohmann::json::parse(file);
  std::size_t opened = 0;
  for (const auto& vector : document.at("o5logon_11g").at("vectors")) {
    Challenge challenge;
    challenge.verifier = Verifier::k11g;
    challenge.salt = hex(vector.at("auth_vfr_data").get<std::string>());
    const Bytes key = hex(vector.at("auth_sesskey").get<std::string>());
    const Bytes half =
        aes_cbc_decrypt(password_key(challenge, vector.at("password").get<std::string>()), key);
    // Old servers pad their 40 bytes, which shows that the key was right.
    EXPECT_EQ(Bytes(half.end() - 8, half.end()), Bytes(8, 8));
    ++opened;
  }
  for (const auto& vector : document.at("verifier_12c").at("vectors")) {
    Challenge challenge;
    challenge.verifier_rounds = 4096;
    challenge.salt = hex(vector.at("vfr_data").get<std::string>());
    Bytes verifier = hex(vector.at("verifier").get<std::string>());
    verifier.resize(32);
    EXPECT_EQ(password_key(challenge, vector.at("password").get<std::string>()), verifier);
    ++opened;
  }
  EXPECT_GE(opened, 7U);
}

}  // namespace
}  // namespace wherry::oracle::wire
