// Payloads under native encryption and integrity, as the server seals and opens them. Pure; used by
// the session's thread.
#pragma once

#include <cstdint>
#include <memory>

#include "wire/bytes.h"

struct evp_cipher_ctx_st;

namespace orasim::wire {

class Sealing {
 public:
  /// Algorithm ids as negotiated, 0: off. `key` is the shared key, `iv` the one sent.
  Sealing(std::uint8_t cipher, std::uint8_t checksum, const Bytes& key, const Bytes& iv);
  ~Sealing();
  Sealing(const Sealing&) = delete;
  Sealing& operator=(const Sealing&) = delete;

  /// Most bytes that seal() adds.
  static constexpr std::size_t kRoom = 96;
  [[nodiscard]] Bytes seal(ByteView payload);
  /// Throws BadMessage when the checksum is wrong.
  [[nodiscard]] Bytes open(ByteView sealed);
  /// After the client's reset marker, in both directions.
  void restart();

 private:
  struct Cipher;
  class Noise;
  void new_streams();
  [[nodiscard]] Bytes sum(ByteView payload, Noise& noise) const;

  std::uint8_t checksum_;
  std::unique_ptr<Cipher> encrypt_, decrypt_;
  std::unique_ptr<Cipher> generator_;     // SHA-2: makes the keys of the streams
  std::unique_ptr<Noise> old_generator_;  // SHA-1: the same by RC4
  Bytes state_;
  std::unique_ptr<Noise> out_, in_;
};

}  // namespace orasim::wire
