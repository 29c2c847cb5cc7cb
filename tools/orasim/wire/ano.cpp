#include "wire/ano.h"

#include <openssl/bn.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "wire/o5logon.h"

namespace orasim::wire {

namespace {

constexpr std::uint32_t kServerVersion = 0x13000000;
constexpr std::size_t kAnoEnvelope = 13;
constexpr std::uint16_t kMaxServices = 16;
constexpr std::uint16_t kMaxParts = 64;

const std::map<std::string, std::uint8_t, std::less<>> kCipherNames{
    {"AES128", 15}, {"AES192", 16}, {"AES256", 17}};
const std::map<std::string, std::uint8_t, std::less<>> kChecksumNames{
    {"SHA1", 3}, {"SHA512", 4}, {"SHA256", 5}, {"SHA384", 6}};

std::vector<std::uint8_t> ids_of(const std::map<std::string, std::uint8_t, std::less<>>& known,
                                 std::string_view names) {
  std::vector<std::uint8_t> ids;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    const auto found = known.find(name);
    if (found == known.end()) throw std::runtime_error("unknown algorithm " + std::string(name));
    ids.push_back(found->second);
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  return ids;
}

// The place of id 0 in the list says the level.
AnoWish wish_of(ByteView list) {
  AnoWish wish;
  for (const std::uint8_t id : list) {
    if (id != 0) wish.algorithms.push_back(id);
  }
  if (wish.algorithms.empty()) {
    wish.level = AnoLevel::kRejected;
  } else if (list.front() == 0) {
    wish.level = AnoLevel::kAccepted;
  } else {
    wish.level = list.back() == 0 ? AnoLevel::kRequested : AnoLevel::kRequired;
  }
  return wish;
}

// Services' parts as views of the envelope, which is one message and held whole.
struct AnoService {
  std::uint16_t id = 0;
  std::vector<ByteView> parts;
};

std::vector<AnoService> services_of(ByteView envelope) {
  Reader in(envelope);
  in.skip(4);
  const std::uint16_t count = in.u16();
  in.skip(1);
  if (count > kMaxServices) throw BadMessage("native services message lists too many services");
  std::vector<AnoService> services(count);
  for (AnoService& service : services) {
    service.id = in.u16();
    const std::uint16_t parts = in.u16();
    in.skip(4);
    if (parts > kMaxParts) throw BadMessage("native service has too many parts");
    for (std::uint16_t i = 0; i < parts; ++i) {
      const std::uint16_t bytes = in.u16();
      in.skip(2);
      service.parts.push_back(in.raw(bytes));
    }
  }
  return services;
}

Bytes read_ano_envelope(Reader& in) {
  if (in.u32() != kAnoMagic) throw BadMessage("native services message has no magic");
  const std::size_t length = in.u16();
  if (length < kAnoEnvelope) throw BadMessage("native services message is too short");
  const ByteView rest = in.raw(length - 6);
  return {rest.begin(), rest.end()};
}

void ano_service(Writer& out, std::uint16_t service, std::uint16_t parts, int error = 0) {
  out.u16(service);
  out.u16(parts);
  out.u32(static_cast<std::uint32_t>(error));
  out.u16(4);  // every service opens with its version
  out.u16(5);
  out.u32(kServerVersion);
}

void ano_part(Writer& out, std::uint16_t type, ByteView data) {
  out.u16(static_cast<std::uint16_t>(data.size()));
  out.u16(type);
  out.raw(data);
}

void ano_number(Writer& out, std::uint16_t type, std::uint16_t value) {
  out.u16(2);
  out.u16(type);
  out.u16(value);
}

// The list names the services in force: recorded servers leave out those that were turned down, and
// JDBC's thin driver takes a list with more of them for an incomplete answer.
void ano_supervisor(Writer& out, bool encryption, bool integrity) {
  std::vector<std::uint16_t> services{4, 1};
  if (encryption) services.push_back(2);
  if (integrity) services.push_back(3);
  ano_service(out, 4, 3);
  ano_number(out, 6, 0x001F);
  out.u16(static_cast<std::uint16_t>(10 + 2 * services.size()));
  out.u16(1);
  out.u32(kAnoMagic);
  out.u16(3);
  out.u32(static_cast<std::uint32_t>(services.size()));
  for (const std::uint16_t service : services) out.u16(service);
}

struct FreeNumber {
  void operator()(BIGNUM* n) const { BN_clear_free(n); }
  void operator()(BN_CTX* c) const { BN_CTX_free(c); }
};
using Number = std::unique_ptr<BIGNUM, FreeNumber>;

Number big_number(ByteView bytes) {
  return Number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

Bytes group_sized(const BIGNUM* value, std::size_t size) {
  Bytes out(size);
  if (BN_bn2binpad(value, out.data(), static_cast<int>(size)) < 0) {
    throw std::runtime_error("a number does not fit the Diffie-Hellman group");
  }
  return out;
}

Bytes raised(ByteView base, ByteView exponent, ByteView prime) {
  const std::unique_ptr<BN_CTX, FreeNumber> context(BN_CTX_new());
  const Number result(BN_new());
  if (BN_mod_exp(result.get(), big_number(base).get(), big_number(exponent).get(),
                 big_number(prime).get(), context.get()) != 1) {
    throw std::runtime_error("Diffie-Hellman failed in the crypto library");
  }
  return group_sized(result.get(), prime.size());
}

}  // namespace

std::vector<std::uint8_t> cipher_ids(std::string_view names) {
  return ids_of(kCipherNames, names);
}

std::vector<std::uint8_t> checksum_ids(std::string_view names) {
  return ids_of(kChecksumNames, names);
}

AnoOffer decode_ano_offer(Reader& in) {
  const Bytes envelope = read_ano_envelope(in);
  AnoOffer offer;
  offer.encryption.level = offer.integrity.level = AnoLevel::kRejected;
  for (const AnoService& service : services_of(envelope)) {
    if (service.parts.size() < 2) continue;  // the version stands first
    if (service.id == 2) offer.encryption = wish_of(service.parts[1]);
    if (service.id == 3) offer.integrity = wish_of(service.parts[1]);
  }
  return offer;
}

AnoChoice choose(const AnoWish& client, const AnoWish& server) {
  const bool demanded = client.level == AnoLevel::kRequired || server.level == AnoLevel::kRequired;
  if (client.level == AnoLevel::kRejected || server.level == AnoLevel::kRejected) {
    return {0, demanded ? 12660 : 0};
  }
  if (client.level == AnoLevel::kAccepted && server.level == AnoLevel::kAccepted) return {};
  for (const std::uint8_t id : server.algorithms) {
    if (std::find(client.algorithms.begin(), client.algorithms.end(), id) !=
        client.algorithms.end()) {
      return {id, 0};
    }
  }
  return {0, demanded ? 12650 : 0};
}

AnoKey::AnoKey() {
  constexpr std::size_t kGroupBytes = 256, kIvBytes = 32;
  const Number prime(BN_get_rfc3526_prime_2048(nullptr));
  prime_ = group_sized(prime.get(), kGroupBytes);
  generator_ = Bytes(kGroupBytes, 0);
  generator_.back() = 2;
  secret_ = random_bytes(kGroupBytes);
  public_ = raised(generator_, secret_, prime_);
  iv_ = random_bytes(kIvBytes);
}

Bytes AnoKey::shared_with(ByteView client_public) const {
  const Number key = big_number(client_public);
  if (client_public.size() > prime_.size() || BN_is_zero(key.get()) || BN_is_one(key.get()) ||
      BN_cmp(key.get(), big_number(prime_).get()) >= 0) {
    throw BadMessage("the client's public key is not in the group");
  }
  return raised(client_public, secret_, prime_);
}

void encode_ano_answer(Writer& out, AnoChoice encryption, AnoChoice integrity, const AnoKey* key) {
  Writer body;
  ano_supervisor(body, encryption.algorithm != 0, integrity.algorithm != 0);
  ano_service(body, 1, 2);
  ano_number(body, 6, 0xFBFF);
  ano_service(body, 2, 2, encryption.error);
  ano_part(body, 2, ByteView(&encryption.algorithm, 1));
  ano_service(body, 3, key != nullptr ? 8 : 2, integrity.error);
  ano_part(body, 2, ByteView(&integrity.algorithm, 1));
  if (key != nullptr) {
    const auto bits = static_cast<std::uint16_t>(key->prime().size() * 8);
    ano_number(body, 3, bits);
    ano_number(body, 3, bits);
    for (const Bytes* bytes : {&key->generator(), &key->prime(), &key->public_key(), &key->iv()}) {
      ano_part(body, 1, *bytes);
    }
  }
  out.u32(kAnoMagic);
  out.u16(static_cast<std::uint16_t>(kAnoEnvelope + body.size()));
  out.u32(kServerVersion);
  out.u16(4);
  out.u8(0);
  out.raw(body.view());
}

Bytes decode_ano_key(Reader& in) {
  const Bytes envelope = read_ano_envelope(in);
  for (const AnoService& service : services_of(envelope)) {
    if (service.id == 3 && service.parts.size() == 1) {
      return {service.parts[0].begin(), service.parts[0].end()};
    }
  }
  throw BadMessage("the client sent no public key");
}

}  // namespace orasim::wire
