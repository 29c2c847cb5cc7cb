// A replication connection: a walsender that takes commands and SQL until start(), and sends its
// log from then on. libpq logs in; after start() its socket is read by a SessionSocket
// (bench: a third of the reader's CPU less).
//
// Used by one thread at a time, but for send_status(), which is thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "connect/postgres/connection.h"
#include "connect/postgres/session_socket.h"
#include "connect/postgres/wire/pgoutput.h"

namespace wherry::postgres {

class ReplicationLink {
 public:
  /// Logs in with replication=database.
  static Result<std::unique_ptr<ReplicationLink>> open(OpContext& context,
                                                       const ConnectionSettings& settings);
  ~ReplicationLink();
  ReplicationLink(const ReplicationLink&) = delete;
  ReplicationLink& operator=(const ReplicationLink&) = delete;

  /// For commands and SQL without parameters. REQUIRES: start() was not called.
  [[nodiscard]] Connection& session() { return *session_; }
  /// `command` is a START_REPLICATION.
  Result<void> start(OpContext& context, const std::string& command);

  /// What the next CopyData holds, valid until fill(); nullopt: no whole one has come.
  Result<std::optional<std::string_view>> next();
  /// Takes what the socket has; waits for it until `until`, and for no time when that has passed.
  /// The number of bytes; 0: nothing came.
  Result<std::size_t> fill(OpContext& context, std::chrono::steady_clock::time_point until);
  /// Never waits: what the socket does not take now goes with the next one.
  Result<void> send_status(wire::Lsn received, wire::Lsn flushed, bool wants_reply);

 private:
  explicit ReplicationLink(std::unique_ptr<Connection> session);
  Result<void> await_copy(OpContext& context);
  Result<void> flush_output();
  void append_output(char type, std::string_view body);

  std::unique_ptr<Connection> session_;
  std::mutex mutex_;  ///< guards output_ and what is sent; with TLS what is read too
  SessionSocket socket_;
  std::string output_;
};

/// SQLSTATE of a warning: since version 18 a publication that was not there when a change was
/// written is no error any more, and the change is left out.
constexpr std::string_view kPublicationLeftOut = "55000";
/// Has the session tell of warnings, whatever the server's setting.
Result<void> hear_warnings(OpContext& context, Connection& session);
/// kPositionLost: changes were left out, see kPublicationLeftOut.
Error publication_was_missing();
/// kInternal "postgres.malformed_log".
Error malformed_log(std::string_view what);

/// 16/B374D848
std::string lsn_text(wire::Lsn lsn);
std::optional<wire::Lsn> parse_lsn(std::string_view text);
wire::ServerTime server_time_now();
std::chrono::system_clock::time_point to_time_point(wire::ServerTime time);

}  // namespace wherry::postgres
