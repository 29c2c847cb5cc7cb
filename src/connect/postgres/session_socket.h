// The socket of a session, past libpq: messages of the server's protocol are read in pieces of a
// quarter of a megabyte, where libpq would take 16 kB at a time and copy each message twice. libpq
// must not be waiting for anything meanwhile. TLS is that of the session; encryption by GSS is
// libpq's own secret.
//
// Used by one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/postgres/errors.h"
#include "core/op_context.h"
#include "core/result.h"

struct pg_conn;
struct ssl_st;

namespace wherry::postgres {

/// A whole message: PostgreSQL 15, "Message Formats".
struct Frame {
  char type = 0;
  std::string_view body;
};

/// What an ErrorResponse says; `body` outlives it.
ServerWords words_of(std::string_view body);

/// The message that has the server execute SQL.
std::string query_message(std::string_view sql);

/// A server sends 8 kB at a time. A reader of many rows that is woken for each of them takes the
/// processor from the server again and again; so it rests while a read brings little, and the
/// socket fills meanwhile. After a few such reads only: a small table is read without.
class BulkPace {
 public:
  /// Before a read.
  void rest() const;
  void note(std::size_t read_bytes);

 private:
  std::uint32_t small_reads_ = 0;  ///< in a row
};

class SessionSocket {
 public:
  /// `session` outlives it, and is not encrypted by GSS. `action` begins the messages of errors.
  /// `tls_guard`, if any, is held while TLS is read: another thread sends, and holds it then.
  SessionSocket(pg_conn* session, std::string_view action, std::mutex* tls_guard = nullptr);

  /// Cut off the front, valid until fill(); nullopt: no whole one has come.
  std::optional<Frame> take();
  /// Takes what the socket has; waits for it until `until`, and for no time when that has passed.
  /// The number of bytes; 0: nothing came.
  Result<std::size_t> fill(OpContext& context, std::chrono::steady_clock::time_point until);

  /// Never waits. The number of bytes that were sent; 0: the socket takes none now.
  Result<std::size_t> send_some(std::string_view bytes);

  /// All of it, until the context is stopped.
  Result<void> send(OpContext& context, std::string_view bytes);

  /// Until the socket takes bytes, or the time has passed.
  void wait_to_send(std::chrono::milliseconds patience) const;

  /// The connection is gone, kTransient.
  [[nodiscard]] Error lost(std::string_view why) const;

 private:
  Result<void> make_room();
  /// Bytes, 0 when there are none now.
  Result<std::size_t> receive(char* to, std::size_t size);

  const int socket_;
  ssl_st* const tls_;  ///< of the session
  const std::string_view action_;
  std::mutex* const tls_guard_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  ///< what of the buffer is filled
};

}  // namespace wherry::postgres
