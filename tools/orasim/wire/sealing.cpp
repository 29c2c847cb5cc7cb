#include "wire/sealing.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace orasim::wire {

namespace {

constexpr std::size_t kSealBlock = 16;
constexpr std::uint8_t kSha1 = 3;
// Byte 5 of a stream's key, by who sends: these are the server's views.
constexpr std::uint8_t kOutgoing = 0xB4, kIncoming = 0x5A;

const EVP_MD* seal_hash(std::uint8_t id) {
  switch (id) {
    case kSha1:
      return EVP_sha1();
    case 4:
      return EVP_sha512();
    case 5:
      return EVP_sha256();
    case 6:
      return EVP_sha384();
    default:
      throw std::runtime_error("no such checksum");
  }
}

std::size_t seal_hash_size(std::uint8_t id) {
  return static_cast<std::size_t>(EVP_MD_get_size(seal_hash(id)));
}

}  // namespace

// One direction of AES-CBC, whose chain runs on until restarted.
struct Sealing::Cipher {
  Cipher(ByteView key, ByteView iv, bool encrypt) : context(EVP_CIPHER_CTX_new()) {
    const EVP_CIPHER* kind = key.size() == 16   ? EVP_aes_128_cbc()
                             : key.size() == 24 ? EVP_aes_192_cbc()
                                                : EVP_aes_256_cbc();
    EVP_CipherInit_ex(context, kind, nullptr, key.data(), iv.data(), encrypt ? 1 : 0);
    EVP_CIPHER_CTX_set_padding(context, 0);
  }
  ~Cipher() { EVP_CIPHER_CTX_free(context); }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  void apply(Bytes& blocks) {
    int done = 0;
    if (EVP_CipherUpdate(context, blocks.data(), &done, blocks.data(),
                         static_cast<int>(blocks.size())) != 1) {
      throw std::runtime_error("AES failed in the crypto library");
    }
  }
  void apply_alone(Bytes& blocks) {
    const std::uint8_t zero[kSealBlock] = {};
    EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, zero, -1);
    apply(blocks);
  }

  evp_cipher_ctx_st* context;
};

// The secret bytes that go into the checksum after each payload: AES-CBC applied to the last ones
// again and again, or, for SHA-1, an RC4 key stream.
class Sealing::Noise {
 public:
  Noise(ByteView key, ByteView iv, std::size_t size)
      : cipher_(std::make_unique<Cipher>(key, iv, true)), bytes_(size) {}
  Noise(ByteView rc4_key, std::size_t size) : bytes_(size), box_(256) {
    std::iota(box_.begin(), box_.end(), std::uint8_t{0});
    for (unsigned n = 0, mix = 0; n < 256; ++n) {
      mix = (mix + box_[n] + rc4_key[n % rc4_key.size()]) & 255;
      std::swap(box_[n], box_[mix]);
    }
  }
  const Bytes& next() {
    if (cipher_) {
      cipher_->apply(bytes_);
    } else {
      for (std::uint8_t& byte : bytes_) byte = rc4_byte();
    }
    return bytes_;
  }
  // A new key does not start the bytes over.
  void keep(const Noise& before) { bytes_ = before.bytes_; }

 private:
  std::uint8_t rc4_byte() {
    first_ = (first_ + 1) & 255;
    second_ = (second_ + box_[first_]) & 255;
    std::swap(box_[first_], box_[second_]);
    return box_[(box_[first_] + box_[second_]) & 255];
  }

  std::unique_ptr<Cipher> cipher_;
  Bytes bytes_;
  Bytes box_;
  unsigned first_ = 0, second_ = 0;
};

