// A session for questions to the source's catalogue beside a stream, made when it is needed, and
// made anew when it is lost. Used by one thread at a time.
#pragma once

#include <memory>

#include "connect/postgres/connection.h"

namespace wherry::postgres {

class CatalogSession {
 public:
  /// `settings` outlive it.
  explicit CatalogSession(const ConnectionSettings& settings) : settings_(settings) {}

  /// Good until the next call.
  Result<Connection*> open(OpContext& context) {
    if (connection_ == nullptr || !connection_->is_reusable() || !connection_->is_quiet()) {
      connection_.reset();
      WHERRY_ASSIGN(connection_, Connection::open(context, settings_));
    }
    return connection_.get();
  }

 private:
  const ConnectionSettings& settings_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace wherry::postgres
