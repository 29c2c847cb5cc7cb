#include "connect/oracle/wire/auth.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace wherry::oracle::wire {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kLongHalf = 48;
constexpr std::size_t kSpeedyHashBytes = 64;
constexpr std::size_t kSpeedyKeyBytes = 80;
constexpr std::string_view kSpeedyLabel = "AUTH_PBKDF2_SPEEDY_KEY";
constexpr std::string_view kServerProof = "SERVER_TO_CLIENT";
constexpr int kMaxRounds = 100000;

Bytes joined(ByteView a, ByteView b) {
  Bytes result(a.begin(), a.end());
  result.insert(result.end(), b.begin(), b.end());
  return result;
}

Bytes digest(const EVP_MD* kind, ByteView data) {
  Bytes result(static_cast<std::size_t>(EVP_MD_get_size(kind)));
  unsigned size = 0;
  const int done = EVP_Digest(data.data(), data.size(), result.data(), &size, kind, nullptr);
  WHERRY_ASSERT(done == 1, "OpenSSL refused a digest");
  return result;
}

Bytes pbkdf2(ByteView password, ByteView salt, int rounds, std::size_t size) {
  Bytes result(size);
  const int done = PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()),
                                     static_cast<int>(password.size()), salt.data(),
                                     static_cast<int>(salt.size()), rounds, EVP_sha512(),
                                     static_cast<int>(size), result.data());
  WHERRY_ASSERT(done == 1, "OpenSSL refused PBKDF2");
  return result;
}

const EVP_CIPHER* cipher_for(std::size_t key_bytes) {
  switch (key_bytes) {
    case 16:
      return EVP_aes_128_cbc();
    case 24:
      return EVP_aes_192_cbc();
    default:
      return EVP_aes_256_cbc();
  }
}

Bytes aes_cbc(ByteView key, ByteView data, bool encrypt) {
  WHERRY_ASSERT(data.size() % kBlock == 0, "AES works on whole blocks");
  constexpr std::uint8_t kZeroIv[kBlock] = {};
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  Bytes result(data.size() + kBlock);
  int size = 0;
  const bool done = EVP_CipherInit_ex(context.get(), cipher_for(key.size()), nullptr, key.data(),
                                      kZeroIv, encrypt ? 1 : 0) == 1 &&
                    EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
                    EVP_CipherUpdate(context.get(), result.data(), &size, data.data(),
                                     static_cast<int>(data.size())) == 1;
  WHERRY_ASSERT(done, "OpenSSL refused AES");
  result.resize(data.size());
  return result;
}

Bytes padded(Bytes data) {
  const std::size_t pad = kBlock - data.size() % kBlock;
  data.insert(data.end(), pad, static_cast<std::uint8_t>(pad));
  return data;
}

/// The password stretched as a 12c verifier is; also sent to spare the server the work.
Bytes stretched_password(const Challenge& challenge, std::string_view password) {
  return pbkdf2(bytes_of(password), joined(challenge.salt, bytes_of(kSpeedyLabel)),
                challenge.verifier_rounds, kSpeedyHashBytes);
}

Bytes key_12c(ByteView stretched, ByteView salt) {
  Bytes key = digest(EVP_sha512(), joined(stretched, salt));
  key.resize(32);
  return key;
}

Bytes key_11g(const Challenge& challenge, std::string_view password) {
  Bytes key = digest(EVP_sha1(), joined(bytes_of(password), challenge.salt));
  key.resize(24, 0);
  return key;
}

std::string_view value_of(const std::vector<KeyValue>& pairs, std::string_view key) {
  const KeyValue* pair = find_key(pairs, key);
  return pair != nullptr ? std::string_view(pair->value) : std::string_view();
}

int number_of(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

Error bad_challenge(std::string_view what) {
  return make_error(ErrorKind::kTransient, "oracle.protocol",
                    "The server's log-in challenge is malformed: " + std::string(what),
                    "Check that host and port belong to an Oracle listener");
}

}  // namespace

std::string to_hex_upper(ByteView bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    std::uint8_t byte = 0;
    const char* const end = text.data() + i + 2;
    const auto [stop, error] = std::from_chars(text.data() + i, end, byte, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    bytes.push_back(byte);
  }
  return bytes;
}

Bytes aes_cbc_encrypt(ByteView key, ByteView data) {
  return aes_cbc(key, data, true);
}
Bytes aes_cbc_decrypt(ByteView key, ByteView data) {
  return aes_cbc(key, data, false);
}

