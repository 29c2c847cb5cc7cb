// Execute, re-execute and fetch.
#include <algorithm>
#include <utility>

#include "engine/charset.h"
#include "engine/error.h"
#include "server/calls.h"
#include "wire/sql_scan.h"

namespace orasim::server {

using wire::CallStatus;
using wire::ExecuteRequest;

namespace {

bool same_shape(const wire::ColumnShape& a, const wire::ColumnShape& b) {
  return a.type == b.type && a.name == b.name && a.precision == b.precision && a.scale == b.scale &&
         a.max_bytes == b.max_bytes;
}

std::vector<wire::ColumnShape> shapes_of(const std::vector<ColumnInfo>& columns,
                                         const wire::Dialect& dialect) {
  std::vector<wire::ColumnShape> shapes;
  for (const ColumnInfo& column : columns) {
    shapes.push_back(wire::describe_column(column, dialect));
  }
  return shapes;
}

std::vector<wire::ColumnShape> shapes_of(const Statement& statement, const wire::Dialect& dialect) {
  return shapes_of(statement.columns(), dialect);
}

constexpr const char* kNoData = "ORA-01403: no data found";

}  // namespace

CallStatus Calls::status_of(const Cursor& cursor) const {
  CallStatus status;
  status.cursor_id = cursor.id;
  status.sql_type = cursor.sql_type;
  return status;
}

Cursor& Calls::parse(const ExecuteRequest& request) {
  std::unique_ptr<Statement> statement = session_.prepare(as_stored(*request.sql));
  Cursor& cursor = request.cursor_id != 0 ? cursors_.get(request.cursor_id) : cursors_.open();
  const std::uint32_t id = cursor.id;
  cursor = Cursor{};
  cursor.id = id;
  const wire::SqlShape scanned = wire::scan_sql(*request.sql);
  cursor.sql_type = sql_command(*request.sql);
  cursor.shape.is_query = statement->kind() == StatementKind::kQuery;
  cursor.shape.is_plsql = scanned.is_plsql;
  cursor.shape.returning = scanned.returning;
  if (cursor.shape.is_query) cursor.columns = shapes_of(*statement, login_.dialect);
  cursor.statement = std::move(statement);
  return cursor;
}

/// What a query's columns are may depend on the types of its binds.
void Calls::use_bind_types(Cursor& cursor, const ExecuteRequest& request) {
  Run first;
  first.binds.push_back(request.rows.front());
  const std::vector<Row> rows = engine_rows(cursor, first);
  if (rows.empty()) return;
  cursor.statement->use_bind_types(rows.front());
  cursor.columns = shapes_of(*cursor.statement, login_.dialect);
}

void Calls::describe(Cursor& cursor) {
  wire::encode_describe(channel_.out(), login_.dialect, cursor.columns);
}

// DDL has come between: parse again; a query whose columns changed must be parsed by the client.
void Calls::refresh_if_stale(Cursor& cursor) {
  // A cursor that was opened by the server has no statement to run again.
  if (!cursor.statement) throw OraError(1001, "invalid cursor");
  if (!cursor.statement->is_stale()) return;
  cursor.scrolled = nullptr;
  cursor.rows.reset();
  std::unique_ptr<Statement> again = session_.prepare(std::string(cursor.statement->sql()));
  if (cursor.shape.is_query) {
    const auto columns = shapes_of(*again, login_.dialect);
    if (!std::equal(columns.begin(), columns.end(), cursor.columns.begin(), cursor.columns.end(),
                    same_shape)) {
      throw OraError(1007, "variable not in select list");
    }
  }
  cursor.statement = std::move(again);
}

void Calls::execute(ExecuteRequest request, std::uint32_t& failed_cursor) {
  const bool parsed_now = request.sql.has_value();
  Cursor& cursor = parsed_now ? parse(request) : cursors_.get(request.cursor_id);
  failed_cursor = cursor.id;
  if (!request.binds.empty()) {
    cursor.shape.binds = request.binds;
    cursor.shape.returning.resize(request.binds.size(), false);
    cursor.shape.out_only.clear();
  }
  cursor.compress = !request.has(wire::kOptNoCompression);
  const bool query = cursor.shape.is_query;
  if (query && parsed_now) {
    if (!request.rows.empty()) use_bind_types(cursor, request);
    describe(cursor);
  }
  // A position beyond the first row goes on with what was executed, whatever the options say.
  const bool scrolls = request.is_scrollable() && cursor.rows && cursor.scrolled != nullptr &&
                       !(request.has(wire::kOptExecute) && request.fetch_position <= 1);
  if (scrolls) {
    const bool is_last = request.fetch_orientation == wire::kFetchLast;
    cursor.rows_fetched =
        cursor.scrolled->seek(is_last ? 0 : std::max<std::uint32_t>(request.fetch_position, 1));
  }
  const bool runs = request.has(wire::kOptExecute) && !request.has(wire::kOptDescribe) && !scrolls;
  if (request.has(wire::kOptDefine)) {
    cursor.defines = request.defines;
    if (cursor.rows) cursor.make_encoder(login_.dialect);
  }
  CallStatus status = status_of(cursor);
  if (runs) {
    Run run;
    run.executions = query ? 1 : std::max<std::uint32_t>(request.iterations, 1);
    run.binds = std::move(request.rows);
    run.options.batch_errors = request.has(wire::kOptBatchErrors);
    run.options.commit_on_success = request.has(wire::kOptCommit);
    if (request.scn != 0) run.options.as_of_scn = request.scn;
    // Before 12.1 the reply has no room for them, whatever the request says.
    run.wants_row_counts = request.wants_row_counts() && login_.dialect.status_is_long();
    run.returning_vector =
        parsed_now && !request.has(wire::kOptNotPlsql) && cursor.returns_values();
    status = query ? run_query(cursor, run) : run_statement(cursor, run);
    if (query && request.is_scrollable()) {
      auto rows = std::make_unique<ScrolledRows>(std::move(cursor.rows));
      cursor.scrolled = rows.get();
      cursor.rows = std::move(rows);
    }
  }
  if (query && cursor.rows) {
    // A describe of LOB columns comes without rows: the client defines them first. The number of
    // rows to prefetch brings rows also without the fetch option (go-ora), but not of LOB columns,
    // which python-oracledb may be about to define anew.
    const bool undefined_lobs = cursor.has_lobs() && cursor.defines.empty();
    const std::uint32_t wanted =
        request.iterations > 0 ? request.iterations : request.prefetch_rows;
    const bool prefetches = runs && wanted > 0 && !cursor.has_lobs();
    const bool fetches = request.has(wire::kOptFetch) || prefetches;
    if (fetches && wanted > 0 && !undefined_lobs) write_rows(cursor, wanted, status);
  }
  if (query && runs) {
    wire::encode_return_parameters(channel_.out(), shared_.database.current_scn(), cursor.id,
                                   nullptr);
  }
  finish_status(std::move(status));
}

void Calls::reexecute(wire::ReexecuteRequest request, std::uint32_t& failed_cursor) {
  Cursor& cursor = cursors_.get(request.cursor_id);
  failed_cursor = cursor.id;
  Run run;
  run.executions = cursor.shape.is_query ? 1 : std::max<std::uint32_t>(request.iterations, 1);
  run.binds = std::move(request.rows);
  run.options.commit_on_success = request.commit;
  run.first = false;
  if (!cursor.shape.is_query) return finish_status(run_statement(cursor, run));
  CallStatus status = run_query(cursor, run);
  if (request.iterations > 0 && !(cursor.has_lobs() && cursor.defines.empty())) {
    write_rows(cursor, request.iterations, status);
  }
  finish_status(std::move(status));
}

void Calls::fetch(const wire::FetchRequest& request) {
  Cursor& cursor = cursors_.get(request.cursor_id);
  if (!cursor.rows) throw OraError(1002, "fetch out of sequence");
  CallStatus status = status_of(cursor);
  write_rows(cursor, request.rows, status);
  finish_status(std::move(status));
}

CallStatus Calls::run_query(Cursor& cursor, const Run& run) {
  refresh_if_stale(cursor);
  cursors_.close_children(cursor);
  cursor.scrolled = nullptr;
  cursor.rows.reset();
  cursor.rows_fetched = 0;
  ExecuteResult result = cursor.statement->execute(engine_rows(cursor, run), run.options);
  cursor.rows = std::move(result.rows);
  cursor.make_encoder(login_.dialect);
  return status_of(cursor);
}

void Calls::write_rows(Cursor& cursor, std::uint32_t wanted, CallStatus& status) {
  wire::Writer& out = channel_.out();
  wire::encode_row_header(out, wanted);
  cursor.encoder->begin_response();
  registrar_.parent = &cursor;
  for (std::uint32_t i = 0; i < wanted; ++i) {
    const std::size_t complete = out.size();
    try {
      if (!cursor.rows->next(row_)) {
        if (cursor.scrolled == nullptr) cursor.rows.reset();
        status.ora_code = 1403;
        status.text = kNoData;
        break;
      }
      cursor.encoder->encode(out, row_, registrar_);
    } catch (const OraError&) {
      out.truncate(complete);  // no half row before the error's status
      cursor.scrolled = nullptr;
      cursor.rows.reset();  // a fetch after it is out of sequence
      throw;
    }
    ++cursor.rows_fetched;
    channel_.flush_if_large();
  }
  status.row_count = cursor.rows_fetched;
}

CallStatus Calls::run_statement(Cursor& cursor, const Run& run) {
  refresh_if_stale(cursor);
  const std::size_t before = channel_.out().size();
  try {
    return cursor.shape.is_plsql ? run_plsql(cursor, run) : run_dml(cursor, run);
  } catch (const OraError&) {
    channel_.out().truncate(before);  // no half answer before the error's status
    throw;
  }
}

CallStatus Calls::run_dml(Cursor& cursor, const Run& run) {
  CallStatus status = status_of(cursor);
  const std::vector<Row> rows = engine_rows(cursor, run);
  std::vector<std::uint64_t> counts;
  std::vector<std::vector<std::vector<Value>>> returned;
  const auto take = [&](ExecuteResult result) {
    status.row_count += result.row_count;
    counts.insert(counts.end(), result.row_counts.begin(), result.row_counts.end());
    std::move(result.returning.begin(), result.returning.end(), std::back_inserter(returned));
    if (result.last_row_id != RowId{}) status.last_row_id = result.last_row_id;
    status.compilation_warning = result.success_with_compilation_error;
    status.batch_errors = std::move(result.batch_errors);
  };
  if (rows.size() <= 1 || run.options.batch_errors) {
    take(cursor.statement->execute(rows, run.options));
  } else {
    // Without batch errors the rows before a bad one stay done, so each row is a statement of its
    // own and the commit comes after the last.
    ExecuteOptions options = run.options;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      options.commit_on_success = run.options.commit_on_success && i + 1 == rows.size();
      try {
        take(cursor.statement->execute({rows[i]}, options));
      } catch (const OraError& error) {
        status.ora_code = error.code();
        status.text = error.what();
        status.error_position = error.position();
        break;
      }
    }
  }
  if (!status.batch_errors.empty()) {
    status.ora_code = 24381;
    status.text = "ORA-24381: error(s) in array DML";
  }
  status.iterations = static_cast<std::uint32_t>(counts.size());
  if (run.returning_vector) write_returning_vector(cursor);
  for (const auto& row : returned) write_returning(cursor, row);
  wire::encode_return_parameters(channel_.out(), shared_.database.current_scn(), cursor.id,
                                 run.wants_row_counts ? &counts : nullptr);
  return status;
}

