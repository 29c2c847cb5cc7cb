#include "connect/oracle/trace/message_text.h"

#include <algorithm>

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/scalar_text.h"

namespace wherry::oracle::trace {

std::string to_json_text(std::string_view bytes) {
  return to_utf8(bytes, wire::kCharsetAl32Utf8);
}

void add_pairs(const std::vector<wire::KeyValue>& pairs, Json& out) {
  Json values = Json::object();
  Json flags = Json::object();
  for (const wire::KeyValue& pair : pairs) {
    std::string key = to_json_text(pair.key);
    while (!key.empty() && key.back() == '\0') key.pop_back();
    const Json value = to_json_text(pair.value);
    if (!values.contains(key)) {
      values[key] = value;
    } else {  // application contexts repeat their keys
      if (!values[key].is_array()) values[key] = Json::array({values[key]});
      values[key].push_back(value);
    }
    if (pair.flags != 0) flags[key] = pair.flags;
  }
  out["pairs"] = std::move(values);
  if (!flags.empty()) out["pair_flags"] = std::move(flags);
}

void add_auth_fields(const wire::AuthMessage& message, Json& out) {
  if (!message.user.empty()) out["user"] = to_json_text(message.user);
  out["mode"] = message.mode;
  add_pairs(message.pairs, out);
}

Json undecoded(std::string_view reason, ByteView bytes) {
  constexpr std::size_t kShownBytes = 64;
  return Json{{"message", "undecoded"},
              {"reason", reason},
              {"bytes", bytes.size()},
              {"hex_length", bytes.size() * 2},
              {"hex", hex_text(wire::text_of(bytes.first(std::min(bytes.size(), kShownBytes))))}};
}

}  // namespace wherry::oracle::trace
