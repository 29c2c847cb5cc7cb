// A pause that a stop ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/op_context.h"

namespace wherry::oracle {

inline void rest(const OpContext& context, std::chrono::steady_clock::time_point until) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, context.stop, until, [] { return false; });
}

}  // namespace wherry::oracle
