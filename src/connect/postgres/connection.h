// One session with a PostgreSQL server over libpq: every wait is a poll() that also watches the
// stop token and the deadline, so that no call blocks longer than a second after a stop. When a
// call is stopped, the server is asked to cancel and the connection is no longer usable.
//
// Used by one thread at a time. The destructor never blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "connect/postgres/settings.h"
#include "core/op_context.h"
#include "core/result.h"

struct pg_conn;
struct pg_result;

namespace wherry::postgres {

class CopyOut;

/// Rows of a finished query, as text.
class Rows {
 public:
  explicit Rows(std::shared_ptr<pg_result> result) : result_(std::move(result)) {}
  [[nodiscard]] int count() const;
  [[nodiscard]] bool is_null(int row, int column) const;
  /// Empty for NULL; valid as long as this object.
  [[nodiscard]] std::string_view text(int row, int column) const;
  [[nodiscard]] std::int64_t integer(int row, int column) const;
  [[nodiscard]] bool boolean(int row, int column) const { return text(row, column) == "t"; }

 private:
  std::shared_ptr<pg_result> result_;
};

class Connection {
 public:
  /// Logs in and sets the session up: UTF8, UTC, empty search_path, application_name wherry, the
  /// lock timeout of the settings and no other timeout.
  static Result<std::unique_ptr<Connection>> open(OpContext& context,
                                                  const ConnectionSettings& settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// One statement with text parameters ($1…). `action` begins the error's message.
  Result<Rows> query(OpContext& context, std::string_view action, const std::string& sql,
                     std::span<const std::string> parameters = {});
  /// One or more statements without parameters, or a command of a walsender; the rows of the last.
  Result<Rows> command(OpContext& context, std::string_view action, const std::string& sql);
  /// One or more statements without parameters whose rows nobody wants.
  Result<void> execute(OpContext& context, std::string_view action, const std::string& sql);

  Result<void> begin_copy_in(OpContext& context, const std::string& sql);
  /// Sends COPY data. When the server has already refused it, its error comes now rather than at
  /// the end of the data.
  Result<void> send_copy(OpContext& context, std::string_view data);
  /// Ends COPY; returns the number of rows the server took.
  Result<std::uint64_t> end_copy_in(OpContext& context);

  Result<void> begin_copy_out(OpContext& context, const std::string& sql);
  /// The next piece of COPY data (a whole row), valid until the next call; nullopt at the end.
  Result<std::optional<std::string_view>> receive_copy(OpContext& context);

  /// libpq's own; for what is done past this class.
  [[nodiscard]] pg_conn* handle() { return connection_.get(); }
  /// 150004 for 15.4.
  [[nodiscard]] int server_version() const;
  /// The server's value of a reported parameter: server_version, server_encoding, …
  [[nodiscard]] std::string parameter(const char* name) const;
  /// False after a stop, a lost connection or an unfinished COPY: to be closed, not reused.
  [[nodiscard]] bool is_reusable() const;
  /// The server has sent nothing since: a session that it has ended is not quiet.
  [[nodiscard]] bool is_quiet() const;

 private:
  friend class Pipeline;
  explicit Connection(pg_conn* connection);
  Result<void> connect(OpContext& context, int timeout_secs);
  Result<void> set_up(OpContext& context, const ConnectionSettings& settings);
  /// Waits until the socket is ready for `events` (poll.h); returns what it is ready for.
  Result<short> wait(OpContext& context, short events);
  Result<void> flush(OpContext& context);
  Result<std::shared_ptr<pg_result>> next_result(OpContext& context);
  /// Reads results up to the end of the statement; the last one, or the first error.
  Result<std::shared_ptr<pg_result>> finish(OpContext& context, std::string_view action);
  Result<void> start_copy(OpContext& context, const std::string& sql, int expected_status);
  Error refused_copy(OpContext& context);
  Result<std::optional<std::string_view>> receive_copy_by_libpq(OpContext& context);
  /// After each step of copy_out_; asks the server to stop when nobody reads on.
  void note_copy_out(const Error* error);
  /// All of the data; `is_refused` becomes true when the server has meanwhile refused the COPY.
  Result<void> send_by_libpq(OpContext& context, std::string_view data, bool& is_refused);
  Result<void> send_past_libpq(OpContext& context, std::string_view bytes, bool& is_refused);
  /// Whether what came in while sending COPY data is more than notices.
  bool is_refusal();
  void cancel();

  std::unique_ptr<pg_conn, void (*)(pg_conn*)> connection_;
  std::unique_ptr<CopyOut> copy_out_;                ///< nullptr: none yet, or GSS encrypts
  std::unique_ptr<char, void (*)(void*)> copy_row_;  ///< what libpq gave
  std::uint64_t notices_ = 0;
  bool is_stopped_ = false;
  bool in_copy_ = false;
};

}  // namespace wherry::postgres
