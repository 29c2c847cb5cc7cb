#include "connect/postgres/connection.h"

#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "connect/postgres/copy_out.h"
#include "connect/postgres/errors.h"
#include "connect/postgres/session_socket.h"
#include "connect/postgres/wire/copy_buffer.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How long a stop may go unnoticed.
constexpr milliseconds kStopInterval{100};
constexpr milliseconds kCancelPatience{500};
/// Between the parts of one notice.
constexpr milliseconds kNoticePatience{50};
/// What the kernel holds of data that is not sent yet. More makes nothing faster and lies about in
/// the processor's cache; measured in docs/design/performance.md.
constexpr int kMostUnsentBytes = 32 * 1024;
constexpr std::string_view kConnecting = "cannot connect to PostgreSQL";
constexpr std::string_view kCopying = "cannot load rows";
constexpr std::string_view kReadingRows = "cannot read rows";

std::shared_ptr<PGresult> owned(PGresult* result) {
  return {result, PQclear};
}

bool has_input(const PGconn* connection, milliseconds patience) {
  pollfd socket{PQsocket(connection), POLLIN, 0};
  return ::poll(&socket, 1, static_cast<int>(patience.count())) > 0;
}

bool is_failure(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

}  // namespace

int Rows::count() const {
  return PQntuples(result_.get());
}
bool Rows::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) == 1;
}
std::string_view Rows::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}
std::int64_t Rows::integer(int row, int column) const {
  const std::string_view digits = text(row, column);
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

Connection::Connection(PGconn* connection)
    : connection_(connection, PQfinish), copy_row_(nullptr, PQfreemem) {}

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(OpContext& context,
                                                     const ConnectionSettings& settings) {
  const std::string password(settings.password.reveal());
  std::vector<const char*> keys;
  std::vector<const char*> values;
  const auto add = [&](const char* key, const char* value) {
    keys.push_back(key);
    values.push_back(value);
  };
  for (const auto& [key, value] : settings.parameters) add(key.c_str(), value.c_str());
  if (!password.empty()) add("password", password.c_str());
  add("client_encoding", "UTF8");
  add("fallback_application_name", "wherry");
  add(nullptr, nullptr);

  std::unique_ptr<Connection> self(
      new Connection(PQconnectStartParams(keys.data(), values.data(), /*expand_dbname=*/0)));
  if (self->connection_ == nullptr) {
    return make_error(ErrorKind::kResource, "postgres.out_of_memory", "no memory for a connection",
                      "Lower MaxFullLoadSubTasks");
  }
  WHERRY_TRY(self->connect(context, settings.connect_timeout_secs));
  WHERRY_TRY(self->set_up(context, settings));
  return self;
}

Result<void> Connection::connect(OpContext& context, int timeout_secs) {
  PGconn* c = connection_.get();
  if (PQstatus(c) == CONNECTION_BAD) return error_of_connection(c, kConnecting, true);
  // Verbose, because that puts the SQLSTATE into the text.
  PQsetErrorVerbosity(c, PQERRORS_VERBOSE);
  OpContext limited = context;
  if (timeout_secs > 0) {
    limited.deadline =
        std::min(limited.deadline, steady_clock::now() + std::chrono::seconds(timeout_secs));
  }
  short events = POLLOUT;
  for (;;) {
    auto ready = wait(limited, events);
    if (!ready) {
      return ready.error().kind == ErrorKind::kCancelled
                 ? std::move(ready).error()
                 : make_error(ErrorKind::kTransient, "postgres.unreachable",
                              std::string(kConnecting) + ": the server does not answer",
                              "Check host and port of the URL, and the firewall");
    }
    const PostgresPollingStatusType status = PQconnectPoll(c);
    if (status == PGRES_POLLING_OK) break;
    if (status == PGRES_POLLING_FAILED) return error_of_connection(c, kConnecting, true);
    events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
  }
  PQsetErrorVerbosity(c, PQERRORS_DEFAULT);
  PQsetnonblocking(c, 1);
  // Refused by sockets that are not TCP, which have no such limit.
  ::setsockopt(PQsocket(c), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kMostUnsentBytes,
               sizeof kMostUnsentBytes);
  const auto count_notice = [](void* counter, const PGresult*) {
    ++*static_cast<std::uint64_t*>(counter);
  };
  PQsetNoticeReceiver(c, count_notice, &notices_);
  return {};
}

Result<void> Connection::set_up(OpContext& context, const ConnectionSettings& settings) {
  constexpr std::string_view kAction = "cannot set up the session";
  std::string sql =
      "set search_path = ''; set timezone = 'UTC'; set datestyle = 'ISO, YMD'; "
      "set intervalstyle = 'postgres'; set extra_float_digits = 3; "
      "set bytea_output = 'hex'; set statement_timeout = 0; set jit = off; "
      // Rows that a policy hides are an error, and not missing.
      "set row_security = off; "
      "set idle_in_transaction_session_timeout = 0; set lock_timeout = '" +
      std::to_string(settings.lock_timeout_secs) + "s'";
  if (server_version() >= 140000) sql += "; set idle_session_timeout = 0";
  // What is committed is told to others as done: whoever has turned this off for a whole server
  // does not mean that.
  sql +=
      "; select pg_catalog.set_config(name, 'on', false) from pg_catalog.pg_settings "
      "where name = 'synchronous_commit' and setting = 'off' and source <> 'client'";
  if (settings.toast_compression != "default") {
    // A server before 14 has no such setting, one built without lz4 not that value: no row then.
    const std::string method = schema::quote_literal(settings.toast_compression);
    sql += "; select pg_catalog.set_config(name, " + method +
           ", false) from pg_catalog.pg_settings where name = 'default_toast_compression' and " +
           method + " = any(enumvals)";
  }
  return execute(context, kAction, sql);
}

void Connection::cancel() {
  is_stopped_ = true;
  if (PQstatus(connection_.get()) != CONNECTION_OK) return;
  std::shared_ptr<PGcancel> handle(PQgetCancel(connection_.get()), PQfreeCancel);
  if (handle == nullptr) return;
  // PQcancel opens a connection of its own and may hang on a dead network: it gets a thread and a
  // little time. A late answer harms nobody: the session it would cancel is closed.
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> finished = done->get_future();
  std::thread([handle, done] {
    char reason[256];
    PQcancel(handle.get(), reason, sizeof reason);
    done->set_value();
  }).detach();
  finished.wait_for(kCancelPatience);
}

Result<short> Connection::wait(OpContext& context, short events) {
  for (;;) {
    if (context.stop.stop_requested()) {
      cancel();
      return cancelled_error();
    }
    milliseconds pause = kStopInterval;
    if (context.deadline != steady_clock::time_point::max()) {
      const auto left =
          std::chrono::duration_cast<milliseconds>(context.deadline - steady_clock::now());
      if (left.count() <= 0) {
        cancel();
        return deadline_error();
      }
      pause = std::min(pause, left);
    }
    pollfd socket{PQsocket(connection_.get()), events, 0};
    const int ready = ::poll(&socket, 1, static_cast<int>(pause.count()));
    if (ready > 0) return socket.revents;
    if (ready < 0 && errno != EINTR) {
      return make_error(ErrorKind::kInternal, "postgres.poll", "poll() failed", "Please report it");
    }
  }
}

Result<void> Connection::flush(OpContext& context) {
  for (;;) {
    const int state = PQflush(connection_.get());
    if (state == 0) return {};
    if (state < 0) return error_of_connection(connection_.get(), "cannot send", false);
    WHERRY_ASSIGN(const short ready, wait(context, POLLIN | POLLOUT));
    // A server that waits for us to read would never read.
    if ((ready & POLLIN) != 0 && PQconsumeInput(connection_.get()) == 0) {
      return error_of_connection(connection_.get(), "cannot send", false);
    }
  }
}

Result<std::shared_ptr<PGresult>> Connection::next_result(OpContext& context) {
  while (PQisBusy(connection_.get()) == 1) {
    WHERRY_TRY(wait(context, POLLIN));
    if (PQconsumeInput(connection_.get()) == 0) break;  // PQgetResult tells why
  }
  return owned(PQgetResult(connection_.get()));
}

Result<std::shared_ptr<PGresult>> Connection::finish(OpContext& context, std::string_view action) {
  std::shared_ptr<PGresult> last;
  for (;;) {
    WHERRY_ASSIGN(std::shared_ptr<PGresult> result, next_result(context));
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (last == nullptr || !is_failure(last.get())) last = result;
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) return result;
  }
  if (last == nullptr) return error_of_connection(connection_.get(), action, false);
  if (is_failure(last.get())) return error_of_result(last.get(), action);
  return last;
}

