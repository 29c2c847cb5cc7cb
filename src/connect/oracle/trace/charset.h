// Text of a captured session in any Oracle character set, as UTF-8.
// Facts: reference oracle-wire-types 6.2 (ids).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connect/oracle/wire/charset.h"

namespace wherry::oracle::trace {

using wire::kUtf16LittleEndian;

/// `bytes` in the character set with Oracle's id, as UTF-8. What is not valid there becomes U+FFFD;
/// an id that is not known is read as UTF-8, and as Latin-1 where that fails.
std::string to_utf8(std::string_view bytes, std::uint16_t charset_id);
bool is_utf8(std::string_view bytes);

}  // namespace wherry::oracle::trace
