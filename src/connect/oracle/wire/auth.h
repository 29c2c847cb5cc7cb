// Password log-in (O5LOGON), pure: challenge in, proof out, server's answer checked. Random bytes
// are passed in, so a captured log-in can be re-created byte for byte.
// Facts: reference oracle-wire-session, 3.7 to 3.9.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/messages.h"
#include "connect/oracle/wire/writer.h"
#include "core/result.h"

namespace wherry::oracle::wire {

enum class Verifier : std::uint32_t {
  k10g = 2361,    ///< DES; refused
  k11g = 6949,    ///< SHA-1
  k11gB = 45394,  ///< the same, other number
  k12c = 18453,   ///< SHA-512 and PBKDF2
};

struct Challenge {
  Verifier verifier = Verifier::k12c;
  Bytes salt;               ///< AUTH_VFR_DATA
  Bytes encrypted_key;      ///< AUTH_SESSKEY, 32 or 48 bytes
  Bytes mixing_salt;        ///< AUTH_PBKDF2_CSK_SALT
  int verifier_rounds = 0;  ///< AUTH_PBKDF2_VGEN_COUNT
  int mixing_rounds = 0;    ///< AUTH_PBKDF2_SDER_COUNT
};
/// Reads and bounds the pairs of phase one's reply. kUnsupported for a verifier that only has 10g,
/// kTransient "oracle.protocol" for values out of range.
Result<Challenge> read_challenge(const std::vector<KeyValue>& pairs);

/// The client's random bytes.
struct LoginRandom {
  std::array<std::uint8_t, 48> session_half{};  ///< as much of it as the server's half is long
  std::array<std::uint8_t, 16> password_salt{};
  std::array<std::uint8_t, 16> speedy_salt{};
};
LoginRandom make_login_random();

struct LoginProof {
  std::string session_key;   ///< AUTH_SESSKEY
  std::string speedy_key;    ///< AUTH_PBKDF2_SPEEDY_KEY, 12c only
  std::string password;      ///< AUTH_PASSWORD
  std::string new_password;  ///< AUTH_NEWPASSWORD; empty: none
  Bytes combined_key;        ///< kept to check the server's answer
};
/// `new_password` empty: the password stays.
LoginProof answer_challenge(const Challenge& challenge, std::string_view password,
                            const LoginRandom& random, std::string_view new_password = {});
/// True if AUTH_SVR_RESPONSE proves that the server knows the verifier.
bool is_genuine_response(const Bytes& combined_key, std::string_view response_hex);

// Building stones, for tests and for checking captured log-ins.
Bytes password_key(const Challenge& challenge, std::string_view password);
Bytes combine_halves(const Challenge& challenge, ByteView server_half, ByteView client_half);
Bytes aes_cbc_encrypt(ByteView key, ByteView padded);
Bytes aes_cbc_decrypt(ByteView key, ByteView encrypted);
std::string to_hex_upper(ByteView bytes);
/// nullopt when it is not hex of whole bytes.
std::optional<Bytes> from_hex(std::string_view text);

inline constexpr std::uint32_t kModeLogon = 0x01;
/// In place of kModeLogon, in both phases.
inline constexpr std::uint32_t kModeNewPassword = 0x02;
inline constexpr std::uint32_t kModeWithPassword = 0x100;

enum class AuthPhase : std::uint8_t { kOne = 118, kTwo = 115 };
struct AuthMessage {
  AuthPhase phase = AuthPhase::kOne;
  std::uint8_t sequence = 1;
  std::string user;
  std::uint32_t mode = kModeLogon;
  std::vector<KeyValue> pairs;
  std::uint8_t second_pointer = 1;  ///< one official client sends 0 in phase one
};
/// A whole function message in the given dialect.
Bytes encode_auth(const AuthMessage& message, const Dialect& dialect);

/// What the client says of itself.
struct ClientIdentity {
  std::string terminal = "unknown";
  std::string program;
  std::string machine;
  std::string process_id;
  std::string os_user;
  std::string driver_name;           ///< "wherry : 0.1.0"
  std::uint32_t driver_version = 0;  ///< major << 24 | minor << 20 | patch << 12
};
std::vector<KeyValue> phase_one_pairs(const ClientIdentity& identity);
/// What a log-in may ask for besides; empty: none of it.
struct LoginWishes {
  std::string proxy_target;
  std::string edition;
  std::string connect_string;
};
/// Language, territory and time zone of the session are set in the log-in itself, so that no result
/// depends on defaults of the server or of this machine.
std::vector<KeyValue> phase_two_pairs(const ClientIdentity& identity, const LoginProof& proof,
                                      const LoginWishes& wishes);

}  // namespace wherry::oracle::wire
