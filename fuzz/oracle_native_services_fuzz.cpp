// A server's answer to the native services request, and packets that claim to be protected.
#include "connect/oracle/wire/native_services.h"
#include "connect/oracle/wire/packet_guard.h"
#include "input.h"

namespace wire = wherry::oracle::wire;

namespace {

void open_packet(wherry::fuzz::Input& input) {
  static constexpr wire::Checksum kChecksums[] = {wire::Checksum::kNone, wire::Checksum::kSha1,
                                                  wire::Checksum::kSha256};
  const wire::Checksum checksum = kChecksums[input.byte() % std::size(kChecksums)];
  wire::PacketGuard guard(wire::Cipher::kAes256, checksum, wire::Bytes(64, 1), wire::Bytes(32, 2));
  const wire::ByteView rest = input.rest();
  wire::Bytes packet(rest.begin(), rest.end());
  (void)guard.unprotect(packet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  if ((input.byte() & 1) != 0) {
    open_packet(input);
    return 0;
  }
  wire::Reader in(input.rest());
  const wire::NativeAnswer answer = decode_native_answer(in);
  if (!in.ok() || !answer.key_exchange || answer.key_exchange->prime_bits > 1024) return 0;
  const wire::Bytes secret(wire::private_key_bytes(*answer.key_exchange), 0x35);
  const auto key = agree_on_key(*answer.key_exchange, secret);
  if (key) wherry::fuzz::require(key->shared.size() == answer.key_exchange->prime.size());
  return 0;
}
