// Sessions that are between two pieces of work: loading many small tables logs in once a thread,
// not once a table. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "connect/postgres/session_lot.h"

namespace wherry::postgres {

class ConnectionPool {
 public:
  explicit ConnectionPool(ConnectionSettings settings,
                          std::shared_ptr<SessionLot> lot = std::make_shared<SessionLot>())
      : settings_(std::move(settings)), lot_(std::move(lot)) {}
  ~ConnectionPool() {
    if (!idle_.empty()) lot_->leave(settings_, std::move(idle_.back()));
  }
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  Result<std::unique_ptr<Connection>> acquire(OpContext& context) {
    {
      std::lock_guard lock(mutex_);
      while (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        if (connection->is_reusable() && connection->is_quiet()) return connection;
      }
    }
    return lot_->take(context, settings_);
  }
  /// Closes what cannot be used again.
  void give_back(std::unique_ptr<Connection> connection) {
    if (!connection->is_reusable()) return;
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  /// Of a session whose transaction has only read: what was read is read, whatever becomes of its
  /// end, which gives the locks back.
  void give_back_reader(OpContext& context, std::unique_ptr<Connection> connection) {
    if (connection->execute(context, "cannot end a transaction", "commit")) {
      give_back(std::move(connection));
    }
  }
  [[nodiscard]] const ConnectionSettings& settings() const { return settings_; }

 private:
  const ConnectionSettings settings_;
  const std::shared_ptr<SessionLot> lot_;  ///< of the connector
  std::mutex mutex_;                       ///< guards idle_
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace wherry::postgres