// Clients that bind RETURNING like a block read the directions first.
void Calls::write_returning_vector(const Cursor& cursor) {
  std::vector<wire::BindDirection> directions;
  for (const bool returning : cursor.shape.returning) {
    directions.push_back(returning ? wire::BindDirection::kOut : wire::BindDirection::kIn);
  }
  wire::encode_io_vector(channel_.out(), directions);
}

void Calls::write_returning(Cursor& cursor, const std::vector<std::vector<Value>>& values) {
  wire::Writer& out = channel_.out();
  if (values.empty()) return;
  out.u8(static_cast<std::uint8_t>(wire::Message::kRowData));
  std::size_t next = 0;
  for (std::size_t i = 0; i < cursor.shape.binds.size(); ++i) {
    if (!cursor.shape.returning[i] || next == values.size()) continue;
    const std::vector<Value>& column = values[next++];
    out.ub(column.size());
    for (const Value& value : column) write_out_value(cursor.shape.binds[i], value);
  }
}

CallStatus Calls::run_plsql(Cursor& cursor, const Run& run) {
  CallStatus status = status_of(cursor);
  const std::vector<Row> rows = engine_rows(cursor, run);
  const std::size_t executions = std::max<std::size_t>(rows.size(), 1);
  ExecuteOptions options = run.options;
  const std::size_t before = channel_.out().size();
  for (std::size_t i = 0; i < executions; ++i) {
    options.commit_on_success = run.options.commit_on_success && i + 1 == executions;
    try {
      const ExecuteResult result = cursor.statement->execute(
          rows.empty() ? std::vector<Row>{} : std::vector<Row>{rows[i]}, options);
      write_out_binds(cursor, result, run.first && i == 0);
      write_implicit_results(result.implicit_results);
    } catch (const OraError& error) {
      if (executions == 1) throw;
      // The row count tells clients which execution it was.
      channel_.out().truncate(before);
      status.ora_code = error.code();
      status.text = error.what();
      return status;
    }
    ++status.row_count;
  }
  wire::encode_return_parameters(channel_.out(), shared_.database.current_scn(), cursor.id,
                                 nullptr);
  return status;
}