Sealing::Sealing(std::uint8_t cipher, std::uint8_t checksum, const Bytes& key, const Bytes& iv)
    : checksum_(checksum) {
  const std::uint8_t zero[kSealBlock] = {};
  if (cipher != 0) {
    const ByteView secret = ByteView(key).first(cipher == 15 ? 16 : cipher == 16 ? 24 : 32);
    encrypt_ = std::make_unique<Cipher>(secret, zero, true);
    decrypt_ = std::make_unique<Cipher>(secret, zero, false);
  }
  if (checksum == 0) return;
  if (checksum == kSha1) {
    Bytes seed(key.end() - 5, key.end());
    seed.push_back(0xFF);
    seed.insert(seed.end(), iv.begin(), iv.end());
    old_generator_ = std::make_unique<Noise>(seed, 5);
  } else {
    Bytes seed(kSealBlock, 0);
    std::copy_n(key.begin(), 5, seed.begin());
    seed[5] = 0xFF;
    generator_ = std::make_unique<Cipher>(seed, ByteView(iv).first(kSealBlock), true);
    state_.assign(2 * kSealBlock, 0);
  }
  new_streams();
}

Sealing::~Sealing() = default;

void Sealing::new_streams() {
  const std::size_t size = seal_hash_size(checksum_);
  std::unique_ptr<Noise> out, in;
  if (old_generator_) {
    Bytes key = old_generator_->next();
    key.push_back(kOutgoing);
    out = std::make_unique<Noise>(key, size);
    key.back() = kIncoming;
    in = std::make_unique<Noise>(key, size);
  } else {
    generator_->apply(state_);
    Bytes key(state_.begin(), state_.begin() + kSealBlock);
    const ByteView iv = ByteView(state_).subspan(kSealBlock);
    generator_ = std::make_unique<Cipher>(key, iv, true);
    key[5] = kOutgoing;
    out = std::make_unique<Noise>(key, iv, size);
    key[5] = kIncoming;
    in = std::make_unique<Noise>(key, iv, size);
  }
  if (out_) out->keep(*out_);
  if (in_) in->keep(*in_);
  out_ = std::move(out);
  in_ = std::move(in);
}

void Sealing::restart() {
  if (out_) new_streams();
}

Bytes Sealing::sum(ByteView payload, Noise& noise) const {
  Bytes all(payload.begin(), payload.end());
  const Bytes& secret = noise.next();
  all.insert(all.end(), secret.begin(), secret.end());
  Bytes result(secret.size());
  unsigned size = 0;
  EVP_Digest(all.data(), all.size(), result.data(), &size, seal_hash(checksum_), nullptr);
  return result;
}

Bytes Sealing::seal(ByteView payload) {
  Bytes sealed(payload.begin(), payload.end());
  if (out_) {
    const Bytes check = sum(payload, *out_);
    sealed.insert(sealed.end(), check.begin(), check.end());
  }
  if (encrypt_) {
    const std::size_t whole = (sealed.size() + kSealBlock - 1) / kSealBlock * kSealBlock;
    const auto trailer = static_cast<std::uint8_t>(whole - sealed.size() + 1);
    sealed.resize(whole);
    encrypt_->apply_alone(sealed);
    sealed.push_back(trailer);
  }
  sealed.push_back(0);
  return sealed;
}

Bytes Sealing::open(ByteView sealed) {
  if (sealed.size() < 2) throw BadMessage("a sealed packet is too short");
  Bytes payload(sealed.begin(), sealed.end() - 1);
  if (decrypt_) {
    const std::size_t filling = payload.back() - std::size_t{1};
    payload.pop_back();
    if (filling >= kSealBlock || payload.size() % kSealBlock != 0 || payload.size() < filling) {
      throw BadMessage("an encrypted packet has a wrong length");
    }
    decrypt_->apply_alone(payload);
    payload.resize(payload.size() - filling);
  }
  if (!in_) return payload;
  const std::size_t size = seal_hash_size(checksum_);
  if (payload.size() < size) throw BadMessage("a packet has no checksum");
  const ByteView meant = ByteView(payload).first(payload.size() - size);
  const Bytes check = sum(meant, *in_);
  if (CRYPTO_memcmp(check.data(), payload.data() + meant.size(), size) != 0) {
    throw BadMessage("a packet's checksum is wrong");
  }
  payload.resize(payload.size() - size);
  return payload;
}

}  // namespace orasim::wire