Result<Rows> Connection::query(OpContext& context, std::string_view action, const std::string& sql,
                               std::span<const std::string> parameters) {
  if (context.stop.stop_requested()) return cancelled_error();
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 0) {
    return error_of_connection(connection_.get(), action, false);
  }
  WHERRY_TRY(flush(context));
  WHERRY_ASSIGN(std::shared_ptr<PGresult> result, finish(context, action));
  return Rows(std::move(result));
}

Result<Rows> Connection::command(OpContext& context, std::string_view action,
                                 const std::string& sql) {
  if (context.stop.stop_requested()) return cancelled_error();
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
    return error_of_connection(connection_.get(), action, false);
  }
  WHERRY_TRY(flush(context));
  WHERRY_ASSIGN(std::shared_ptr<PGresult> result, finish(context, action));
  return Rows(std::move(result));
}

Result<void> Connection::execute(OpContext& context, std::string_view action,
                                 const std::string& sql) {
  WHERRY_TRY(command(context, action, sql));
  return {};
}

Result<void> Connection::start_copy(OpContext& context, const std::string& sql,
                                    int expected_status) {
  if (context.stop.stop_requested()) return cancelled_error();
  constexpr std::string_view kAction = "cannot start COPY";
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
    return error_of_connection(connection_.get(), kAction, false);
  }
  WHERRY_TRY(flush(context));
  WHERRY_ASSIGN(const std::shared_ptr<PGresult> result, finish(context, kAction));
  WHERRY_ASSERT(PQresultStatus(result.get()) == expected_status, "the statement is a COPY");
  in_copy_ = true;
  return {};
}

