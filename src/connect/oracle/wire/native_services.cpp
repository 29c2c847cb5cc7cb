#include "connect/oracle/wire/native_services.h"

#include <openssl/bn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string>
#include <utility>

namespace wherry::oracle::wire {
namespace {

enum NativeService : std::uint16_t {
  kAuthentication = 1,
  kEncryption = 2,
  kIntegrity = 3,
  kSupervisor = 4,
};
enum PartType : std::uint16_t {
  kPartRaw = 1,
  kPartByte = 2,
  kPartWord = 3,
  kPartVersion = 5,
  kPartStatus = 6,
};

constexpr std::size_t kMagicAndLengthBytes = 6;
constexpr std::size_t kEnvelopeBytes = 13;
/// The version clients have sent since 11.2; servers do not act on it.
constexpr std::uint32_t kClientVersion = 0x0B200200;
constexpr std::uint16_t kClientConnection = 0xE0E1;
constexpr std::uint16_t kNoServiceNeeded = 0xFCFF;
constexpr std::uint16_t kUseService = 0xFAFF;
constexpr std::uint16_t kMaxParts = 64;
/// A longer prime would let a hostile server keep this machine busy.
constexpr std::uint16_t kMinPrimeBits = 512, kMaxPrimeBits = 8192;

struct CipherName {
  std::string_view name;
  Cipher id;
};
constexpr std::array<CipherName, 3> kCiphers = {
    {{"AES256", Cipher::kAes256}, {"AES192", Cipher::kAes192}, {"AES128", Cipher::kAes128}}};

struct ChecksumName {
  std::string_view name;
  Checksum id;
};
constexpr std::array<ChecksumName, 4> kChecksums = {{{"SHA256", Checksum::kSha256},
                                                     {"SHA512", Checksum::kSha512},
                                                     {"SHA384", Checksum::kSha384},
                                                     {"SHA1", Checksum::kSha1}}};

std::string upper_word(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0 && c != '(' && c != ')') {
      result.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
  }
  return result;
}

template <class Names>
auto parse_id_list(const Names& names, std::string_view list)
    -> std::optional<std::vector<decltype(names[0].id)>> {
  std::vector<std::remove_const_t<decltype(names[0].id)>> ids;
  std::string rest = upper_word(list);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string word = rest.substr(0, comma);
    rest.erase(0, comma + 1);
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const auto& entry) { return entry.name == word; });
    if (found == names.end()) return std::nullopt;
    ids.push_back(found->id);
  }
  if (ids.empty()) return std::nullopt;
  return ids;
}

void begin_service(Writer& out, std::uint16_t service, std::uint16_t parts) {
  out.u16(service);
  out.u16(parts);
  out.u32(0);
  out.u16(4);
  out.u16(kPartVersion);
  out.u32(kClientVersion);
}

void raw_part(Writer& out, ByteView bytes) {
  out.u16(static_cast<std::uint16_t>(bytes.size()));
  out.u16(kPartRaw);
  out.raw(bytes);
}

/// What a level means for the list: where "none" stands in it, if it does.
template <class Id>
Bytes offered_ids(SecurityLevel level, const std::vector<Id>& types) {
  if (level == SecurityLevel::kRejected) return {0};
  Bytes list;
  if (level == SecurityLevel::kAccepted) list.push_back(0);
  for (const Id type : types) list.push_back(static_cast<std::uint8_t>(type));
  if (level == SecurityLevel::kRequested) list.push_back(0);
  return list;
}

void write_supervisor(Writer& out) {
  // Any connection id does; this is the one that clients without a supervisor send.
  static constexpr std::uint8_t kConnectionId[8] = {0, 0, 0x10, 0x1C, 0x66, 0xEC, 0x28, 0xEA};
  static constexpr std::uint16_t kServices[] = {kSupervisor, kAuthentication, kEncryption,
                                                kIntegrity};
  begin_service(out, kSupervisor, 3);
  raw_part(out, kConnectionId);
  Writer list;
  list.u32(kNativeMagic);
  list.u16(3);
  list.u32(std::size(kServices));
  for (const std::uint16_t service : kServices) list.u16(service);
  raw_part(out, list.bytes());
}