void Calls::write_out_binds(Cursor& cursor, const ExecuteResult& result, bool with_vector) {
  const std::vector<wire::TypeSpec>& binds = cursor.shape.binds;
  if (binds.empty()) return;
  std::vector<wire::BindDirection> directions(binds.size(), wire::BindDirection::kIn);
  bool any_out = false;
  for (std::size_t i = 0; i < binds.size() && i < result.is_out.size(); ++i) {
    if (!result.is_out[i]) continue;
    // The client goes on sending the value of an IN OUT bind, but not that of an OUT bind.
    const bool reads = cursor.statement->binds()[i].is_read;
    directions[i] = reads ? wire::BindDirection::kInOut : wire::BindDirection::kOut;
    cursor.shape.out_only.resize(binds.size(), false);
    cursor.shape.out_only[i] = !reads;
    any_out = true;
  }
  wire::Writer& out = channel_.out();
  if (with_vector) wire::encode_io_vector(out, directions);
  if (!any_out) return;
  out.u8(static_cast<std::uint8_t>(wire::Message::kRowData));
  for (std::size_t i = 0; i < binds.size(); ++i) {
    if (directions[i] != wire::BindDirection::kIn) write_out_value(binds[i], result.out_binds[i]);
  }
}

/// A cursor of the engine as one of the session, for the client to fetch from.
Cursor& Calls::open_for_client(OpenCursor& from) {
  Cursor& cursor = cursors_.open();
  cursor.shape.is_query = true;
  cursor.sql_type = sql_command("SELECT");
  cursor.columns = shapes_of(from.columns, login_.dialect);
  cursor.rows = std::move(from.rows);
  cursor.make_encoder(login_.dialect);
  return cursor;
}

