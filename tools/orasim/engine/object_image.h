// Images of objects and collections as columns keep them and clients get them.
// Facts: oracle-wire-types 6.14.
#pragma once

#include <string>
#include <string_view>

#include "engine/value.h"

namespace orasim {

inline constexpr std::size_t kOidBytes = 16;

/// SYS.XMLTYPE, which has the same id in every database. Its attributes are nobody's business.
const ObjectType& xml_object_type();

/// A value of the type from its attributes or elements, each of its declared type or NULL. The
/// payload is the type's id and the image.
Value make_object(const ObjectType& type, const Row& parts);
/// The attributes or elements of a value that is not NULL. ORA-22814 for a damaged image.
Row object_parts(const ObjectType& type, const Value& object);
[[nodiscard]] std::string_view object_oid(const Value& object);
[[nodiscard]] std::string_view object_image(const Value& object);

}  // namespace orasim
