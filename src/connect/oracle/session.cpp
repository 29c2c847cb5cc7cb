#include "connect/oracle/session.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "connect/oracle/errors.h"
#include "connect/oracle/execute_response.h"
#include "connect/oracle/lob.h"
#include "connect/oracle/value_text.h"
#include "connect/oracle/wire/utf16.h"

namespace wherry::oracle {

using wire::Function;

namespace {

/// Enough for the rows of most dictionary queries in one round trip.
constexpr std::uint32_t kSmallQueryRows = 1000;

std::string random_connection_id() {
  std::uint8_t bytes[16];
  const int done = RAND_bytes(bytes, sizeof bytes);
  WHERRY_ASSERT(done == 1, "no random bytes");
  unsigned char text[32];
  const int size = EVP_EncodeBlock(text, bytes, sizeof bytes);
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

/// The content of a string or RAW bind, text as UTF-8.
std::string text_of_bind(const Bind& bind) {
  if (bind.form() != CharsetForm::kNational) return *bind.wire();
  std::string text(wire::max_utf8_bytes(bind.wire()->size()), '\0');
  std::size_t size = 0;
  wire::utf16_to_utf8(wire::bytes_of(*bind.wire()), text.data(), size);
  text.resize(size);
  return text;
}

Result<void> enter(OpContext& context, Session& session, const std::string& pluggable_database) {
  const bool is_name =
      std::all_of(pluggable_database.begin(), pluggable_database.end(), [](unsigned char letter) {
        return std::isalnum(letter) != 0 || letter == '_' || letter == '$' || letter == '#';
      });
  if (!is_name) {
    return make_error(ErrorKind::kConfig, "oracle.bad_pdb",
                      "'" + pluggable_database + "' is no name of a pluggable database",
                      "Names are letters, digits, '_', '$' and '#'");
  }
  auto entered = session.execute(context, "alter session set container = " + pluggable_database);
  if (entered.ok()) return {};
  Error error = std::move(entered).error().with("container", pluggable_database);
  if (error.native_code == ora_code(65011)) {
    error.kind = ErrorKind::kConfig;
    error.code = "oracle.no_pdb";
    error.hint = "Look in V$PDBS for the names of pluggable databases";
  } else if (error.native_code == ora_code(1031)) {
    error.kind = ErrorKind::kPermission;
    error.hint =
        "Log in at the root's service as a common user (C##…) that was granted set container";
  }
  return error;
}

Result<std::unique_ptr<Session>> connect_once(OpContext& context, const ConnectOptions& options) {
  const wire::ClientIdentity identity = local_identity(options);
  const ClientId id{identity.program, identity.machine, identity.os_user, random_connection_id()};
  WHERRY_ASSIGN(Connection connection, open_connection(context, options, id));
  const std::string address =
      connection.address.host + ":" + std::to_string(connection.address.port);
  auto login = log_in(context, std::move(connection), options, identity, wire::make_login_random());
  if (!login.ok()) {
    return std::move(login).error().with("address", address).with("user", options.user);
  }
  auto session =
      std::make_unique<SessionImpl>(std::move(login).value(), options.statement_cache_size);
  if (!options.pluggable_database.empty()) {
    WHERRY_TRY(enter(context, *session, options.pluggable_database));
  }
  session->learn_database_zone(context);
  return std::unique_ptr<Session>(std::move(session));
}

/// The new password is tried first: once it is set, no log-in fails on the way, and failed ones may
/// lock an account.
Result<std::unique_ptr<Session>> connect_renewing(OpContext& context,
                                                  const ConnectOptions& options) {
  ConnectOptions one_password = options;
  one_password.password = options.new_password;
  one_password.new_password = Secret();
  auto session = connect_once(context, one_password);
  if (session.ok() || session.error().code != "oracle.wrong_password") return session;
  one_password.password = options.password;
  session = connect_once(context, one_password);
  if (session.ok() || session.error().code != "oracle.password_expired") return session;
  return connect_once(context, options);
}

template <class List>
void move_to_end(List& from, List& to) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

/// What the next rows of an array gave.
void append(ExecResult& total, ExecResult next) {
  total.row_count += next.row_count;
  total.transaction_open = next.transaction_open;
  total.out = std::move(next.out);
  total.arrays = std::move(next.arrays);
  total.cursors = std::move(next.cursors);
  move_to_end(next.out_rows, total.out_rows);
  move_to_end(next.implicit_results, total.implicit_results);
  for (std::size_t i = 0; i < total.lobs.size(); ++i) move_to_end(next.lobs[i], total.lobs[i]);
}

}  // namespace

Result<std::unique_ptr<Session>> Session::connect(OpContext& context,
                                                  const ConnectOptions& options) {
  if (options.user.empty()) {
    return make_error(ErrorKind::kConfig, "oracle.no_user", "No Oracle user name was given",
                      "Write oracle://user@host:port/service");
  }
  if (options.password.empty()) return server_error(1005, "");
  if (options.new_password_on_expiry && !options.new_password.empty()) {
    return connect_renewing(context, options);
  }
  return connect_once(context, options);
}

SessionImpl::SessionImpl(LoggedIn login, std::uint32_t statement_cache_size)
    : caller_(std::move(login.caller)), server_(std::move(login.server)) {
  // Half of what the server lets be open is left to cursors that are not in the cache.
  if (server_.max_open_cursors != 0) {
    statement_cache_size = std::min(statement_cache_size, server_.max_open_cursors / 2);
  }
  parts_.caller = caller_;
  parts_.cache = std::make_shared<StatementCache>(caller_, statement_cache_size);
  parts_.database_zone = login.database_zone;
}

void SessionImpl::learn_database_zone(OpContext& context) {
  if (parts_.database_zone) return;
  // Only columns of one type need it; those say so when it is missing.
  auto answer = rows(context, "SELECT DBTIMEZONE FROM DUAL", {});
  if (!answer.ok() || answer.value().empty()) return;
  const TextRow& row = answer.value().front();
  if (row.size() == 1 && row[0]) parts_.database_zone = zone_of_text(*row[0]);
}

Result<std::unique_ptr<Query>> SessionImpl::query(OpContext& context, std::string_view sql,
                                                  std::span<const Bind> binds,
                                                  const FetchOptions& options) {
  auto query = std::make_unique<QueryImpl>(parts_, options);
  WHERRY_TRY(query->execute(context, sql, binds));
  return std::unique_ptr<Query>(std::move(query));
}

Result<std::vector<TextRow>> SessionImpl::rows(OpContext& context, std::string_view sql,
                                               std::span<const Bind> binds) {
  FetchOptions options;
  options.prefetch_rows = kSmallQueryRows;
  options.array_rows = kSmallQueryRows;
  options.lob_inline_max_bytes = UINT32_MAX;
  WHERRY_ASSIGN(const std::unique_ptr<Query> running, query(context, sql, binds, options));
  std::vector<CellKind> kinds;
  for (const ColumnDescription& column : running->columns()) {
    kinds.push_back(natural_kind(column).value_or(CellKind::kText));
  }
  std::vector<TextRow> result;
  RowBatch batch;
  FetchState state = FetchState::kMore;
  while (state == FetchState::kMore) {
    WHERRY_ASSIGN(state, running->fetch(context, kinds, batch));
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      TextRow& row = result.emplace_back();
      for (std::size_t c = 0; c < batch.column_count(); ++c) {
        row.push_back(value_text(batch.at(r, c)));
      }
    }
  }
  return result;
}

Result<ExecResult> SessionImpl::execute(OpContext& context, std::string_view sql,
                                        std::span<const Bind> binds,
                                        const ExecuteOptions& options) {
  return run(context, sql, std::span(&binds, 1), options);
}

Result<ExecResult> SessionImpl::execute_array(OpContext& context, std::string_view sql,
                                              std::span<const BindRow> rows,
                                              const ExecuteOptions& options) {
  if (rows.empty()) return ExecResult();
  std::vector<std::span<const Bind>> spans(rows.begin(), rows.end());
  for (const std::span<const Bind> row : spans) {
    WHERRY_ASSERT(row.size() == spans[0].size(), "every row of an array has the same binds");
  }
  if (kind_of_statement(sql) == StatementKind::kPlsql) {
    return run_block_rows(context, sql, spans, options);
  }
  return run(context, sql, spans, options);
}

/// The server tells the directions of a block's binds with the first execution alone, and takes one
/// execution's IN OUT values for the next one's. Index-by tables it takes in one execution a call.
bool SessionImpl::must_run_alone(std::string_view sql, std::span<const Bind> row) const {
  const CachedStatement* known = parts_.cache->find(sql);
  if (known == nullptr || known->directions.size() != row.size()) return !row.empty();
  const auto& directions = known->directions;
  return std::any_of(row.begin(), row.end(), [](const Bind& bind) { return bind.is_array(); }) ||
         std::find(directions.begin(), directions.end(), wire::BindDirection::kInOut) !=
             directions.end();
}

Result<ExecResult> SessionImpl::run_block_rows(OpContext& context, std::string_view sql,
                                               std::span<const std::span<const Bind>> rows,
                                               const ExecuteOptions& options) {
  std::optional<ExecResult> total;
  for (std::size_t done = 0; done < rows.size();) {
    const bool is_alone = must_run_alone(sql, rows[done]);
    const std::size_t count = is_alone ? 1 : rows.size() - done;
    ExecuteOptions part_options = options;
    part_options.commit = options.commit && done + count == rows.size();
    auto part = run(context, sql, rows.subspan(done, count), part_options);
    if (!part.ok()) {
      const bool is_of_server = !caller_->is_broken() && !part.error().native_code.empty();
      const std::uint64_t before = is_of_server ? caller_->result().row_count : 0;
      return std::move(part).error().with("row", std::to_string(done + before + 1));
    }
    if (total) {
      append(*total, std::move(*part));
    } else {
      total = std::move(*part);
    }
    done += count;
  }
  return *std::move(total);
}

Result<std::span<const Bind>> LongBlockValues::shorten(OpContext& context,
                                                       const std::shared_ptr<Caller>& caller,
                                                       std::span<const Bind> row) {
  constexpr std::size_t kLongest = 32767;
  const auto is_long = [](const Bind& bind) {
    return bind.wire() && bind.wire()->size() > kLongest;
  };
  const auto is_string = [](const Bind& bind) {
    return bind.type() == OracleType::kVarchar || bind.type() == OracleType::kRaw;
  };
  if (std::none_of(row.begin(), row.end(),
                   [&](const Bind& bind) { return is_string(bind) && is_long(bind); })) {
    return row;
  }
  std::vector<Bind>& shortened =
      *rows_.emplace_back(std::make_unique<std::vector<Bind>>(row.begin(), row.end()));
  for (Bind& bind : shortened) {
    if (!is_string(bind) || !is_long(bind)) continue;
    const bool is_text = bind.type() == OracleType::kVarchar;
    WHERRY_ASSIGN(auto lob, LobImpl::create_temporary(
                                context, caller, is_text ? OracleType::kClob : OracleType::kBlob,
                                is_text ? bind.form() : CharsetForm::kNone));
    WHERRY_TRY(lob->write(context, 0, text_of_bind(bind)));
    bind = Bind::lob(*lob);
    lobs_.push_back(std::move(lob));
  }
  return std::span<const Bind>(shortened);
}

Result<ExecResult> SessionImpl::run(OpContext& context, std::string_view sql,
                                    std::span<const std::span<const Bind>> rows,
                                    const ExecuteOptions& options) {
  const StatementKind kind = kind_of_statement(sql);
  WHERRY_ASSERT(kind != StatementKind::kQuery, "queries go through query()");
  const bool is_plsql = kind == StatementKind::kPlsql;
  const bool is_cacheable = is_plsql || kind == StatementKind::kDml;
  LongBlockValues long_values;
  std::vector<std::span<const Bind>> short_rows(rows.begin(), rows.end());
  if (is_plsql) {
    for (std::span<const Bind>& row : short_rows) {
      WHERRY_ASSIGN(row, long_values.shorten(context, caller_, row));
    }
  }
  const BindSet set = BindSet::of(short_rows, is_plsql, caller_->dialect());
  const bool has_binds = !rows[0].empty();
  wire::ExecuteRequest request;
  request.options = wire::kExecuteOption;
  if (!is_plsql) request.options |= wire::kNotPlsql;
  if (has_binds) request.options |= wire::kBind | (is_plsql ? wire::kPlsqlBind : 0);
  if (options.commit) request.options |= wire::kCommitOnSuccess;
  if (options.batch_errors) request.options |= wire::kBatchErrors;
  request.prefetch_rows = 1;
  request.iterations = static_cast<std::uint32_t>(rows.size());
  request.want_row_counts = options.array_row_counts;
  request.binds = set.formats;
  if (has_binds) request.rows = set.rows;
  request.is_long_bind = set.is_long;
  std::optional<CachedStatement> cached;
  if (is_cacheable) cached = parts_.cache->take(sql);
  CachedStatement statement = cached.value_or(CachedStatement());
  statement.sql = sql;
  auto done = run_once(context, request, kind, short_rows[0], statement);
  if (!done.ok() && cached && wants_new_parse(done.error())) {
    statement = CachedStatement();
    statement.sql = sql;
    done = run_once(context, request, kind, short_rows[0], statement);
  }
  if (done.ok() && is_cacheable) {
    parts_.cache->put(std::move(statement));
  } else if (done.ok()) {
    caller_->close_cursor_later(statement.cursor_id);
  }
  return done;
}

/// Executes `statement`, parsing it when it has no cursor yet. After an error the cursor is kept
/// or closed, as the error allows.
Result<ExecResult> SessionImpl::run_once(OpContext& context, const wire::ExecuteRequest& request,
                                         StatementKind kind, std::span<const Bind> binds,
                                         CachedStatement& statement) {
  wire::ExecuteRequest call = request;
  call.cursor_id = statement.cursor_id;
  if (statement.cursor_id == 0) {
    call.options |= wire::kParse;
    call.sql = statement.sql;
  }
  WHERRY_ASSIGN(wire::RequestBuilder * builder, caller_->begin(context));
  builder->execute(call);
  WHERRY_TRY(caller_->send(context));
  auto done = ExecuteResponse(parts_, kind, binds, call.want_row_counts, statement).read(context);
  if (done.ok() || caller_->is_broken()) return done;
  const wire::CallResult& result = caller_->result();
  const bool is_cacheable = kind == StatementKind::kPlsql || kind == StatementKind::kDml;
  if (statement.cursor_id == 0) statement.cursor_id = result.cursor_id;
  if (is_cacheable && keeps_cursor(result.code)) {
    parts_.cache->put(statement);
  } else {
    caller_->close_cursor_later(statement.cursor_id);
  }
  return done;
}

Result<std::unique_ptr<Lob>> SessionImpl::create_temporary_lob(OpContext& context, OracleType type,
                                                               CharsetForm form) {
  WHERRY_ASSERT(wire::is_lob(type), "a temporary LOB is a CLOB or a BLOB");
  WHERRY_ASSIGN(auto lob, LobImpl::create_temporary(context, caller_, type, form));
  return std::unique_ptr<Lob>(std::move(lob));
}

std::unique_ptr<Lob> SessionImpl::open_lob(const ColumnDescription& column,
                                           std::string_view locator) {
  return std::make_unique<LobImpl>(caller_, column.type, column.form, std::string(locator));
}

Result<void> SessionImpl::simple_call(OpContext& context, Function function) {
  WHERRY_ASSIGN(wire::RequestBuilder * builder, caller_->begin(context));
  builder->simple(function);
  WHERRY_TRY(caller_->send(context));
  while (true) {
    WHERRY_ASSIGN(const auto message, caller_->next(context));
    if (!message) return {};
    if (*message != wire::Message::kParameters) {
      caller_->set_broken();
      return protocol_error("a simple call got an unexpected answer");
    }
    WHERRY_TRY(caller_->take(context, [this](wire::Reader& in) {
      return decode_return_parameters(in, caller_->dialect(), false);
    }));
  }
}

Result<void> SessionImpl::commit(OpContext& context) {
  return simple_call(context, Function::kCommit);
}

Result<void> SessionImpl::rollback(OpContext& context) {
  return simple_call(context, Function::kRollback);
}

Result<void> SessionImpl::ping(OpContext& context) {
  return simple_call(context, Function::kPing);
}

Result<void> SessionImpl::close(OpContext& context) {
  if (caller_->is_broken()) return {};
  auto logged_off = simple_call(context, Function::kLogoff);
  if (logged_off.ok()) caller_->channel().send_eof();
  caller_->set_broken();
  return logged_off;
}

}  // namespace wherry::oracle
