#include "connect/oracle/wire/packet_guard.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <numeric>
#include <utility>

#include "core/result.h"

namespace wherry::oracle::wire {

/// Parts of classes that others can name, so that they need a name themselves.
namespace packet_guard {

struct CipherContextFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

/// RC4, which OpenSSL no longer offers everywhere. It only feeds the SHA-1 checksums of servers
/// that know nothing better.
class Rc4 {
 public:
  explicit Rc4(ByteView key) {
    std::iota(state_.begin(), state_.end(), std::uint8_t{0});
    std::uint8_t j = 0;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      j = static_cast<std::uint8_t>(j + state_[i] + key[i % key.size()]);
      std::swap(state_[i], state_[j]);
    }
  }
  /// The next bytes of the key stream.
  void fill(Bytes& out) {
    for (std::uint8_t& byte : out) {
      i_ = static_cast<std::uint8_t>(i_ + 1);
      j_ = static_cast<std::uint8_t>(j_ + state_[i_]);
      std::swap(state_[i_], state_[j_]);
      byte = state_[static_cast<std::uint8_t>(state_[i_] + state_[j_])];
    }
  }

 private:
  std::array<std::uint8_t, 256> state_{};
  std::uint8_t i_ = 0, j_ = 0;
};

}  // namespace packet_guard

namespace {

constexpr std::size_t kCipherBlock = 16;
constexpr std::uint8_t kClientSends = 0x5A, kServerSends = 0xB4;
constexpr std::uint8_t kSeedMark = 0xFF;
constexpr std::size_t kSeedBytes = 5;

const EVP_CIPHER* aes_of(std::size_t key_bytes) {
  if (key_bytes == 16) return EVP_aes_128_cbc();
  return key_bytes == 24 ? EVP_aes_192_cbc() : EVP_aes_256_cbc();
}

std::size_t key_bytes_of(Cipher cipher) {
  if (cipher == Cipher::kAes128) return 16;
  return cipher == Cipher::kAes192 ? 24 : 32;
}

const EVP_MD* digest_of(Checksum checksum) {
  switch (checksum) {
    case Checksum::kSha1:
      return EVP_sha1();
    case Checksum::kSha256:
      return EVP_sha256();
    case Checksum::kSha384:
      return EVP_sha384();
    case Checksum::kSha512:
      return EVP_sha512();
    case Checksum::kNone:
      break;
  }
  return nullptr;
}

struct DigestContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

Bytes packet_checksum(const EVP_MD* algorithm, ByteView first, ByteView second) {
  const std::unique_ptr<EVP_MD_CTX, DigestContextFree> context(EVP_MD_CTX_new());
  Bytes result(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const bool done = EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1 &&
                    EVP_DigestUpdate(context.get(), second.data(), second.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), result.data(), &size) == 1;
  WHERRY_ASSERT(done, "OpenSSL refused a digest");
  result.resize(size);
  return result;
}

Bytes with_last(Bytes key, std::uint8_t last) {
  key.push_back(last);
  return key;
}

}  // namespace

/// AES-CBC without padding. The chain goes on from call to call unless rewind() puts it back.
class PacketGuard::AesCbc {
 public:
  AesCbc(ByteView key, ByteView iv, bool encrypts) : context_(EVP_CIPHER_CTX_new()) {
    const bool done = EVP_CipherInit_ex(context_.get(), aes_of(key.size()), nullptr, key.data(),
                                        iv.data(), encrypts ? 1 : 0) == 1 &&
                      EVP_CIPHER_CTX_set_padding(context_.get(), 0) == 1;
    WHERRY_ASSERT(done, "OpenSSL refused AES");
  }
  /// In place; the size is a multiple of the block.
  void run(Bytes& data) { run(data.data(), data.size()); }
  void run(std::uint8_t* data, std::size_t size) {
    int written = 0;
    const bool done =
        EVP_CipherUpdate(context_.get(), data, &written, data, static_cast<int>(size)) == 1;
    WHERRY_ASSERT(done && static_cast<std::size_t>(written) == size, "OpenSSL refused AES");
  }
  /// Back to an IV of zeros.
  void rewind() {
    static constexpr std::uint8_t kNoIv[kCipherBlock] = {};
    const bool done = EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, kNoIv, -1) == 1;
    WHERRY_ASSERT(done, "OpenSSL refused AES");
  }

 private:
  std::unique_ptr<EVP_CIPHER_CTX, packet_guard::CipherContextFree> context_;
};

/// The bytes mixed into the checksum of each packet, one stream a direction.
class PacketGuard::Masks {
 public:
  virtual ~Masks() = default;
  virtual ByteView next_sent() = 0;
  virtual ByteView next_received() = 0;
  virtual void restart_sending() = 0;
  virtual void restart_receiving() = 0;
};

/// SHA-2: each mask is the one before it, encrypted. A fresh start changes keys, not the masks.
class PacketGuard::AesMasks : public Masks {
 public:
  AesMasks(std::size_t mask_bytes, ByteView shared, ByteView iv, Side side)
      : send_mark_(side == Side::kClient ? kClientSends : kServerSends),
        receive_mark_(side == Side::kClient ? kServerSends : kClientSends),
        sent_(mask_bytes, 0),
        received_(mask_bytes, 0) {
    Bytes seed(shared.begin(), shared.begin() + kSeedBytes);
    seed.push_back(kSeedMark);
    seed.resize(kCipherBlock, 0);
    generator_ = std::make_unique<AesCbc>(seed, iv.first(kCipherBlock), true);
    restart_sending();
    restart_receiving();
  }
  ByteView next_sent() override {
    send_->run(sent_);
    return sent_;
  }
  ByteView next_received() override {
    receive_->run(received_);
    return received_;
  }
  void restart_sending() override {
    generator_->run(keys_);
    const ByteView key = ByteView(keys_).first(kCipherBlock),
                   iv = ByteView(keys_).subspan(kCipherBlock);
    generator_ = std::make_unique<AesCbc>(key, iv, true);
    send_ = stream(key, iv, send_mark_);
    next_receive_ = stream(key, iv, receive_mark_);
  }
  void restart_receiving() override {
    if (next_receive_) receive_ = std::move(next_receive_);
  }

