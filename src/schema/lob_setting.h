// What a lob-settings rule says of one table.
#pragma once

#include <cstdint>
#include <optional>

namespace wherry::schema {

/// "limited": `max_bytes` above 0; "unlimited": 0, values come whole.
struct LobSetting {
  std::uint64_t max_bytes = 0;
  std::uint64_t inline_bytes = 0;  ///< "unlimited": up to this with their rows; 0: nothing was said
};

}  // namespace wherry::schema
