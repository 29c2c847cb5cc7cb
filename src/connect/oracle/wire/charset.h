// Oracle's character sets by id. Most text comes converted; what does not (text inside object
// images) is converted here. Facts: reference oracle-wire-types, 6.2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wherry::oracle::wire {

inline constexpr std::uint16_t kUtf16LittleEndian = 2002;

/// The name iconv(3) has for a set; nullptr when the id is not known, or is a form of UTF-8.
const char* iconv_name(std::uint16_t charset_id);
/// Whole text to UTF-8. False: an unknown set, or bytes that are no text in it.
bool to_utf8(std::string_view bytes, std::uint16_t charset_id, std::string& out);

}  // namespace wherry::oracle::wire
