// Captured log-ins whose password is known: each side's proof is checked, and the client's messages
// are built again, byte for byte, by the client's own builders from the same random values.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/handshake_request.h"
#include "connect/oracle/trace/request.h"
#include "connect/oracle/trace/response.h"
#include "connect/oracle/trace/shared_vectors.h"
#include "connect/oracle/wire/auth.h"
#include "connect/oracle/wire/handshake.h"
#include "connect/oracle/wire/tns.h"

namespace wherry::oracle::trace {
namespace {

using wire::Bytes;
using wire::KeyValue;

constexpr std::string_view kAccount = "SYSTEM";
constexpr std::string_view kPassword = "oracle";
constexpr std::size_t kDataHeader = 10;
constexpr std::size_t kSaltBytes = 16;

Bytes to_bytes(std::string_view text) {
  const ByteView bytes = wire::bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

/// TTC payloads of one capture, in order, with the dialect that holds for each.
struct Payload {
  Direction direction;
  Bytes bytes;
  wire::Dialect dialect;
  /// A reply of several messages: the pairs of the one that has some.
  std::vector<KeyValue> pairs;
};

/// Reads the messages of a log-in reply up to its pairs.
std::vector<KeyValue> pairs_of_reply(Session session, ByteView bytes) {
  const Decoded decoded = decode_response(session, bytes);
  for (const DecodedMessage& message : decoded.messages) {
    if (message.fields["message"] != "auth parameters") continue;
    Reader in(bytes, session.dialect.chunks);
    in.skip(message.offset + 1);
    return wire::decode_key_values(in);
  }
  return {};
}

/// Joins the packets of one connection to what each side said in its turn.
class Turns {
 public:
  void add(const Block& block) {
    constexpr std::size_t kType = 4;
    const bool is_data = block.bytes.size() >= kDataHeader && block.bytes[kType] == 6;
    if (!is_data || block.direction != direction_) end();
    if (!is_data) return note(block.bytes);
    direction_ = block.direction;
    bytes_ += block.bytes.substr(kDataHeader);
    constexpr std::size_t kDataFlags = 8;
    if ((block.bytes[kDataFlags] & 0x20) != 0) end();
  }

  std::vector<Payload> take() {
    end();
    return std::move(payloads_);
  }

 private:
  void note(const std::string& packet) {
    Reader in(wire::bytes_of(packet));
    const wire::PacketHeader header = wire::decode_header(in, false, wire::kMaxPacketBytes);
    if (header.type != wire::PacketType::kAccept) return;
    session_.dialect.end_of_response = wire::decode_accept(in).has_end_of_response();
  }

  void end() {
    if (bytes_.empty()) return;
    Payload payload{direction_, to_bytes(bytes_), session_.dialect, {}};
    if (direction_ == Direction::kClient) {
      decode_request(session_, payload.bytes);
    } else {
      payload.pairs = pairs_of_reply(session_, payload.bytes);
      decode_response(session_, payload.bytes);
    }
    payloads_.push_back(std::move(payload));
    bytes_.clear();
  }

  Session session_;
  Direction direction_ = Direction::kUnknown;
  std::string bytes_;
  std::vector<Payload> payloads_;
};

/// What was said on each connection of a capture.
std::vector<std::vector<Payload>> connections_of(const std::string& text) {
  std::istringstream in(text);
  std::map<std::uint64_t, Turns> turns;
  read_capture({}, in, [&](const Block& block) {
    if (!block.is_alone && !block.is_payload) turns[block.flow].add(block);
  });
  std::vector<std::vector<Payload>> connections;
  for (auto& [flow, connection] : turns) connections.push_back(connection.take());
  return connections;
}

/// What a connection holds of its log-in.
struct Login {
  std::string name;   ///< of the capture
  Payload phase_one;  ///< or the fast log-in message that contains it
  Payload phase_two;
  std::vector<KeyValue> challenge, result;
};

bool starts_with(const Bytes& bytes, std::initializer_list<std::uint8_t> start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
}

Login login_of(const std::vector<Payload>& payloads) {
  Login login;
  for (std::size_t i = 0; i + 1 < payloads.size(); ++i) {
    const Bytes& bytes = payloads[i].bytes;
    if (starts_with(bytes, {3, 0x76}) || starts_with(bytes, {34})) {
      login.phase_one = payloads[i];
      login.challenge = payloads[i + 1].pairs;
    } else if (starts_with(bytes, {3, 0x73}) && login.result.empty()) {
      login.phase_two = payloads[i];
      login.result = payloads[i + 1].pairs;
    }
  }
  return login;
}

struct AuthRequest {
  wire::AuthMessage message;
  std::size_t used_bytes = 0;
};

AuthRequest read_auth(ByteView bytes, const wire::Dialect& dialect) {
  AuthRequest request;
  Reader in(bytes, dialect.chunks);
  in.skip(1);
  const auto phase = static_cast<wire::AuthPhase>(in.u8());
  const std::uint8_t sequence = in.u8();
  if (dialect.has_token()) in.ub8();
  request.message = decode_auth_request(in, phase, dialect.text_is_clr);
  request.message.sequence = sequence;
  EXPECT_TRUE(in.ok());
  request.used_bytes = in.position();
  return request;
}

const std::string& value_of(const std::vector<KeyValue>& pairs, std::string_view key) {
  static const std::string kNone;
  const KeyValue* pair = wire::find_key(pairs, key);
  EXPECT_NE(pair, nullptr) << key;
  return pair != nullptr ? pair->value : kNone;
}

Bytes decrypt_hex(const Bytes& key, const std::string& hex) {
  const auto encrypted = wire::from_hex(hex);
  EXPECT_TRUE(encrypted.has_value());
  return encrypted ? wire::aes_cbc_decrypt(key, *encrypted) : Bytes();
}

template <std::size_t N>
void copy_start(const Bytes& from, std::array<std::uint8_t, N>& to) {
  std::copy_n(from.begin(), std::min(from.size(), to.size()), to.begin());
}

bool is_same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::toupper(static_cast<unsigned char>(x)) ==
           std::toupper(static_cast<unsigned char>(y));
  });
}

