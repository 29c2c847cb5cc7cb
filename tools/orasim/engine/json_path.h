// The path expressions of SQL/JSON that name one value: $.a.b[0]."c d".
#pragma once

#include <string_view>

#include "engine/json.h"

namespace orasim {

/// nullptr: the document has nothing there. Arrays are unwrapped where a member is asked of them
/// and scalars wrapped where element 0 is, as in lax paths. ORA-40442 for a path that is none.
const Json* json_at(const Json& document, std::string_view path);

}  // namespace orasim
