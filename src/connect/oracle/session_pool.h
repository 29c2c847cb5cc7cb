// Sessions between two pieces of work: reading many small tables logs in once a thread, not once a
// table. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "connect/oracle/client.h"

namespace wherry::oracle {

/// Logs in and sets what results and orders depend on (NLS_SORT, NLS_COMP), so that nothing is left
/// to the server's defaults.
Result<std::unique_ptr<Session>> open_session(OpContext& context, const ConnectOptions& options);

class SessionPool {
 public:
  explicit SessionPool(ConnectOptions options) : options_(std::move(options)) {}

  /// A session that has just answered: an idle one, or a new one. Once a log-in has succeeded, a
  /// listener that no longer knows the service is transient: the database is being restarted.
  Result<std::unique_ptr<Session>> acquire(OpContext& context);
  /// REQUIRES: no query of the session is alive. Drops a session that cannot be used again.
  void give_back(std::unique_ptr<Session> session);

 private:
  std::unique_ptr<Session> take_idle();

  const ConnectOptions options_;
  std::mutex mutex_;
  bool was_connected_ = false;
  std::vector<std::unique_ptr<Session>> idle_;
};

}  // namespace wherry::oracle