void write_authentication(Writer& out) {
  begin_service(out, kAuthentication, 3);
  out.u16(2);
  out.u16(kPartWord);
  out.u16(kClientConnection);
  out.u16(2);
  out.u16(kPartStatus);
  out.u16(kNoServiceNeeded);
}

Bytes in_envelope(const Bytes& services, std::uint16_t count) {
  Writer out;
  out.u32(kNativeMagic);
  out.u16(static_cast<std::uint16_t>(kEnvelopeBytes + services.size()));
  out.u32(kClientVersion);
  out.u16(count);
  out.u8(0);
  out.raw(services);
  return out.take();
}

/// One part of a service of the answer.
struct NativePart {
  std::uint16_t type = 0;
  ByteView data;

  [[nodiscard]] std::uint32_t number() const {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : data.first(std::min<std::size_t>(data.size(), 4))) {
      value = value << 8 | byte;
    }
    return value;
  }
  [[nodiscard]] Bytes bytes() const { return {data.begin(), data.end()}; }
};

std::vector<NativePart> read_parts(Reader& in, std::uint16_t count) {
  std::vector<NativePart> parts;
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
    NativePart part;
    const std::uint16_t bytes = in.u16();
    part.type = in.u16();
    part.data = in.raw(bytes);
    parts.push_back(part);
  }
  return parts;
}

KeyExchange key_exchange_of(const std::vector<NativePart>& parts) {
  KeyExchange exchange;
  exchange.generator_bits = static_cast<std::uint16_t>(parts[2].number());
  exchange.prime_bits = static_cast<std::uint16_t>(parts[3].number());
  exchange.generator = parts[4].bytes();
  exchange.prime = parts[5].bytes();
  exchange.server_public = parts[6].bytes();
  exchange.iv = parts[7].bytes();
  return exchange;
}

void take_service(std::uint16_t service, const std::vector<NativePart>& parts,
                  NativeAnswer& answer) {
  constexpr std::size_t kPartsWithKey = 8;
  if (parts.size() < 2) return;
  const std::uint32_t second = parts[1].number();
  switch (service) {
    case kSupervisor:
      answer.supervisor_status = static_cast<std::uint16_t>(second);
      break;
    case kAuthentication:
      answer.wants_authentication_service = second == kUseService;
      break;
    case kEncryption:
      answer.cipher = static_cast<std::uint8_t>(second);
      break;
    case kIntegrity:
      answer.checksum = static_cast<std::uint8_t>(second);
      if (parts.size() >= kPartsWithKey) answer.key_exchange = key_exchange_of(parts);
      break;
    default:
      break;
  }
}

