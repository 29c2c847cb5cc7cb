// How far a task's changes are on the target: table wherry_checkpoint of the control schema, one
// row a lane, written in the transaction that carries the changes; awsdms_txn_state besides when
// the task wants it. Format: docs/design/checkpoint.md.
//
// A session of a lane holds an advisory lock as long as it lives. So who takes the lock knows that
// nothing of an earlier session can still commit, not even what waits in the server's sockets.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/pipeline.h"

namespace wherry::postgres {

class CheckpointTable {
 public:
  CheckpointTable(std::string control_schema, connect::ApplySettings settings)
      : schema_(std::move(control_schema)), settings_(std::move(settings)) {}

  /// connect::TargetApply::recover(), but for the lanes in `own`, which are this process's.
  Result<std::map<std::uint32_t, connect::Checkpoint>> read(
      OpContext& context, Connection& connection, const std::string& task_name,
      const std::vector<std::uint32_t>& own) const;
  Result<void> forget(OpContext& context, Connection& connection,
                      const std::string& task_name) const;
  /// Waits until no earlier session of the lane is left.
  static Result<void> enter(OpContext& context, Connection& connection,
                            const std::string& task_name, std::uint32_t lane);
  /// connect::TargetApply::flush().
  Result<void> flush(OpContext& context, Connection& connection, const std::string& task_name,
                     const connect::Checkpoint& stored) const;

  /// What write() executes, to be prepared once a session.
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> statements(
      std::uint32_t lane) const;
  Result<void> write(OpContext& context, Pipeline& pipeline, const std::string& task_name,
                     std::uint32_t lane, const connect::Checkpoint& checkpoint) const;

 private:
  Result<std::string> table() const;
  Result<void> make(OpContext& context, Connection& connection) const;

  std::string schema_;
  connect::ApplySettings settings_;
};

}  // namespace wherry::postgres