Result<Challenge> read_challenge(const std::vector<KeyValue>& pairs) {
  const KeyValue* verifier = find_key(pairs, "AUTH_VFR_DATA");
  if (verifier == nullptr) return bad_challenge("it has no verifier");
  Challenge challenge;
  challenge.verifier = static_cast<Verifier>(verifier->flags);
  const bool is_12c = challenge.verifier == Verifier::k12c;
  const bool is_11g = challenge.verifier == Verifier::k11g || challenge.verifier == Verifier::k11gB;
  if (!is_12c && !is_11g) {
    return make_error(
        ErrorKind::kUnsupported, "oracle.verifier",
        "The account has only a password verifier of Oracle 10g or of an unknown kind (number " +
            std::to_string(verifier->flags) + ")",
        "Set the account's password again on the server, which stores an 11g or 12c verifier");
  }
  const auto salt = from_hex(verifier->value);
  const auto key = from_hex(value_of(pairs, "AUTH_SESSKEY"));
  const auto mixing_salt = from_hex(value_of(pairs, "AUTH_PBKDF2_CSK_SALT"));
  if (!salt || !key || !mixing_salt) return bad_challenge("a value is not hexadecimal");
  challenge.salt = *salt;
  challenge.encrypted_key = *key;
  challenge.mixing_salt = *mixing_salt;
  challenge.verifier_rounds = number_of(value_of(pairs, "AUTH_PBKDF2_VGEN_COUNT"));
  challenge.mixing_rounds = number_of(value_of(pairs, "AUTH_PBKDF2_SDER_COUNT"));
  const auto in_range = [](int rounds) { return rounds >= 1 && rounds <= kMaxRounds; };
  if (key->size() != 32 && (is_12c || key->size() != kLongHalf)) {
    return bad_challenge("the session key has a wrong length");
  }
  if (is_12c && !in_range(challenge.verifier_rounds)) {
    return bad_challenge("the verifier's iteration count is out of range");
  }
  if (key->size() == 32 && (mixing_salt->size() != 16 || !in_range(challenge.mixing_rounds))) {
    return bad_challenge("salt or iteration count of the key mixing is out of range");
  }
  return challenge;
}

LoginRandom make_login_random() {
  LoginRandom random;
  const auto fill = [](auto& bytes) {
    const int done = RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    WHERRY_ASSERT(done == 1, "no random bytes");
  };
  fill(random.session_half);
  fill(random.password_salt);
  fill(random.speedy_salt);
  return random;
}

Bytes password_key(const Challenge& challenge, std::string_view password) {
  if (challenge.verifier != Verifier::k12c) return key_11g(challenge, password);
  return key_12c(stretched_password(challenge, password), challenge.salt);
}

Bytes combine_halves(const Challenge& challenge, ByteView server_half, ByteView client_half) {
  if (server_half.size() == kLongHalf) {
    Bytes mixed(24);
    for (std::size_t i = 0; i < mixed.size(); ++i) {
      mixed[i] = server_half[kBlock + i] ^ client_half[kBlock + i];
    }
    const ByteView view(mixed);
    Bytes key = joined(digest(EVP_md5(), view.first(16)), digest(EVP_md5(), view.subspan(16)));
    key.resize(24);
    return key;
  }
  const std::size_t size = challenge.verifier == Verifier::k12c ? 32 : 24;
  const std::string text =
      to_hex_upper(client_half.first(size)) + to_hex_upper(server_half.first(size));
  return pbkdf2(bytes_of(text), challenge.mixing_salt, challenge.mixing_rounds, size);
}

LoginProof answer_challenge(const Challenge& challenge, std::string_view password,
                            const LoginRandom& random, std::string_view new_password) {
  const bool is_12c = challenge.verifier == Verifier::k12c;
  const Bytes stretched = is_12c ? stretched_password(challenge, password) : Bytes();
  const Bytes key = is_12c ? key_12c(stretched, challenge.salt) : key_11g(challenge, password);
  const Bytes server_half = aes_cbc_decrypt(key, challenge.encrypted_key);
  const ByteView client_half = ByteView(random.session_half).first(server_half.size());

  LoginProof proof;
  proof.session_key = to_hex_upper(aes_cbc_encrypt(key, client_half));
  proof.combined_key = combine_halves(challenge, server_half, client_half);
  const auto sealed = [&](std::string_view secret) {
    return to_hex_upper(aes_cbc_encrypt(proof.combined_key,
                                        padded(joined(random.password_salt, bytes_of(secret)))));
  };
  proof.password = sealed(password);
  if (!new_password.empty()) proof.new_password = sealed(new_password);
  if (is_12c) {
    Bytes speedy =
        aes_cbc_encrypt(proof.combined_key, padded(joined(random.speedy_salt, stretched)));
    speedy.resize(kSpeedyKeyBytes);
    proof.speedy_key = to_hex_upper(speedy);
  }
  return proof;
}

bool is_genuine_response(const Bytes& combined_key, std::string_view response_hex) {
  const auto encrypted = from_hex(response_hex);
  if (!encrypted || encrypted->size() < 2 * kBlock || encrypted->size() % kBlock != 0) return false;
  const Bytes plain = aes_cbc_decrypt(combined_key, *encrypted);
  return text_of(ByteView(plain).subspan(kBlock, kBlock)) == kServerProof;
}

}  // namespace wherry::oracle::wire
