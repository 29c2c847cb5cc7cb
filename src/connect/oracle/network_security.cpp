#include "connect/oracle/network_security.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

#include "connect/oracle/errors.h"

namespace wherry::oracle {

using wire::SecurityLevel;

namespace {

constexpr std::uint32_t kLevelsDoNotMatch = 12660;

template <class Id>
Result<Id> chosen_of(std::uint8_t id, SecurityLevel level, const std::vector<Id>& offered) {
  if (id == 0) {
    if (level == SecurityLevel::kRequired) return security_mismatch_error();
    return Id{};
  }
  const auto known = static_cast<Id>(id);
  if (level == SecurityLevel::kRejected ||
      std::find(offered.begin(), offered.end(), known) == offered.end()) {
    return protocol_error("the server chose an algorithm that was not offered");
  }
  return known;
}

Result<wire::NativeAnswer> read_answer(Channel& channel, const net::Wait& wait) {
  while (true) {
    wire::Reader in(channel.window());
    wire::NativeAnswer answer = decode_native_answer(in);
    if (in.ok()) {
      channel.consume(in.position());
      return answer;
    }
    if (in.state() == wire::ParseState::kMalformed) return protocol_error(in.problem());
    WHERRY_ASSIGN(const Received received, channel.receive(wait));
    if (received == Received::kReset) {
      return protocol_error("the server broke off the native services negotiation");
    }
  }
}

Result<void> check_services(const wire::NativeAnswer& answer) {
  if (answer.error != 0) return server_error(answer.error, "");
  if (answer.supervisor_status != wire::kSupervisorOk) {
    return protocol_error("the server's supervisor service reports status " +
                          std::to_string(answer.supervisor_status));
  }
  if (answer.wants_authentication_service) {
    return make_error(ErrorKind::kUnsupported, "oracle.authentication_service",
                      "The server wants to authenticate by a service such as Kerberos",
                      "Use an account with a password, and let SQLNET.AUTHENTICATION_SERVICES on "
                      "the server allow it");
  }
  return {};
}

/// Overwrites a key before its memory is given back.
struct Wiped {
  wire::Bytes bytes;
  ~Wiped() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

Result<std::unique_ptr<wire::PacketGuard>> exchange_keys(Channel& channel,
                                                         const wire::KeyExchange& exchange,
                                                         wire::Cipher cipher,
                                                         wire::Checksum checksum,
                                                         const net::Wait& wait) {
  constexpr std::size_t kMinIvBytes = 16;
  Wiped secret{wire::Bytes(wire::private_key_bytes(exchange))};
  const int done = RAND_bytes(secret.bytes.data(), static_cast<int>(secret.bytes.size()));
  WHERRY_ASSERT(done == 1, "no random bytes");
  auto agreed = agree_on_key(exchange, secret.bytes);
  if (!agreed || exchange.iv.size() < kMinIvBytes) {
    return protocol_error("the server's Diffie-Hellman parameters cannot be used");
  }
  const Wiped shared{std::move(agreed->shared)};
  WHERRY_TRY(channel.send_message(wire::encode_native_key(agreed->public_key), wait));
  return std::make_unique<wire::PacketGuard>(cipher, checksum, shared.bytes, exchange.iv);
}

}  // namespace

Error security_mismatch_error() {
  return server_error(kLevelsDoNotMatch, "");
}

Result<AgreedSecurity> negotiate_security(Channel& channel, const wire::NetworkSecurity& offer,
                                          const net::Wait& wait) {
  WHERRY_TRY(channel.send_message(wire::encode_native_request(offer), wait));
  WHERRY_ASSIGN(const wire::NativeAnswer answer, read_answer(channel, wait));
  WHERRY_TRY(check_services(answer));
  WHERRY_ASSIGN(const wire::Cipher cipher,
                chosen_of(answer.cipher, offer.encryption, offer.ciphers));
  WHERRY_ASSIGN(const wire::Checksum checksum,
                chosen_of(answer.checksum, offer.integrity, offer.checksums));
  const bool is_on = cipher != wire::Cipher::kNone || checksum != wire::Checksum::kNone;
  if (is_on && !answer.key_exchange) {
    return protocol_error("the server switched encryption on without a key");
  }
  if (answer.key_exchange) {
    WHERRY_ASSIGN(auto guard, exchange_keys(channel, *answer.key_exchange, cipher, checksum, wait));
    if (is_on) channel.protect(std::move(guard));
  }
  return AgreedSecurity{std::string(name_of(cipher)), std::string(name_of(checksum))};
}

}  // namespace wherry::oracle
