// Steps of a task's start, each tried again while connections break, as ErrorBehavior's
// RecoverableError* say.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "control/task.h"
#include "engine/retry.h"

namespace wherry::control {

class StartRetry {
 public:
  /// `has_run_before`: both sides have answered this task already.
  StartRetry(OpContext& context, const engine::RetryPolicy& policy, TaskObserver& observer,
             bool has_run_before);

  /// Runs `work`, which returns a Result and may be repeated; `side` is whom it talks to.
  template <class Work>
  std::invoke_result_t<const Work&> run(const char* side, const Work& work) {
    engine::Backoff backoff(policy_);
    for (;;) {
      auto result = work();
      if (result.ok()) {
        reached(side, backoff.tries() > 0);
        return result;
      }
      Error error = std::move(result).error();
      if (!waits(side, error, backoff)) return error;
    }
  }

 private:
  /// Waits for the next try; false when there is none, and `error` is why.
  bool waits(const char* side, Error& error, engine::Backoff& backoff);
  void reached(const std::string& side, bool was_interrupted);
  [[nodiscard]] bool may_retry(const Error& error) const;

  OpContext& context_;
  engine::RetryPolicy policy_;
  TaskObserver& observer_;
  bool is_source_known_;
  bool is_target_known_;
};

}  // namespace wherry::control
