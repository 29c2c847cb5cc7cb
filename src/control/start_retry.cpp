#include "control/start_retry.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/segment.h"

namespace wherry::control {
namespace {

/// What a wrong address looks like. A server that has never answered is not waited for: whoever
/// mistyped its name wants to know at once.
constexpr std::array<std::string_view, 10> kNoAnswer = {
    "net.refused",     "net.resolve",          "net.unreachable",    "net.timeout",
    "net.tls",         "postgres.unreachable", "oracle.no_listener", "oracle.refused",
    "oracle.protocol", "oracle.https_proxy"};

/// AWS DMS: a task that is starting is tried six times when RecoverableErrorCount is -1.
constexpr std::int64_t kTriesOfAStart = 6;

}  // namespace

StartRetry::StartRetry(OpContext& context, const engine::RetryPolicy& policy,
                       TaskObserver& observer, bool has_run_before)
    : context_(context),
      policy_(policy),
      observer_(observer),
      is_source_known_(has_run_before),
      is_target_known_(has_run_before) {
  if (policy_.most_tries < 0) policy_.most_tries = kTriesOfAStart;
}

void StartRetry::reached(const std::string& side, bool was_interrupted) {
  (side == "source" ? is_source_known_ : is_target_known_) = true;
  if (was_interrupted) observer_.on_interruption(std::nullopt);
}

bool StartRetry::may_retry(const Error& error) const {
  if (error.kind != ErrorKind::kTransient) return false;
  const bool is_known = engine::side_of(error) == "source" ? is_source_known_ : is_target_known_;
  return is_known || std::find(kNoAnswer.begin(), kNoAnswer.end(), error.code) == kNoAnswer.end();
}

bool StartRetry::waits(const char* side, Error& error, engine::Backoff& backoff) {
  error = engine::with_side(std::move(error), side);
  const auto wait = may_retry(error) ? backoff.next() : std::nullopt;
  if (!wait) {
    if (backoff.tries() > 0) observer_.on_interruption(std::nullopt);
    return false;
  }
  context_.log.as(Component::kTaskManager)
      .warn("a connection broke at the start, trying again",
            {{"side", engine::side_of(error)},
             {"try", std::to_string(backoff.tries())},
             {"wait_ms", std::to_string(wait->count())},
             {"cause", error.to_log_text()}});
  observer_.on_interruption(engine::Interruption{engine::side_of(error), error.to_log_text(),
                                                 backoff.tries(),
                                                 std::chrono::steady_clock::now() + *wait});
  if (engine::wait_for(*wait, context_.stop)) return true;
  error = cancelled_error();
  return false;
}

}  // namespace wherry::control
