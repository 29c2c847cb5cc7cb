// Authentication messages: function 118 (phase one) and 115 (phase two, change password).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/bytes.h"
#include "wire/dialect.h"

namespace orasim::wire {

struct KeyValue {
  std::string key;
  std::string value;
  std::uint32_t flags = 0;
};

struct AuthRequest {
  std::string user;
  std::uint32_t mode = 0;
  std::vector<KeyValue> pairs;

  /// nullptr when the key was not sent. Keys may end in a NUL; it does not count.
  [[nodiscard]] const std::string* find(std::string_view key) const;
};
inline constexpr std::uint32_t kAuthChangePassword = 0x02;
inline constexpr std::uint32_t kAuthWithPassword = 0x100;

/// Body of either function, after the function header.
AuthRequest decode_auth(Reader&, const Dialect&);

/// Parameter message (8) of key/value pairs.
void encode_auth_pairs(Writer&, const std::vector<KeyValue>& pairs);

}  // namespace orasim::wire
