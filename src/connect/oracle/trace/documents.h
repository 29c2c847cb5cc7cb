// Images of structured values as text: JSON in its binary form (OSON), VECTOR, XMLTYPE.
// Facts: reference oracle-wire-types 6.14 to 6.16.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wherry::oracle::trace {

/// JSON text; "invalid <hex>" for an image that is damaged.
std::string oson_text(std::string_view image);
/// "[1.5, 2]"; a sparse vector as "[dimensions, [1-based indices], [values]]".
std::string vector_text(std::string_view image);
/// The XML text, or "locator <hex>" when the image only points to it. `charset` is the database's.
std::string xml_text(std::string_view image, std::uint16_t charset);

}  // namespace wherry::oracle::trace
