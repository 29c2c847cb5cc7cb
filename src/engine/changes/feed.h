// Where the apply side gets its changes from: a durable cache, a queue over a running stream, or
// both behind one face. The task control makes it; run_apply() uses it from one thread.
#pragma once

#include <memory>

#include "connect/api/changes.h"
#include "core/op_context.h"
#include "core/position.h"
#include "core/result.h"

namespace wherry::engine {

/// Shared by whoever still has rows of it in work; whoever made it recycles it in the deleter.
using ChangeBatchPtr = std::shared_ptr<const connect::ChangeBatch>;

class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;
  /// From now on next() delivers what comes after `from`, from the beginning of a transaction.
  /// Called once at the start and again whenever the target has to be brought up to date anew;
  /// never for a position before the last one of release(). Empty: where the task began.
  virtual Result<void> start(OpContext&, const Position& from) = 0;
  /// The next records in commit order. Waits for the first until the context's deadline at most,
  /// and returns nullptr then. An error ends the apply; what is kTransient at the source is the
  /// feed's own affair. A kBegin has the order of its kCommit.
  virtual Result<ChangeBatchPtr> next(OpContext&) = 0;
  /// Nothing is at hand: next() would wait.
  [[nodiscard]] virtual bool is_empty() const = 0;
  /// Everything at or before `durable.position` is on the target and survives its crash. Never
  /// waits.
  virtual Result<void> release(OpContext&, const connect::Checkpoint& durable) = 0;
};

}  // namespace wherry::engine