 private:
  static std::unique_ptr<AesCbc> stream(ByteView key, ByteView iv, std::uint8_t mark) {
    constexpr std::size_t kMarkAt = 5;
    Bytes marked(key.begin(), key.end());
    marked[kMarkAt] = mark;
    return std::make_unique<AesCbc>(marked, iv, true);
  }

  std::uint8_t send_mark_, receive_mark_;
  Bytes sent_, received_;
  Bytes keys_ = Bytes(2 * kCipherBlock, 0);
  std::unique_ptr<AesCbc> generator_, send_, receive_, next_receive_;
};

/// SHA-1: the masks are RC4's key stream.
class PacketGuard::Rc4Masks : public Masks {
 public:
  Rc4Masks(std::size_t mask_bytes, ByteView shared, ByteView iv, Side side)
      : send_mark_(side == Side::kClient ? kClientSends : kServerSends),
        receive_mark_(side == Side::kClient ? kServerSends : kClientSends),
        sent_(mask_bytes, 0),
        received_(mask_bytes, 0),
        generator_(seed_of(shared, iv)) {
    restart_sending();
    restart_receiving();
  }
  ByteView next_sent() override {
    send_->fill(sent_);
    return sent_;
  }
  ByteView next_received() override {
    receive_->fill(received_);
    return received_;
  }
  void restart_sending() override {
    Bytes key(kSeedBytes);
    generator_.fill(key);
    send_ = std::make_unique<packet_guard::Rc4>(with_last(key, send_mark_));
    next_receive_ = std::make_unique<packet_guard::Rc4>(with_last(key, receive_mark_));
  }
  void restart_receiving() override {
    if (next_receive_) receive_ = std::move(next_receive_);
  }

 private:
  static Bytes seed_of(ByteView shared, ByteView iv) {
    const ByteView tail = shared.last(kSeedBytes);
    Bytes seed = with_last(Bytes(tail.begin(), tail.end()), kSeedMark);
    seed.insert(seed.end(), iv.begin(), iv.end());
    return seed;
  }

  std::uint8_t send_mark_, receive_mark_;
  Bytes sent_, received_;
  packet_guard::Rc4 generator_;
  std::unique_ptr<packet_guard::Rc4> send_, receive_, next_receive_;
};

PacketGuard::PacketGuard(Cipher cipher, Checksum checksum, ByteView shared, ByteView iv, Side side)
    : checksum_(checksum) {
  static constexpr std::uint8_t kNoIv[kCipherBlock] = {};
  if (cipher != Cipher::kNone) {
    const ByteView key = shared.first(key_bytes_of(cipher));
    encryptor_ = std::make_unique<AesCbc>(key, kNoIv, true);
    decryptor_ = std::make_unique<AesCbc>(key, kNoIv, false);
  }
  if (checksum == Checksum::kNone) return;
  const auto bytes = static_cast<std::size_t>(EVP_MD_get_size(digest_of(checksum)));
  if (checksum == Checksum::kSha1) {
    masks_ = std::make_unique<Rc4Masks>(bytes, shared, iv, side);
  } else {
    masks_ = std::make_unique<AesMasks>(bytes, shared, iv, side);
  }
}

PacketGuard::~PacketGuard() = default;

void PacketGuard::protect(Bytes& payload) {
  if (masks_) {
    const Bytes sum = packet_checksum(digest_of(checksum_), payload, masks_->next_sent());
    payload.insert(payload.end(), sum.begin(), sum.end());
  }
  if (encryptor_) {
    const std::size_t filling = (kCipherBlock - payload.size() % kCipherBlock) % kCipherBlock;
    payload.resize(payload.size() + filling, 0);
    encryptor_->rewind();
    encryptor_->run(payload);
    payload.push_back(static_cast<std::uint8_t>(filling + 1));
  }
  payload.push_back(0);  // the folding key, which nobody uses
}

bool PacketGuard::unprotect(Bytes& payload) {
  if (payload.empty()) return false;
  payload.pop_back();
  if (decryptor_) {
    if (payload.empty()) return false;
    const std::size_t trailer = payload.back();
    payload.pop_back();
    if (trailer < 1 || trailer > kCipherBlock || payload.size() % kCipherBlock != 0 ||
        payload.size() < trailer - 1) {
      return false;
    }
    decryptor_->rewind();
    decryptor_->run(payload);
    payload.resize(payload.size() - (trailer - 1));
  }
  if (!masks_) return true;
  const auto sum_bytes = static_cast<std::size_t>(EVP_MD_get_size(digest_of(checksum_)));
  if (payload.size() < sum_bytes) return false;
  const ByteView all(payload);
  const ByteView meant = all.first(payload.size() - sum_bytes), sum = all.last(sum_bytes);
  const Bytes expected = packet_checksum(digest_of(checksum_), meant, masks_->next_received());
  if (CRYPTO_memcmp(expected.data(), sum.data(), sum_bytes) != 0) return false;
  payload.resize(meant.size());
  return true;
}

void PacketGuard::restart_sending() {
  if (masks_) masks_->restart_sending();
}

void PacketGuard::restart_receiving() {
  if (masks_) masks_->restart_receiving();
}

}  // namespace wherry::oracle::wire
