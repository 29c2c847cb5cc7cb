// What lies below the messages: TNS packets, the native services negotiation, and packets that
// claim to be encrypted and signed.
#include <iterator>

#include "connect/oracle/trace/native_services.h"
#include "connect/oracle/wire/native_services.h"
#include "connect/oracle/wire/packet_guard.h"
#include "connect/oracle/wire/tns.h"
#include "input.h"

namespace wire = wherry::oracle::wire;
using wherry::fuzz::Input;
using wherry::fuzz::require;

namespace {

void decode_body(const wire::PacketHeader& header, wire::Reader& body) {
  switch (header.type) {
    case wire::PacketType::kConnect:
      (void)wire::decode_connect(body, header);
      break;
    case wire::PacketType::kAccept:
      (void)wire::decode_accept(body);
      break;
    case wire::PacketType::kRefuse:
      (void)wire::refuse_code(wire::decode_refuse(body).text);
      break;
    case wire::PacketType::kRedirect:
      (void)wire::parse_redirect(wire::decode_redirect(body).data, header.flags);
      break;
    case wire::PacketType::kMarker:
      (void)wire::decode_marker(body);
      break;
    case wire::PacketType::kControl:
      (void)wire::decode_control(body);
      break;
    default:
      break;
  }
}

/// Header, then the body of the type that it names.
void fuzz_packets(Input& input) {
  const bool has_large_header = (input.byte() & 1) != 0;
  while (!input.empty()) {
    wire::Reader header_bytes(input.rest());
    const auto header = wire::decode_header(header_bytes, has_large_header, wire::kMaxPacketBytes);
    if (!header_bytes.ok() || header.length < wire::kHeaderBytes) return;
    wire::Reader body(input.take(header.length));
    body.skip(wire::kHeaderBytes);
    decode_body(header, body);
  }
}

void fuzz_native_answer(Input& input) {
  (void)wherry::oracle::trace::decode_native_services(input.rest(), (input.byte() & 1) != 0);
  wire::Reader in(input.rest());
  const wire::NativeAnswer answer = decode_native_answer(in);
  // Larger primes take long, which is what they are for.
  if (!in.ok() || !answer.key_exchange || answer.key_exchange->prime_bits > 1024) return;
  const wire::Bytes secret(wire::private_key_bytes(*answer.key_exchange), 0x35);
  const auto key = agree_on_key(*answer.key_exchange, secret);
  if (key) require(key->shared.size() == answer.key_exchange->prime.size());
}

void fuzz_guarded_packet(Input& input) {
  static constexpr wire::Checksum kChecksums[] = {wire::Checksum::kNone, wire::Checksum::kSha1,
                                                  wire::Checksum::kSha256, wire::Checksum::kSha384,
                                                  wire::Checksum::kSha512};
  static constexpr wire::Cipher kCiphers[] = {wire::Cipher::kNone, wire::Cipher::kAes128,
                                              wire::Cipher::kAes192, wire::Cipher::kAes256};
  const wire::Checksum checksum = kChecksums[input.byte() % std::size(kChecksums)];
  const wire::Cipher cipher = kCiphers[input.byte() % std::size(kCiphers)];
  wire::PacketGuard guard(cipher, checksum, wire::Bytes(64, 1), wire::Bytes(32, 2));
  const auto rest = input.rest();
  wire::Bytes packet(rest.begin(), rest.end());
  (void)guard.unprotect(packet);
}

constexpr wherry::fuzz::Part kParts[] = {fuzz_packets, fuzz_native_answer, fuzz_guarded_packet};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return wherry::fuzz::run_part(kParts, data, size);
}
