// Sessions between two pieces of work of one connector: each way to log in has one idle session at
// most, so that a run whose steps look around one after the other logs in once a side, not once a
// step. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "connect/postgres/connection.h"

namespace wherry::postgres {

class SessionLot {
 public:
  /// The idle session that was logged in with these settings, or a new one.
  Result<std::unique_ptr<Connection>> take(OpContext& context, const ConnectionSettings& settings);
  /// Closes a session that cannot be used again, and the one that is idle already.
  void leave(const ConnectionSettings& settings, std::unique_ptr<Connection> connection);

 private:
  struct Place {
    ConnectionSettings settings;
    std::unique_ptr<Connection> idle;
  };
  Place* find(const ConnectionSettings& settings);

  std::mutex mutex_;  ///< guards places_
  std::vector<Place> places_;
};

}  // namespace wherry::postgres