Result<void> Connection::begin_copy_in(OpContext& context, const std::string& sql) {
  return start_copy(context, sql, PGRES_COPY_IN);
}

Error Connection::refused_copy(OpContext& context) {
  PQputCopyEnd(connection_.get(), "stopped by wherry");
  if (auto flushed = flush(context); !flushed) {
    if (flushed.error().kind == ErrorKind::kCancelled) return std::move(flushed).error();
  }
  auto result = finish(context, kCopying);
  if (!result) {
    in_copy_ = false;
    return std::move(result).error();
  }
  return error_of_connection(connection_.get(), kCopying, false);
}

bool Connection::is_refusal() {
  // libpq tells notices only. An answer that holds none when it is complete is an error; when the
  // beginning of a notice has come, its rest is not far.
  const std::uint64_t before = notices_;
  do {
    if (PQconsumeInput(connection_.get()) == 0) return true;
    PQisBusy(connection_.get());  // lets libpq read the notices
    if (notices_ != before) return false;
  } while (has_input(connection_.get(), kNoticePatience));
  return true;
}

Result<void> Connection::send_copy(OpContext& context, std::string_view data) {
  bool is_refused = false;
  if (PQgssEncInUse(connection_.get()) == 1) {
    WHERRY_TRY(send_by_libpq(context, data, is_refused));
  } else {
    // Past libpq, which would copy all of it, and read an answer into a buffer of its own where
    // no poll() sees it.
    std::array<char, 5> header{'d'};
    wire::store_u32(header.data() + 1, static_cast<std::uint32_t>(4 + data.size()));
    WHERRY_TRY(send_past_libpq(context, {header.data(), header.size()}, is_refused));
    WHERRY_TRY(send_past_libpq(context, data, is_refused));
  }
  if (is_refused || (has_input(connection_.get(), milliseconds(0)) && is_refusal())) {
    return refused_copy(context);
  }
  if (context.stop.stop_requested()) {
    cancel();
    return cancelled_error();
  }
  return {};
}

