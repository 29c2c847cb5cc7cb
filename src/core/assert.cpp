#include "core/assert.h"

#include <cstdio>
#include <cstdlib>

namespace wherry {

void assertion_failed(const char* condition, const char* what, const char* file, int line) {
  std::fprintf(stderr, "wherry: internal error: %s (%s at %s:%d)\n", what, condition, file, line);
  std::abort();
}

}  // namespace wherry
