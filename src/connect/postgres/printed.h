// Values as PostgreSQL prints them, which a cast to text does not do for every type: inet's adds a
// mask.
#pragma once

#include <string>

namespace wherry::postgres {

/// SQL for the text of `value` that the log and a COPY in text form would have; NULL stays NULL,
/// and a row type with nothing but NULL in it is none.
inline std::string printed(const std::string& value) {
  return "case when " + value + " is distinct from null then pg_catalog.format('%s', " + value +
         ") end";
}

}  // namespace wherry::postgres
