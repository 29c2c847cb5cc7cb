#include "wire/auth.h"

#include "wire/request.h"
#include "wire/setup.h"

namespace orasim::wire {

namespace {

constexpr std::uint32_t kMaxPairs = 1024;
constexpr std::uint32_t kMaxUserBytes = 1024;

std::string_view without_nul(std::string_view key) {
  while (!key.empty() && key.back() == '\0') key.remove_suffix(1);
  return key;
}

}  // namespace

const std::string* AuthRequest::find(std::string_view key) const {
  for (const KeyValue& pair : pairs) {
    if (without_nul(pair.key) == key) return &pair.value;
  }
  return nullptr;
}

AuthRequest decode_auth(Reader& in, const Dialect& dialect) {
  AuthRequest request;
  const bool has_user = in.u8() != 0;
  const std::uint32_t user_bytes = in.ub4();
  request.mode = in.ub4();
  in.skip(1);
  const std::uint32_t pairs = in.ub4();
  in.skip(2);
  if (pairs > kMaxPairs || user_bytes > kMaxUserBytes) {
    throw BadMessage("authentication request is out of bounds");
  }
  if (has_user) request.user = sized_text(in, dialect, user_bytes);
  request.pairs.reserve(pairs);
  for (std::uint32_t i = 0; i < pairs; ++i) {
    KeyValue pair;
    pair.key = in.dlc_text();
    pair.value = in.dlc_text();
    pair.flags = in.ub4();
    request.pairs.push_back(std::move(pair));
  }
  return request;
}

void encode_auth_pairs(Writer& out, const std::vector<KeyValue>& pairs) {
  out.u8(static_cast<std::uint8_t>(Message::kParameter));
  out.ub(pairs.size());
  for (const KeyValue& pair : pairs) {
    out.dlc(pair.key);
    out.dlc(pair.value);
    out.ub(pair.flags);
  }
}

}  // namespace orasim::wire
