// The server's half of O5LOGON: challenge, combined key, password check. Pure but for randomness,
// which the caller passes in. Own code on OpenSSL's AES-CBC, SHA and PBKDF2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/bytes.h"

namespace orasim::wire {

enum class Verifier : std::uint8_t {
  k12c,       ///< PBKDF2 with SHA-512
  k11g,       ///< SHA-1 verifier, PBKDF2 key mixing
  k11gPlain,  ///< SHA-1 verifier, MD5 key mixing: servers whose capability 4 lacks 0x20
};
/// The flags number of AUTH_VFR_DATA.
std::uint32_t verifier_number(Verifier);

std::string to_hex(ByteView);  ///< upper case
/// nullopt: odd length or a character that is no hex digit.
std::optional<Bytes> from_hex(std::string_view);

/// A fresh random challenge for a password, and what the answer is checked with.
class Challenge {
 public:
  static constexpr int kVerifierRounds = 4096;
  static constexpr int kKeyRounds = 3;

  /// `random(n)` returns n random bytes.
  template <typename Random>
  Challenge(Verifier verifier, std::string_view password, Random&& random)
      : verifier_(verifier),
        salt_(random(verifier == Verifier::k12c ? 16 : 10)),
        key_salt_(random(16)),
        server_half_(random(verifier == Verifier::k11gPlain ? 48 : 32)) {
    wrap(password);
  }

  [[nodiscard]] std::string session_key_hex() const { return to_hex(wrapped_half_); }
  [[nodiscard]] std::string salt_hex() const { return to_hex(salt_); }
  [[nodiscard]] std::string key_salt_hex() const { return to_hex(key_salt_); }
  [[nodiscard]] Verifier verifier() const { return verifier_; }

  /// The combined key from the client's AUTH_SESSKEY; empty when that is malformed.
  [[nodiscard]] Bytes combined_key(std::string_view client_session_key_hex) const;

 private:
  void wrap(std::string_view password);

  Verifier verifier_;
  Bytes salt_;
  Bytes key_salt_;
  Bytes server_half_;
  Bytes wrap_key_;
  Bytes wrapped_half_;
};

/// AUTH_PASSWORD or AUTH_NEWPASSWORD in clear; nullopt when it does not decrypt to a padded text,
/// which is what a wrong password looks like.
std::optional<std::string> decrypt_password(const Bytes& key, std::string_view hex);
/// AUTH_SVR_RESPONSE, proving that the server knew the password.
std::string server_response(const Bytes& key, const Bytes& random16);

Bytes random_bytes(std::size_t n);
/// Comparison whose time does not depend on where the texts differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace orasim::wire
