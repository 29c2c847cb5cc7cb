#include "wire/o5logon.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace orasim::wire {

namespace {

constexpr std::size_t kBlock = 16;

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
};

// AES-CBC with a zero IV and no padding, as every step of the protocol uses it.
Bytes aes_cbc(const Bytes& key, ByteView data, bool encrypt) {
  const EVP_CIPHER* cipher = key.size() == 32   ? EVP_aes_256_cbc()
                             : key.size() == 24 ? EVP_aes_192_cbc()
                                                : EVP_aes_128_cbc();
  const std::unique_ptr<EVP_CIPHER_CTX, CipherFree> context(EVP_CIPHER_CTX_new());
  const std::uint8_t iv[kBlock] = {};
  Bytes out(data.size() + kBlock);
  int written = 0;
  if (!context ||
      EVP_CipherInit_ex(context.get(), cipher, nullptr, key.data(), iv, encrypt ? 1 : 0) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
      EVP_CipherUpdate(context.get(), out.data(), &written, data.data(),
                       static_cast<int>(data.size())) != 1) {
    throw std::runtime_error("AES failed in the crypto library");
  }
  out.resize(static_cast<std::size_t>(written));
  return out;
}

Bytes digest(const EVP_MD* kind, ByteView data) {
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (EVP_Digest(data.data(), data.size(), out.data(), &size, kind, nullptr) != 1) {
    throw std::runtime_error("digest failed in the crypto library");
  }
  out.resize(size);
  return out;
}

Bytes pbkdf2(ByteView secret, ByteView salt, int rounds, std::size_t size) {
  Bytes out(size);
  if (PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(secret.data()),
                        static_cast<int>(secret.size()), salt.data(), static_cast<int>(salt.size()),
                        rounds, EVP_sha512(), static_cast<int>(size), out.data()) != 1) {
    throw std::runtime_error("PBKDF2 failed in the crypto library");
  }
  return out;
}

void append(Bytes& to, ByteView more) {
  to.insert(to.end(), more.begin(), more.end());
}

Bytes padded(Bytes data) {
  const std::size_t pad = kBlock - data.size() % kBlock;
  data.insert(data.end(), pad, static_cast<std::uint8_t>(pad));
  return data;
}

Bytes wrap_key_12c(std::string_view password, const Bytes& salt) {
  Bytes long_salt = salt;
  append(long_salt, as_bytes("AUTH_PBKDF2_SPEEDY_KEY"));
  Bytes hashed = pbkdf2(as_bytes(password), long_salt, Challenge::kVerifierRounds, 64);
  append(hashed, salt);
  Bytes key = digest(EVP_sha512(), hashed);
  key.resize(32);
  return key;
}

Bytes wrap_key_11g(std::string_view password, const Bytes& salt) {
  Bytes text;
  append(text, as_bytes(password));
  append(text, salt);
  Bytes key = digest(EVP_sha1(), text);
  key.resize(24);  // four zero bytes fill it up
  return key;
}

Bytes md5_mixed(const Bytes& server, const Bytes& client) {
  Bytes mixed(24);
  for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] = server[16 + i] ^ client[16 + i];
  Bytes key = digest(EVP_md5(), ByteView(mixed).first(16));
  append(key, digest(EVP_md5(), ByteView(mixed).last(8)));
  key.resize(24);
  return key;
}

}  // namespace

std::uint32_t verifier_number(Verifier verifier) {
  return verifier == Verifier::k12c ? 18453 : 6949;
}

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    text.push_back(kDigits[b >> 4]);
    text.push_back(kDigits[b & 15]);
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int value = 0;
    for (const char c : {text[i], text[i + 1]}) {
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                               : -1;
      if (digit < 0) return std::nullopt;
      value = value * 16 + digit;
    }
    out.push_back(static_cast<std::uint8_t>(value));
  }
  return out;
}

void Challenge::wrap(std::string_view password) {
  wrap_key_ =
      verifier_ == Verifier::k12c ? wrap_key_12c(password, salt_) : wrap_key_11g(password, salt_);
  wrapped_half_ = aes_cbc(wrap_key_, server_half_, true);
}

Bytes Challenge::combined_key(std::string_view client_session_key_hex) const {
  const std::optional<Bytes> wrapped = from_hex(client_session_key_hex);
  if (!wrapped || wrapped->size() != server_half_.size()) return {};
  const Bytes client_half = aes_cbc(wrap_key_, *wrapped, false);
  if (verifier_ == Verifier::k11gPlain) return md5_mixed(server_half_, client_half);
  const std::size_t n = verifier_ == Verifier::k12c ? 32 : 24;
  const std::string secret =
      to_hex(ByteView(client_half).first(n)) + to_hex(ByteView(server_half_).first(n));
  return pbkdf2(as_bytes(secret), key_salt_, kKeyRounds, n);
}

std::optional<std::string> decrypt_password(const Bytes& key, std::string_view hex) {
  const std::optional<Bytes> sealed = from_hex(hex);
  if (!sealed || sealed->size() < 2 * kBlock || sealed->size() % kBlock != 0 || key.empty()) {
    return std::nullopt;
  }
  const Bytes open = aes_cbc(key, *sealed, false);
  const std::size_t pad = open.back();
  if (pad == 0 || pad > kBlock) return std::nullopt;
  if (!std::all_of(open.end() - static_cast<std::ptrdiff_t>(pad), open.end(),
                   [&](std::uint8_t b) { return b == pad; })) {
    return std::nullopt;
  }
  return std::string(as_text(ByteView(open).subspan(kBlock, open.size() - kBlock - pad)));
}

std::string server_response(const Bytes& key, const Bytes& random16) {
  Bytes text = random16;
  append(text, as_bytes("SERVER_TO_CLIENT"));
  return to_hex(aes_cbc(key, padded(std::move(text)), true));
}

Bytes random_bytes(std::size_t n) {
  Bytes out(n);
  if (RAND_bytes(out.data(), static_cast<int>(n)) != 1) {
    throw std::runtime_error("no randomness from the crypto library");
  }
  return out;
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace orasim::wire
