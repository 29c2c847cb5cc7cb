// A value's text form, as a session with datestyle ISO, timezone UTC, intervalstyle postgres and
// extra_float_digits 3 prints it, to its binary form: so that one set of decoders serves both.
#pragma once

#include <string>
#include <string_view>

#include "connect/postgres/native_type.h"

namespace wherry::postgres::wire {

/// False when the text is no value of that kind. Kinds without a binary form here keep their text.
bool binary_form(NativeKind kind, std::string_view text, std::string& out);

}  // namespace wherry::postgres::wire
