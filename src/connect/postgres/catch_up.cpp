#include "connect/postgres/catch_up.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>

#include "connect/postgres/errors.h"
#include "connect/postgres/replication.h"
#include "connect/postgres/wire/copy_buffer.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr std::string_view kCatchingUp = "cannot read the backlog of the source's log";
constexpr std::chrono::milliseconds kStopLook{100};

Error cut_row() {
  return make_error(ErrorKind::kInternal, "postgres.malformed_log",
                    "the source's log is not understood: a row of its backlog is cut",
                    "Please report it with the server's version");
}

}  // namespace

Result<std::unique_ptr<CatchUp>> CatchUp::begin(OpContext& context,
                                                const ConnectionSettings& settings,
                                                const std::string& slot, wire::Lsn until,
                                                const std::string& options) {
  WHERRY_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(context, settings));
  const std::string sql = fmt::format(
      "copy (select data from pg_catalog.pg_logical_slot_peek_binary_changes({}, '{}', null, {})) "
      "to stdout (format binary)",
      schema::quote_literal(slot), lsn_text(until), options);
  if (PQsendQuery(connection->handle(), sql.c_str()) == 0 || PQflush(connection->handle()) != 0) {
    return error_of_connection(connection->handle(), kCatchingUp, false);
  }
  return std::unique_ptr<CatchUp>(new CatchUp(std::move(connection), until));
}

Result<std::optional<CatchUp::State>> CatchUp::look() {
  PGconn* libpq = connection_->handle();
  if (phase_ == Phase::kAsked) {
    if (PQisBusy(libpq) == 1) return std::optional<State>();
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQgetResult(libpq), PQclear);
    if (PQresultStatus(result.get()) != PGRES_COPY_OUT) {
      return error_of_result(result.get(), kCatchingUp);
    }
    phase_ = Phase::kRows;
  }
  while (phase_ == Phase::kRows) {
    char* row = nullptr;
    const int size = PQgetCopyData(libpq, &row, /*async=*/1);
    row_ = {row, PQfreemem};
    if (size == 0) return std::optional<State>();
    if (size < 0) {
      phase_ = Phase::kOver;
      break;
    }
    WHERRY_ASSIGN(const bool has_message, take_row({row, static_cast<std::size_t>(size)}));
    if (has_message) return std::optional(State::kMessage);
  }
  // How the statement has ended.
  for (;;) {
    if (PQisBusy(libpq) == 1) return std::optional<State>();
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQgetResult(libpq), PQclear);
    if (result == nullptr) return std::optional(State::kEnd);
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      return error_of_result(result.get(), kCatchingUp);
    }
  }
}

Result<CatchUp::State> CatchUp::next(OpContext& context,
                                     std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    if (context.stop.stop_requested()) return cancelled_error();
    WHERRY_ASSIGN(const std::optional<State> state, look());
    if (state) return *state;
    const auto now = std::chrono::steady_clock::now();
    const auto wait = std::clamp<std::chrono::nanoseconds>(deadline - now,
                                                           std::chrono::nanoseconds(0), kStopLook);
    const timespec patience{0, static_cast<long>(wait.count())};
    pollfd ready{PQsocket(connection_->handle()), POLLIN, 0};
    if (::ppoll(&ready, 1, &patience, nullptr) > 0) {
      if (PQconsumeInput(connection_->handle()) == 0) {
        return error_of_connection(connection_->handle(), kCatchingUp, false);
      }
      continue;
    }
    if (now >= deadline) return State::kNothing;
  }
}

Result<bool> CatchUp::take_row(std::string_view row) {
  constexpr std::size_t kHeader = 19;
  if (!has_header_) {
    if (row.size() < kHeader) return cut_row();
    row.remove_prefix(kHeader);
    has_header_ = true;
  }
  if (row.empty() || row == wire::kCopyTrailer) return false;
  constexpr std::size_t kBeforeField = 6;  // one field, its length
  if (row.size() < kBeforeField || wire::load_u16(row.data()) != 1 ||
      wire::load_u32(row.data() + 2) != row.size() - kBeforeField) {
    return cut_row();
  }
  message_ = row.substr(kBeforeField);
  return true;
}

}  // namespace wherry::postgres