wire::ByteView Calls::Registrar::locator_for(const Value& lob) {
  if (lob.type != Type::kBfile) return calls_.lobs_.locator_for(lob);
  file_locator_ = BfileTable::locator_for(lob);
  return wire::as_bytes(file_locator_);
}

void Calls::Registrar::put_cursor(wire::Writer& out, const Value& value) {
  const auto* from = std::get_if<CursorRef>(&value.data);
  if (from == nullptr || !(*from)->rows)
    return wire::encode_cursor(out, calls_.login_.dialect, {}, 0);
  const Cursor& cursor = calls_.open_for_client(**from);
  if (parent != nullptr) parent->children.push_back(cursor.id);
  wire::encode_cursor(out, calls_.login_.dialect, cursor.columns, cursor.id);
}

void Calls::write_implicit_results(const std::vector<CursorRef>& results) {
  if (results.empty()) return;
  wire::Writer& out = channel_.out();
  out.u8(static_cast<std::uint8_t>(wire::Message::kImplicitResults));
  out.ub(results.size());
  for (const CursorRef& result : results) {
    const Cursor& cursor = open_for_client(*result);
    out.u8(0);
    wire::encode_describe_body(out, login_.dialect, cursor.columns);
    out.ub(cursor.id);
  }
}

}  // namespace orasim::server
