// What expressions can ask of a change beside its row: "$AR_H_…" (AWS DMS User Guide, "Using
// transformation rule expressions to define column content"). A source's log tells one time of a
// transaction, that of its commit; so all its changes have that one.
#pragma once

#include <cstdint>

#include "connect/api/changes.h"
#include "transform/expression.h"

namespace wherry::engine {

/// Of one stream, in its order. Used by one thread.
class ChangeHeaders {
 public:
  void begin_after(const connect::Checkpoint& from);
  /// `source` names places of its log; nullptr: they are numbers.
  void begin_transaction(const connect::CommitInfo& commit, const connect::ChangeSource* source);
  void begin_heartbeat() { ++transactions_; }
  /// Of the transaction's next change; good until the call after it.
  const transform::RowHeader& next(connect::ChangeKind kind);

 private:
  /// Counts as Checkpoint::sequence does, which a later run begins with.
  std::uint64_t transactions_ = 0;
  std::uint64_t changes_ = 0;  ///< of the transaction
  /// A commit that says to be older than one before it must not come before it in the sequence.
  std::chrono::system_clock::time_point newest_;
  const connect::ChangeSource* source_ = nullptr;
  connect::CommitOrder order_ = 0;
  bool is_fresh_ = false;  ///< the transaction has asked for nothing yet
  transform::RowHeader header_;
};

}  // namespace wherry::engine
