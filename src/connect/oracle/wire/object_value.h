// Values of object types: where they end, and what an XMLTYPE holds.
// Facts: reference oracle-wire-types, 6.14.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::wire {

/// What stands before the image of an object, collection or XMLTYPE in a row. True: the image
/// follows, a byte string; false: NULL, and nothing does.
bool read_object_head(Reader& in);
/// Takes the whole value; nullopt: NULL, else its image.
std::optional<std::string> read_object_image(Reader& in);

/// What an XMLTYPE image holds.
struct XmlContent {
  bool is_locator = false;  ///< `bytes` locate a CLOB; else they are text in the database charset
  ByteView bytes;           ///< inside the image
};
/// nullopt when the image has a form that is not known (binary XML).
std::optional<XmlContent> parse_xml_image(ByteView image);

}  // namespace wherry::oracle::wire
