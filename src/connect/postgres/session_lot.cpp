#include "connect/postgres/session_lot.h"

#include <algorithm>

namespace wherry::postgres {
namespace {

/// What Connection::open() makes of them is the same.
bool log_in_alike(const ConnectionSettings& a, const ConnectionSettings& b) {
  return a.parameters == b.parameters && a.password.reveal() == b.password.reveal() &&
         a.lock_timeout_secs == b.lock_timeout_secs && a.toast_compression == b.toast_compression;
}

}  // namespace

SessionLot::Place* SessionLot::find(const ConnectionSettings& settings) {
  const auto found = std::find_if(places_.begin(), places_.end(), [&](const Place& place) {
    return log_in_alike(place.settings, settings);
  });
  return found == places_.end() ? nullptr : &*found;
}

Result<std::unique_ptr<Connection>> SessionLot::take(OpContext& context,
                                                     const ConnectionSettings& settings) {
  std::unique_ptr<Connection> idle;
  {
    std::lock_guard lock(mutex_);
    if (Place* place = find(settings)) idle = std::move(place->idle);
  }
  if (idle != nullptr && idle->is_reusable() && idle->is_quiet()) return idle;
  return Connection::open(context, settings);
}

void SessionLot::leave(const ConnectionSettings& settings, std::unique_ptr<Connection> connection) {
  if (connection == nullptr || !connection->is_reusable()) return;
  std::lock_guard lock(mutex_);
  Place* place = find(settings);
  if (place == nullptr) place = &places_.emplace_back(Place{settings, nullptr});
  place->idle = std::move(connection);
}

}  // namespace wherry::postgres
