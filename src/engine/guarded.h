// Exceptions end at the top of a thread and become errors there.
#pragma once

#include <exception>
#include <new>

#include "core/result.h"

namespace wherry::engine {

/// Runs `work`, which returns a Result<void>.
template <class Work>
Result<void> guarded(const Work& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return make_error(ErrorKind::kResource, "engine.memory", "memory is exhausted",
                      "Lower MaxFullLoadSubTasks, or give the process more memory");
  } catch (const std::exception& failure) {
    return make_error(ErrorKind::kInternal, "engine.exception",
                      std::string("an unexpected failure: ") + failure.what(),
                      "Report this with the log");
  }
}

}  // namespace wherry::engine
