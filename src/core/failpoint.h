// Named places where a test can have the process die, as by SIGKILL: WHERRY_FAILPOINT=NAME:COUNT
// kills it when the place is passed for the COUNT-th time (default 1). Without the variable a place
// costs one load and one branch. Names: CONTRIBUTING.md.
#pragma once

#include <string_view>

namespace wherry {

void failpoint(std::string_view name);

}  // namespace wherry
