// A replication connection: a walsender that takes commands and SQL until start(), and sends its
// log from then on. libpq logs in; after start() its socket is read here, in pieces of a quarter of
// a megabyte: libpq would take a message at a time through 16 kB (bench: a third of the reader's
// CPU).
//
// Used by one thread at a time, but for send_status(), which is thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/postgres/connection.h"
#include "connect/postgres/wire/pgoutput.h"

struct ssl_st;

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
  /// A whole message of the server's protocol, cut off the front; nullopt: it has not come whole.
  struct Frame {
    char type = 0;
    std::string_view body;
  };
  std::optional<Frame> take_frame();
  Result<void> make_room();
  /// Bytes, 0 when there are none now.
  Result<std::size_t> receive(char* to, std::size_t size);
  Result<void> flush_output();
  void append_output(char type, std::string_view body);

  std::unique_ptr<Connection> session_;
  int socket_ = -1;
  ssl_st* tls_ = nullptr;  ///< of the session
  std::mutex mutex_;       ///< guards output_ and writes; with TLS reads too
  std::string output_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  ///< what of the buffer is filled
};

/// 16/B374D848
std::string lsn_text(wire::Lsn lsn);
std::optional<wire::Lsn> parse_lsn(std::string_view text);
wire::ServerTime server_time_now();
std::chrono::system_clock::time_point to_time_point(wire::ServerTime time);

}  // namespace wherry::postgres
