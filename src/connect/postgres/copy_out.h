// COPY TO STDOUT over the socket of a session, past libpq, whose buffers cost more than all that is
// done with the rows. libpq does not notice: before and after, the session is idle or in the same
// transaction.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connect/postgres/session_socket.h"

namespace wherry::postgres {

class CopyOut {
 public:
  /// `session` outlives it, and is not encrypted by GSS.
  explicit CopyOut(pg_conn* session);

  /// REQUIRES: no statement is running.
  Result<void> begin(OpContext& context, const std::string& sql);
  /// The next message, valid until the next call; nullopt at the end. A row is one message.
  Result<std::optional<std::string_view>> next(OpContext& context);
  /// The server waits for the next statement: after next() has told the end, or the server's error.
  [[nodiscard]] bool is_over() const { return is_over_; }

 private:
  Result<Frame> receive(OpContext& context);
  /// Reads on to the end of a statement that has failed; `error`, or what comes between.
  Error finish(OpContext& context, Error error);

  SessionSocket socket_;
  BulkPace pace_;
  bool is_over_ = true;
};

}  // namespace wherry::postgres
