// Rows of one segment that the target cannot take: counted, logged, and held against the policy.
#pragma once

#include "connect/api/connector.h"
#include "core/log.h"
#include "engine/error_policy.h"
#include "engine/full_load.h"

namespace wherry::engine {

/// The code of errors that end the task because a policy says STOP_TASK.
inline constexpr const char* kStoppedByPolicy = "load.stopped_by_policy";
/// `cause` as an error that ends the task.
Error stop_task(const Error& cause, const char* policy);

/// What a segment counted is taken back when it is not kept, because the segment is loaded again.
class SegmentRowErrors final : public connect::RowRefusalSink {
 public:
  SegmentRowErrors(const ErrorPolicy& policy, TableProgress& table, Logger log)
      : policy_(policy), table_(table), log_(std::move(log)) {}
  ~SegmentRowErrors() override { table_.refused_rows -= count_; }
  SegmentRowErrors(const SegmentRowErrors&) = delete;
  SegmentRowErrors& operator=(const SegmentRowErrors&) = delete;

  Result<void> on_row_refused(const connect::RowRefusal& refusal) override;
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The segment is on the target.
  void keep() { count_ = 0; }

 private:
  [[nodiscard]] Result<void> act(ErrorAction action, const connect::RowRefusal& refusal,
                                 const char* policy) const;
  void log_row(const connect::RowRefusal& refusal) const;

  const ErrorPolicy& policy_;
  TableProgress& table_;
  const Logger log_;
  std::uint64_t count_ = 0;
};

}  // namespace wherry::engine
