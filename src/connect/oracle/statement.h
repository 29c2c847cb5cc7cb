// What kind of statement a text is, by its first word; it decides how it is executed.
// Facts: reference oracle-wire-ttc, 5.1.1.
#pragma once

#include <cstdint>
#include <string_view>

namespace wherry::oracle {

enum class StatementKind : std::uint8_t { kQuery, kPlsql, kDml, kDdl, kOther };

/// Comments and opening parentheses before the first word do not count.
StatementKind kind_of_statement(std::string_view sql);

}  // namespace wherry::oracle
