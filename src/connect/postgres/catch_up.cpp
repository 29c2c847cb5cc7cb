#include "connect/postgres/catch_up.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include "connect/postgres/errors.h"
#include "connect/postgres/replication.h"
#include "connect/postgres/wire/copy_buffer.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr std::string_view kCatchingUp = "cannot read the backlog of the source's log";

/// Statements that make a copy of the slot for this session alone, and move it to `after`.
std::string copy_of_slot(const std::string& slot, const std::string& copy, wire::Lsn after) {
  return fmt::format(
      "select pg_catalog.pg_copy_logical_replication_slot({0}, {1}, true); "
      "select pg_catalog.pg_replication_slot_advance({1}, '{2}'); ",
      schema::quote_literal(slot), schema::quote_literal(copy), lsn_text(after));
}

std::string move_of_slot(const std::string& slot, wire::Lsn to) {
  return fmt::format(
      "select pg_catalog.pg_replication_slot_advance(slot_name, '{1}') "
      "from pg_catalog.pg_replication_slots "
      "where slot_name = {0} and confirmed_flush_lsn < '{1}'; ",
      schema::quote_literal(slot), lsn_text(to));
}

}  // namespace

Result<std::unique_ptr<CatchUp>> CatchUp::begin(OpContext& context,
                                                const ConnectionSettings& settings,
                                                const std::string& slot, Part part,
                                                const std::string& options) {
  ConnectionSettings own = settings;
  own.parameters.emplace_back("gssencmode", "disable");  // its bytes are read here
  WHERRY_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(context, own));
  WHERRY_TRY(hear_warnings(context, *connection));
  std::string sql, name = slot;
  if (part.flushed != 0) sql = move_of_slot(slot, part.flushed);
  if (part.after != 0) {
    name = fmt::format("wherry_part_{}", PQbackendPID(connection->handle()));
    sql += copy_of_slot(slot, name, part.after);
  }
  sql += fmt::format(
      "copy (select data from pg_catalog.pg_logical_slot_peek_binary_changes({}, '{}', null, {})) "
      "to stdout (format binary)",
      schema::quote_literal(name), lsn_text(part.until), options);
  std::unique_ptr<CatchUp> out(new CatchUp(std::move(connection), part.until));
  WHERRY_TRY(out->socket_.send(context, query_message(sql)));
  return out;
}

CatchUp::CatchUp(std::unique_ptr<Connection> connection, wire::Lsn until)
    : connection_(std::move(connection)),
      socket_(connection_->handle(), kCatchingUp),
      until_(until) {}

Result<std::optional<CatchUp::State>> CatchUp::take(const Frame& frame) {
  switch (frame.type) {
    case 'd': {
      WHERRY_ASSIGN(const bool has_message, take_row(frame.body));
      return has_message ? std::optional(State::kMessage) : std::optional<State>();
    }
    case 'N':
      // At once: what comes after it must not be applied.
      if (words_of(frame.body).sqlstate == kPublicationLeftOut) return publication_was_missing();
      return std::optional<State>();
    case 'E':
      failure_ = error_of_words(words_of(frame.body), kCatchingUp);
      return std::optional<State>();
    case 'Z':
      if (failure_) return *failure_;
      return std::optional(State::kEnd);
    default:  // the begin and the end of COPY, and parameters
      return std::optional<State>();
  }
}

Result<CatchUp::State> CatchUp::next(OpContext& context,
                                     std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    if (context.stop.stop_requested()) return cancelled_error();
    if (const std::optional<Frame> frame = socket_.take()) {
      WHERRY_ASSIGN(const std::optional<State> state, take(*frame));
      if (state) return *state;
      continue;
    }
    pace_.rest();
    WHERRY_ASSIGN(const std::size_t size, socket_.fill(context, deadline));
    if (size == 0) return State::kNothing;
    pace_.note(size);
  }
}

Result<bool> CatchUp::take_row(std::string_view row) {
  constexpr std::size_t kHeader = 19;
  if (!has_header_) {
    if (row.size() < kHeader) return malformed_log("a row of its backlog is cut");
    row.remove_prefix(kHeader);
    has_header_ = true;
  }
  if (row.empty() || row == wire::kCopyTrailer) return false;
  constexpr std::size_t kBeforeField = 6;  // one field, its length
  if (row.size() < kBeforeField || wire::load_u16(row.data()) != 1 ||
      wire::load_u32(row.data() + 2) != row.size() - kBeforeField) {
    return malformed_log("a row of its backlog is cut");
  }
  message_ = row.substr(kBeforeField);
  return true;
}

}  // namespace wherry::postgres