Result<void> Connection::send_by_libpq(OpContext& context, std::string_view data,
                                       bool& is_refused) {
  PGconn* c = connection_.get();
  is_refused = PQputCopyData(c, data.data(), static_cast<int>(data.size())) != 1;
  while (!is_refused) {
    const int state = PQflush(c);
    if (state == 0) break;
    is_refused = state < 0 || (has_input(c, milliseconds(0)) && is_refusal());
    if (!is_refused) WHERRY_TRY(wait(context, POLLIN | POLLOUT));
  }
  return {};
}

Result<void> Connection::send_past_libpq(OpContext& context, std::string_view bytes,
                                         bool& is_refused) {
  SessionSocket socket(connection_.get(), kCopying);
  while (!bytes.empty()) {
    const auto sent = socket.send_some(bytes);
    if (!sent) return refused_copy(context);
    bytes.remove_prefix(*sent);
    if (bytes.empty()) break;
    // A message that was begun is sent whole even so: the server drops it, but counts its bytes.
    WHERRY_ASSIGN(const short ready, wait(context, is_refused ? POLLOUT : POLLIN | POLLOUT));
    if ((ready & POLLIN) != 0 && !is_refused) is_refused = is_refusal();
  }
  return {};
}

Result<std::uint64_t> Connection::end_copy_in(OpContext& context) {
  if (PQputCopyEnd(connection_.get(), nullptr) != 1) return refused_copy(context);
  WHERRY_TRY(flush(context));
  auto result = finish(context, kCopying);
  if (!result) {
    if (!is_stopped_) in_copy_ = false;
    return std::move(result).error();
  }
  in_copy_ = false;
  const std::string_view digits = PQcmdTuples(result->get());
  std::uint64_t rows = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), rows);
  return rows;
}

Result<void> Connection::begin_copy_out(OpContext& context, const std::string& sql) {
  if (PQgssEncInUse(connection_.get()) == 1) return start_copy(context, sql, PGRES_COPY_OUT);
  if (context.stop.stop_requested()) return cancelled_error();
  if (copy_out_ == nullptr) copy_out_ = std::make_unique<CopyOut>(connection_.get());
  auto begun = copy_out_->begin(context, sql);
  note_copy_out(begun.ok() ? nullptr : &begun.error());
  return begun;
}

void Connection::note_copy_out(const Error* error) {
  in_copy_ = !copy_out_->is_over();
  const bool is_waiting_in_vain = error != nullptr && (error->kind == ErrorKind::kCancelled ||
                                                       error->code == deadline_error().code);
  if (in_copy_ && is_waiting_in_vain) cancel();
}

Result<std::optional<std::string_view>> Connection::receive_copy(OpContext& context) {
  if (copy_out_ == nullptr) return receive_copy_by_libpq(context);
  auto received = copy_out_->next(context);
  note_copy_out(received.ok() ? nullptr : &received.error());
  return received;
}

Result<std::optional<std::string_view>> Connection::receive_copy_by_libpq(OpContext& context) {
  for (;;) {
    char* row = nullptr;
    const int size = PQgetCopyData(connection_.get(), &row, /*async=*/1);
    copy_row_.reset(row);
    if (size > 0) return std::optional(std::string_view(row, static_cast<std::size_t>(size)));
    if (size < 0) break;
    WHERRY_TRY(wait(context, POLLIN));
    if (PQconsumeInput(connection_.get()) == 0) break;
  }
  auto result = finish(context, kReadingRows);
  if (!is_stopped_) in_copy_ = false;
  if (!result) return std::move(result).error();
  return std::optional<std::string_view>{};
}

int Connection::server_version() const {
  return PQserverVersion(connection_.get());
}

std::string Connection::parameter(const char* name) const {
  const char* value = PQparameterStatus(connection_.get(), name);
  return value == nullptr ? "" : value;
}

bool Connection::is_quiet() const {
  pollfd socket{PQsocket(connection_.get()), POLLIN, 0};
  return ::poll(&socket, 1, 0) == 0;
}

bool Connection::is_reusable() const {
  return !is_stopped_ && !in_copy_ && PQstatus(connection_.get()) == CONNECTION_OK &&
         PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
}

}  // namespace wherry::postgres
