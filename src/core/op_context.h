// Passed to every call that can block.
#pragma once

#include <chrono>
#include <stop_token>

#include "core/log.h"

namespace wherry {

struct OpContext {
  std::stop_token stop;  ///< obeyed within a second, also inside a blocked read
  /// No call of the operation starts later than this; max() means none.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  Logger log;
};

Error cancelled_error();

}  // namespace wherry
