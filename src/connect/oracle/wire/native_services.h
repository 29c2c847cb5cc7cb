// Oracle's own network encryption and integrity ("native services"): what the client offers after
// ACCEPT, what the server chose, and the key both agree on. Pure; random bytes are passed in.
// Facts: reference oracle-wire-encryption, 2.1 to 2.5.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::wire {

/// As in sqlnet.ora: how much one side wants a service.
enum class SecurityLevel : std::uint8_t { kRejected, kAccepted, kRequested, kRequired };

enum class Cipher : std::uint8_t { kNone = 0, kAes128 = 15, kAes192 = 16, kAes256 = 17 };
enum class Checksum : std::uint8_t {
  kNone = 0,
  kSha1 = 3,
  kSha512 = 4,
  kSha256 = 5,
  kSha384 = 6,
};

/// "AES256", "SHA256"; "" for none and for what is not known.
std::string_view name_of(Cipher cipher);
std::string_view name_of(Checksum checksum);
/// Any case; nullopt for an unknown word. RC4, DES and MD5 are not known: they protect nothing.
std::optional<SecurityLevel> parse_security_level(std::string_view word);
/// "AES256,AES192", in order of preference; spaces and a surrounding pair of parentheses do not
/// count. nullopt: a name is unknown, or there is none.
std::optional<std::vector<Cipher>> parse_ciphers(std::string_view list);
std::optional<std::vector<Checksum>> parse_checksums(std::string_view list);

/// Both services of one side. The types are in order of preference.
struct NetworkSecurity {
  SecurityLevel encryption = SecurityLevel::kAccepted;
  SecurityLevel integrity = SecurityLevel::kAccepted;
  std::vector<Cipher> ciphers = {Cipher::kAes256, Cipher::kAes192, Cipher::kAes128};
  std::vector<Checksum> checksums = {Checksum::kSha256, Checksum::kSha512, Checksum::kSha384,
                                     Checksum::kSha1};

  [[nodiscard]] bool is_rejected() const {
    return encryption == SecurityLevel::kRejected && integrity == SecurityLevel::kRejected;
  }
  [[nodiscard]] bool is_required() const {
    return encryption == SecurityLevel::kRequired || integrity == SecurityLevel::kRequired;
  }
};

/// The request with all four services.
Bytes encode_native_request(const NetworkSecurity& offer);
/// The client's public key, which has no answer.
Bytes encode_native_key(ByteView public_key);

/// Diffie-Hellman parameters of the server.
struct KeyExchange {
  std::uint16_t generator_bits = 0, prime_bits = 0;
  Bytes generator, prime, server_public, iv;
};
struct NativeAnswer {
  std::uint32_t error = 0;  ///< an ORA- number; the first service that reported one
  std::uint16_t supervisor_status = 0;
  std::uint8_t cipher = 0, checksum = 0;  ///< as sent, known or not
  bool wants_authentication_service = false;
  std::optional<KeyExchange> key_exchange;
};
inline constexpr std::uint32_t kNativeMagic = 0xDEADBEEF;
inline constexpr std::uint16_t kSupervisorOk = 0x001F;
/// The whole envelope; asks for more bytes until it is complete.
NativeAnswer decode_native_answer(Reader& in);

struct AgreedKey {
  Bytes public_key;  ///< the client's, to be sent
  Bytes shared;      ///< as long as the prime
};
/// nullopt: the parameters are not usable (lengths that do not fit, a degenerate public key).
std::optional<AgreedKey> agree_on_key(const KeyExchange& exchange, ByteView private_key);
/// How many random bytes agree_on_key() needs.
std::size_t private_key_bytes(const KeyExchange& exchange);

}  // namespace wherry::oracle::wire
