// Payloads of DATA packets under native encryption and integrity: encrypted with AES-CBC, with a
// checksum whose key stream moves on with every packet, and started afresh when a call was broken
// off. Pure; used by one thread at a time.
// Facts: reference oracle-wire-encryption, 2.6. That a fresh start keeps the last mask was seen in
// a session with a 26ai server.
#pragma once

#include <cstdint>
#include <memory>

#include "connect/oracle/wire/native_services.h"

namespace wherry::oracle::wire {

class PacketGuard {
 public:
  enum class Side : std::uint8_t { kClient, kServer };

  /// `shared` is the agreed key (at least 32 bytes), `iv` what the server sent (at least 16). At
  /// least one of the services is on.
  PacketGuard(Cipher cipher, Checksum checksum, ByteView shared, ByteView iv,
              Side side = Side::kClient);
  ~PacketGuard();
  PacketGuard(const PacketGuard&) = delete;
  PacketGuard& operator=(const PacketGuard&) = delete;

  /// By how much protect() makes a payload longer, at most.
  static constexpr std::size_t kMaxOverhead = 1 + 1 + 15 + 64;

  /// `payload` becomes what is sent.
  void protect(Bytes& payload);
  /// `payload` becomes what was meant. False: it is damaged or forged, and the session is over.
  [[nodiscard]] bool unprotect(Bytes& payload);

  /// The sides leave a broken call in two steps: what is sent after one's own reset marker, and
  /// what is received after the other side's, belongs to the new start.
  void restart_sending();
  /// REQUIRES: restart_sending() came first.
  void restart_receiving();

 private:
  class AesCbc;
  class Masks;
  class AesMasks;
  class Rc4Masks;

  std::unique_ptr<AesCbc> encryptor_, decryptor_;
  std::unique_ptr<Masks> masks_;
  Checksum checksum_;
};

}  // namespace wherry::oracle::wire
