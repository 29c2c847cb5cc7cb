// Wildcards of object locators: % any run, _ one character, [ab] [a-d] one of a set, [_] [%] the
// character itself. An unclosed [ stands for itself. Matching is case-sensitive and by character,
// not byte. Source: AWS DMS, "Wildcards in table mapping".
#pragma once

#include <string_view>

namespace wherry::mapping {

/// `pattern` and `name` are UTF-8.
bool matches(std::string_view pattern, std::string_view name);
/// True when the pattern could match anything but itself.
bool has_wildcard(std::string_view pattern);

}  // namespace wherry::mapping
