// Sessions that are between two pieces of work: loading many small tables logs in once a thread,
// not once a table. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "connect/postgres/connection.h"

namespace wherry::postgres {

class ConnectionPool {
 public:
  explicit ConnectionPool(ConnectionSettings settings) : settings_(std::move(settings)) {}

  Result<std::unique_ptr<Connection>> acquire(OpContext& context) {
    {
      std::lock_guard lock(mutex_);
      while (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        if (connection->is_reusable() && connection->is_quiet()) return connection;
      }
    }
    return Connection::open(context, settings_);
  }
  /// Closes what cannot be used again.
  void give_back(std::unique_ptr<Connection> connection) {
    if (!connection->is_reusable()) return;
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  [[nodiscard]] const ConnectionSettings& settings() const { return settings_; }

 private:
  const ConnectionSettings settings_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace wherry::postgres
