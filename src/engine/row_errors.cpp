#include "engine/row_errors.h"

#include <mutex>
#include <string>

namespace wherry::engine {
namespace {

/// Lines in the log for each table; the rest is counted.
constexpr std::uint64_t kMostLogged = 1000;

std::string field_of(const Error& error, std::string_view key) {
  for (const ErrorField& field : error.fields) {
    if (field.key == key && !field.is_row_data) return field.value;
  }
  return {};
}

}  // namespace

Error stop_task(const Error& cause, const char* policy) {
  Error error = cause;
  error.kind = ErrorKind::kResource;  // no other table is tried
  error.code = kStoppedByPolicy;
  error.message = std::string(policy) + " stops the task: " + cause.message;
  return error;
}

Result<void> SegmentRowErrors::on_row_refused(const connect::RowRefusal& refusal) {
  const ErrorAction action = refusal.is_truncation ? policy_.truncation : policy_.data;
  ++count_;
  const std::uint64_t in_table = ++table_.refused_rows;
  {
    std::lock_guard lock(table_.refusal_mutex);
    if (!table_.first_refusal) table_.first_refusal = refusal.error;
  }
  if (action == ErrorAction::kLogError && in_table <= kMostLogged) log_row(refusal);
  WHERRY_TRY(act(action, refusal,
                 refusal.is_truncation ? "DataTruncationErrorPolicy" : "DataErrorPolicy"));
  if (policy_.escalation_count == 0 || in_table < policy_.escalation_count) return {};
  return act(policy_.escalation, refusal, "DataErrorEscalationPolicy");
}

Result<void> SegmentRowErrors::act(ErrorAction action, const connect::RowRefusal& refusal,
                                   const char* policy) const {
  if (action == ErrorAction::kStopTask) return stop_task(refusal.error, policy);
  if (action != ErrorAction::kSuspendTable) return {};
  Error error = refusal.error;
  return std::move(error).with("suspended by", policy);
}

void SegmentRowErrors::log_row(const connect::RowRefusal& refusal) const {
  const Error& error = refusal.error;
  log_.warn("a row is left out", {{"table", schema::to_text(table_.plan->source)},
                                  {"key", refusal.key.empty() ? "(none)" : refusal.key},
                                  {"column", field_of(error, "column")},
                                  {"code", error.code},
                                  {"reason", error.message},
                                  {"server", error.native_text}});
}

}  // namespace wherry::engine