/// Every log-in of every capture that succeeded with the account whose password is known.
class CapturedLogins : public SharedVectorTest {
 protected:
  std::vector<Login> known_logins() const {
    std::vector<Login> logins;
    for (const auto& entry : std::filesystem::directory_iterator(vectors_)) {
      if (entry.path().extension() != ".txt") continue;
      const std::string name = entry.path().filename();
      for (const std::vector<Payload>& connection : connections_of(text_of(name))) {
        Login login = login_of(connection);
        if (!is_known(login)) continue;
        login.name = name;
        logins.push_back(std::move(login));
      }
    }
    return logins;
  }

 private:
  static bool is_known(const Login& login) {
    if (wire::find_key(login.result, "AUTH_SVR_RESPONSE") == nullptr) return false;
    return is_same_name(read_auth(login.phase_two.bytes, login.phase_two.dialect).message.user,
                        kAccount);
  }
};

/// The client's random bytes, found with the password.
wire::LoginRandom random_of(const wire::Challenge& challenge, const std::vector<KeyValue>& pairs,
                            Bytes& combined_key) {
  wire::LoginRandom random;
  const Bytes key = wire::password_key(challenge, kPassword);
  const Bytes server_half = wire::aes_cbc_decrypt(key, challenge.encrypted_key);
  const Bytes client_half = decrypt_hex(key, value_of(pairs, "AUTH_SESSKEY"));
  copy_start(client_half, random.session_half);
  combined_key = wire::combine_halves(challenge, server_half, client_half);
  copy_start(decrypt_hex(combined_key, value_of(pairs, "AUTH_PASSWORD")), random.password_salt);
  if (challenge.verifier == wire::Verifier::k12c) {
    copy_start(decrypt_hex(combined_key, value_of(pairs, "AUTH_PBKDF2_SPEEDY_KEY")),
               random.speedy_salt);
  }
  return random;
}

