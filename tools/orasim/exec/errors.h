// Raising Oracle's own errors: number, text and, for statement errors, the place in the SQL text.
#pragma once

#include <string>

#include "engine/error.h"

namespace orasim {

/// Throws OraError with Oracle's standard text of `code` (the table in errors.cpp).
[[noreturn]] void raise(int code, int position = 0);
/// Throws OraError with the given text.
[[noreturn]] void raise_text(int code, const std::string& text, int position = 0);
/// ORA-00904: `name` is what is quoted in the text, for example `"T"."C"`.
[[noreturn]] void raise_invalid_identifier(const std::string& name, int position);
/// ORA-00932: inconsistent datatypes.
[[noreturn]] void raise_inconsistent(const std::string& expected, const std::string& got,
                                     int position = 0);

}  // namespace orasim