struct BignumFree {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Bignum = std::unique_ptr<BIGNUM, BignumFree>;
using BignumContext = std::unique_ptr<BN_CTX, BignumFree>;

Bignum bignum_of(ByteView bytes) {
  return Bignum(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

std::optional<Bytes> mod_power(const BIGNUM* base, const BIGNUM* exponent, const BIGNUM* prime,
                               std::size_t bytes) {
  const BignumContext context(BN_CTX_new());
  const Bignum result(BN_new());
  Bytes out(bytes);
  if (BN_mod_exp_mont_consttime(result.get(), base, exponent, prime, context.get(), nullptr) != 1 ||
      BN_bn2binpad(result.get(), out.data(), static_cast<int>(bytes)) < 0) {
    return std::nullopt;
  }
  return out;
}

/// 1 < key < prime - 1: the others give a secret that anyone knows.
bool is_sound_key(const BIGNUM* key, const BIGNUM* prime) {
  const Bignum limit(BN_dup(prime));
  return BN_sub_word(limit.get(), 1) == 1 && BN_cmp(key, BN_value_one()) > 0 &&
         BN_cmp(key, limit.get()) < 0;
}

bool has_fitting_sizes(const KeyExchange& exchange) {
  const std::size_t bytes = private_key_bytes(exchange);
  return exchange.prime_bits >= kMinPrimeBits && exchange.prime_bits <= kMaxPrimeBits &&
         exchange.prime.size() == bytes && exchange.server_public.size() == bytes &&
         !exchange.generator.empty() && exchange.generator.size() <= bytes;
}

}  // namespace

std::string_view name_of(Cipher cipher) {
  for (const CipherName& entry : kCiphers) {
    if (entry.id == cipher) return entry.name;
  }
  return {};
}

std::string_view name_of(Checksum checksum) {
  for (const ChecksumName& entry : kChecksums) {
    if (entry.id == checksum) return entry.name;
  }
  return {};
}

std::optional<SecurityLevel> parse_security_level(std::string_view word) {
  const std::string name = upper_word(word);
  if (name == "REJECTED") return SecurityLevel::kRejected;
  if (name == "ACCEPTED") return SecurityLevel::kAccepted;
  if (name == "REQUESTED") return SecurityLevel::kRequested;
  if (name == "REQUIRED") return SecurityLevel::kRequired;
  return std::nullopt;
}

std::optional<std::vector<Cipher>> parse_ciphers(std::string_view list) {
  return parse_id_list(kCiphers, list);
}

std::optional<std::vector<Checksum>> parse_checksums(std::string_view list) {
  return parse_id_list(kChecksums, list);
}

Bytes encode_native_request(const NetworkSecurity& offer) {
  Writer out;
  write_supervisor(out);
  write_authentication(out);
  begin_service(out, kEncryption, 3);
  raw_part(out, offered_ids(offer.encryption, offer.ciphers));
  out.u16(1);
  out.u16(kPartByte);
  out.u8(1);
  begin_service(out, kIntegrity, 2);
  raw_part(out, offered_ids(offer.integrity, offer.checksums));
  return in_envelope(out.take(), 4);
}

Bytes encode_native_key(ByteView public_key) {
  Writer out;
  out.u16(kIntegrity);
  out.u16(1);
  out.u32(0);
  raw_part(out, public_key);
  return in_envelope(out.take(), 1);
}

NativeAnswer decode_native_answer(Reader& in) {
  NativeAnswer answer;
  const std::uint32_t magic = in.u32();
  if (in.ok() && magic != kNativeMagic) {
    in.fail("the answer to the native services request has no magic number");
  }
  const std::uint16_t length = in.u16();
  if (in.ok() && length < kEnvelopeBytes) in.fail("the native services answer is too short");
  if (!in.ok()) return answer;
  const ByteView rest = in.raw(length - kMagicAndLengthBytes);
  if (!in.ok()) return answer;
  Reader body(rest);
  body.skip(4);
  const std::uint16_t services = body.u16();
  body.skip(1);
  for (std::uint16_t i = 0; i < services && body.ok(); ++i) {
    const std::uint16_t service = body.u16();
    const std::uint16_t count = body.u16();
    const std::uint32_t error = body.u32();
    if (answer.error == 0) answer.error = error;
    if (count > kMaxParts) body.fail("a native service has too many parts");
    const std::vector<NativePart> parts = read_parts(body, count);
    if (body.ok()) take_service(service, parts, answer);
  }
  if (!body.ok()) in.fail("the native services answer is out of step");
  return answer;
}

std::size_t private_key_bytes(const KeyExchange& exchange) {
  return (std::size_t{exchange.prime_bits} + 7) / 8;
}

std::optional<AgreedKey> agree_on_key(const KeyExchange& exchange, ByteView private_key) {
  if (!has_fitting_sizes(exchange)) return std::nullopt;
  const Bignum generator = bignum_of(exchange.generator), prime = bignum_of(exchange.prime);
  const Bignum server = bignum_of(exchange.server_public), secret = bignum_of(private_key);
  if (BN_is_odd(prime.get()) != 1 || !is_sound_key(server.get(), prime.get())) return std::nullopt;
  auto public_key = mod_power(generator.get(), secret.get(), prime.get(), exchange.prime.size());
  auto shared = mod_power(server.get(), secret.get(), prime.get(), exchange.prime.size());
  if (!public_key || !shared) return std::nullopt;
  return AgreedKey{*std::move(public_key), *std::move(shared)};
}

}  // namespace wherry::oracle::wire