TEST_F(CapturedLogins, ProveBothSides) {
  for (const Login& seen : known_logins()) {
    SCOPED_TRACE(seen.name);
    const auto challenge = wire::read_challenge(seen.challenge);
    ASSERT_TRUE(challenge.ok());
    const AuthRequest request = read_auth(seen.phase_two.bytes, seen.phase_two.dialect);
    Bytes key;
    random_of(*challenge, request.message.pairs, key);
    const Bytes plain = decrypt_hex(key, value_of(request.message.pairs, "AUTH_PASSWORD"));
    ASSERT_EQ(plain.size(), 2 * kSaltBytes);
    EXPECT_EQ(wire::text_of(ByteView(plain).subspan(kSaltBytes, kPassword.size())), kPassword);
    EXPECT_EQ(plain.back(), kSaltBytes - kPassword.size());
    EXPECT_TRUE(wire::is_genuine_response(key, value_of(seen.result, "AUTH_SVR_RESPONSE")));
    const Bytes answer = decrypt_hex(key, value_of(seen.result, "AUTH_SVR_RESPONSE"));
    EXPECT_EQ(wire::text_of(ByteView(answer).subspan(kSaltBytes, 16)), "SERVER_TO_CLIENT");
  }
}

TEST_F(CapturedLogins, AreBuiltAgainFromTheSameRandomBytes) {
  for (const Login& seen : known_logins()) {
    SCOPED_TRACE(seen.name);
    const auto challenge = wire::read_challenge(seen.challenge);
    ASSERT_TRUE(challenge.ok());
    AuthRequest request = read_auth(seen.phase_two.bytes, seen.phase_two.dialect);
    Bytes key;
    const wire::LoginRandom random = random_of(*challenge, request.message.pairs, key);
    const wire::LoginProof proof = wire::answer_challenge(*challenge, kPassword, random);
    EXPECT_EQ(proof.combined_key, key);
    for (KeyValue& pair : request.message.pairs) {
      if (pair.key == "AUTH_SESSKEY") pair.value = proof.session_key;
      if (pair.key == "AUTH_PBKDF2_SPEEDY_KEY") pair.value = proof.speedy_key;
      if (pair.key == "AUTH_PASSWORD") pair.value = proof.password;
    }
    EXPECT_EQ(wire::encode_auth(request.message, seen.phase_two.dialect), seen.phase_two.bytes);
  }
}

/// A fast log-in message from its parts. The few bytes between them say what the client assumes of
/// the server; the whole-message builder writes those of the official clients.
void expect_fast_auth_is_built_again(const Bytes& bytes) {
  constexpr std::size_t kHeadBytes = 4, kMiddleBytes = 6;
  Reader in(bytes);
  const ByteView head = in.raw(kHeadBytes);
  in.skip(1);
  const wire::ProtocolRequest protocol = decode_protocol_request(in);
  const ByteView middle = in.raw(kMiddleBytes);
  in.skip(1);
  const wire::DataTypesRequest types = decode_data_types_request(in, {});
  ASSERT_TRUE(in.ok());
  wire::Dialect dialect;
  dialect.field_version = middle.back();
  dialect.text_is_clr = (types.encoding_flags & 0x02) != 0;
  const Bytes auth = wire::encode_auth(read_auth(in.rest(), dialect).message, dialect);
  wire::Writer out;
  out.raw(head);
  wire::encode_protocol(out, protocol);
  out.raw(middle);
  wire::encode_data_types(out, types);
  out.raw(ByteView(auth));
  EXPECT_EQ(out.bytes(), bytes);
  const bool is_official = middle.back() == wire::kFastAuthFieldVersion;
  if (is_official) {
    EXPECT_EQ(wire::encode_fast_auth(protocol, types, auth), bytes);
  }
}

