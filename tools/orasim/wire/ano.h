// Native network services (ANO), the server's half: reads a client's offer, weighs it against the
// server's own levels, and agrees on a key. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "wire/bytes.h"

namespace orasim::wire {

/// First four bytes of a native services message.
inline constexpr std::uint32_t kAnoMagic = 0xDEADBEEF;

enum class AnoLevel : std::uint8_t { kRejected, kAccepted, kRequested, kRequired };

/// What one side wants of one service; algorithm ids in order of preference, without "none".
struct AnoWish {
  AnoLevel level = AnoLevel::kAccepted;
  std::vector<std::uint8_t> algorithms;
};

/// The server's settings, as SQLNET.ENCRYPTION_SERVER and its fellows.
struct AnoPolicy {
  AnoWish encryption{AnoLevel::kAccepted, {17, 16, 15}};
  AnoWish integrity{AnoLevel::kAccepted, {5, 4, 6, 3}};

  [[nodiscard]] bool off() const {
    return encryption.level == AnoLevel::kRejected && integrity.level == AnoLevel::kRejected;
  }
  [[nodiscard]] bool required() const {
    return encryption.level == AnoLevel::kRequired || integrity.level == AnoLevel::kRequired;
  }
};

/// Ids of "AES256,AES128" or "SHA256,SHA1". Throws std::runtime_error for an unknown name.
std::vector<std::uint8_t> cipher_ids(std::string_view names);
std::vector<std::uint8_t> checksum_ids(std::string_view names);

struct AnoOffer {
  AnoWish encryption, integrity;
};
/// A whole request whose magic is still unread. Throws BadMessage.
AnoOffer decode_ano_offer(Reader&);

/// One service's result: an algorithm (0: off), or the number of an error.
struct AnoChoice {
  std::uint8_t algorithm = 0;
  int error = 0;
};
/// ORA-12660 for levels that exclude each other; ORA-12650 when a required service has no algorithm
/// in common. The server's preference decides.
AnoChoice choose(const AnoWish& client, const AnoWish& server);

/// The server's ephemeral Diffie-Hellman key in a 2048-bit group.
class AnoKey {
 public:
  AnoKey();
  /// Prime, generator and public key, 256 bytes each.
  [[nodiscard]] const Bytes& prime() const { return prime_; }
  [[nodiscard]] const Bytes& generator() const { return generator_; }
  [[nodiscard]] const Bytes& public_key() const { return public_; }
  [[nodiscard]] const Bytes& iv() const { return iv_; }
  /// Throws BadMessage for a key that is not in the group.
  [[nodiscard]] Bytes shared_with(ByteView client_public) const;

 private:
  Bytes prime_, generator_, secret_, public_, iv_;
};

/// `key`: nullptr when nothing was switched on.
void encode_ano_answer(Writer&, AnoChoice encryption, AnoChoice integrity, const AnoKey* key);
/// The client's public key, from the message that follows a switched-on service.
Bytes decode_ano_key(Reader&);

}  // namespace orasim::wire
