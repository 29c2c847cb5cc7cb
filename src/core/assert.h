// Invariants with words. A failed assertion is a bug in Wherry; it is on in every build.
#pragma once

namespace wherry {
[[noreturn]] void assertion_failed(const char* condition, const char* what, const char* file,
                                   int line);
}  // namespace wherry

#define WHERRY_ASSERT(condition, what) \
  ((condition) ? void(0) : ::wherry::assertion_failed(#condition, what, __FILE__, __LINE__))