TEST_F(CapturedLogins, BeginWithMessagesThatAreBuiltAgain) {
  for (const Login& seen : known_logins()) {
    SCOPED_TRACE(seen.name);
    const Payload& phase_one = seen.phase_one;
    if (starts_with(phase_one.bytes, {3})) {
      const AuthRequest request = read_auth(phase_one.bytes, phase_one.dialect);
      EXPECT_EQ(wire::encode_auth(request.message, phase_one.dialect), phase_one.bytes);
      continue;
    }
    expect_fast_auth_is_built_again(phase_one.bytes);
  }
}

/// The bytes a message is built to from what was read of it; nullopt for other messages.
std::optional<Bytes> negotiation_built_again(const Payload& payload) {
  Reader in(ByteView(payload.bytes).subspan(1));
  wire::Writer out;
  if (starts_with(payload.bytes, {1})) {
    wire::encode_protocol(out, decode_protocol_request(in));
  } else if (starts_with(payload.bytes, {2})) {
    wire::encode_data_types(out, decode_data_types_request(in, {}));
  } else {
    return std::nullopt;
  }
  return out.take();
}

TEST_F(CapturedLogins, NegotiateWithMessagesThatAreBuiltAgain) {
  std::size_t checked = 0;
  for (const std::string name : {"go_ora.txt", "go_ora_numbers.txt", "python_thin.txt"}) {
    SCOPED_TRACE(name);
    const std::vector<std::vector<Payload>> connections = connections_of(text_of(name));
    ASSERT_EQ(connections.size(), 1U);
    for (const Payload& payload : connections[0]) {
      if (payload.direction != Direction::kClient) continue;
      const auto built = negotiation_built_again(payload);
      if (!built) continue;
      ++checked;
      EXPECT_EQ(*built, payload.bytes);
    }
  }
  EXPECT_EQ(checked, 6U);
}

TEST_F(CapturedLogins, AreFoundInEveryCaptureOfTheKnownAccount) {
  std::set<std::string> names;
  for (const Login& login : known_logins()) names.insert(login.name);
  for (const char* name :
       {"go_ora_numbers.txt", "go_ora_binds.txt", "go_ora_dml.txt", "go_ora_largeresult.txt",
        "go_ora_failed_stmt.txt", "python_thin_failed_stmt.txt"}) {
    EXPECT_EQ(names.count(name), 1U) << name;
  }
}

TEST_F(CapturedLogins, AgreeWithPublishedVerifiers) {
  const Json vectors = Json::parse(text_of("auth-vectors.json"));
  for (const Json& vector : vectors["o5logon_11g"]["vectors"]) {
    wire::Challenge challenge;
    challenge.verifier = wire::Verifier::k11g;
    challenge.salt = *wire::from_hex(vector["auth_vfr_data"].get<std::string>());
    const Bytes key = wire::password_key(challenge, vector["password"].get<std::string>());
    const Bytes plain = decrypt_hex(key, vector["auth_sesskey"]);
    ASSERT_EQ(plain.size(), 48U);
    EXPECT_TRUE(std::all_of(plain.end() - 8, plain.end(), [](std::uint8_t b) { return b == 8; }))
        << vector;
  }
  for (const Json& vector : vectors["verifier_12c"]["vectors"]) {
    wire::Challenge challenge;
    challenge.verifier = wire::Verifier::k12c;
    challenge.salt = *wire::from_hex(vector["vfr_data"].get<std::string>());
    challenge.verifier_rounds = 4096;
    const Bytes key = wire::password_key(challenge, vector["password"].get<std::string>());
    const auto verifier = wire::from_hex(vector["verifier"].get<std::string>());
    ASSERT_TRUE(verifier.has_value());
    EXPECT_TRUE(std::equal(key.begin(), key.end(), verifier->begin())) << vector;
  }
}

}  // namespace
}  // namespace wherry::oracle::trace
