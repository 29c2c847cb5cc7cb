// A long backlog of the log through SQL: the server decodes it into a result of COPY, which costs a
// third of what a walsender takes that sends every change by itself (bench/log_bench). The server
// keeps the result in work_mem and temporary files, so one call takes a part of the log only
// (backlog.h).
//
// Used by one thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connect/postgres/connection.h"
#include "connect/postgres/session_socket.h"
#include "connect/postgres/wire/pgoutput.h"

namespace wherry::postgres {

class CatchUp {
 public:
  struct Part {
    /// What is committed before it is left out, which takes a temporary copy of the slot; 0: what
    /// the slot has confirmed.
    wire::Lsn after = 0;
    wire::Lsn until = 0;    ///< whole transactions, up to the last that is committed before it
    wire::Lsn flushed = 0;  ///< the slot, which is free, is moved there first; 0: it is not
  };
  /// Asks for a part of what the slot has; `options` are pgoutput's. The answer comes with next().
  static Result<std::unique_ptr<CatchUp>> begin(OpContext& context,
                                                const ConnectionSettings& settings,
                                                const std::string& slot, Part part,
                                                const std::string& options);

  enum class State {
    kMessage,  ///< message() is the next one
    kNothing,  ///< none has come yet
    kEnd,
  };
  /// Waits for the next message until `deadline`, and for no time when that has passed.
  Result<State> next(OpContext& context, std::chrono::steady_clock::time_point deadline);
  /// One message of pgoutput, valid until next().
  [[nodiscard]] std::string_view message() const { return message_; }
  [[nodiscard]] wire::Lsn until() const { return until_; }

 private:
  CatchUp(std::unique_ptr<Connection> connection, wire::Lsn until);
  /// nullopt: the server has said nothing that matters.
  Result<std::optional<State>> take(const Frame& frame);
  /// A row of COPY's binary form; false: it was the header or the trailer alone.
  Result<bool> take_row(std::string_view row);

  std::unique_ptr<Connection> connection_;
  SessionSocket socket_;
  const wire::Lsn until_;
  std::string_view message_;
  std::optional<Error> failure_;  ///< of the statement; told when the server is ready again
  BulkPace pace_;
  bool has_header_ = false;
};

}  // namespace wherry::postgres
