// Values as PostgreSQL prints them, which a cast to text does not do for every type: inet's adds a
// mask.
#pragma once

#include <string>

#include "connect/postgres/native_type.h"

namespace wherry::postgres {

/// SQL for the text of `value` that the log and a COPY in text form would have; NULL stays NULL,
/// and a row type with nothing but NULL in it is none.
inline std::string printed(const std::string& value) {
  return "(case when " + value + " is distinct from null then pg_catalog.format('%s', " + value +
         ") end)";
}
/// The same of a value of that type: a cast where it does that.
inline std::string printed(const std::string& value, const NativeType& native) {
  return native.kind == NativeKind::kOther ? printed(value) : value + "::text";
}

}  // namespace wherry::postgres
