#include "connect/postgres/ledger.h"

#include <fmt/format.h>

#include <array>

#include "connect/postgres/control_tables.h"
#include "connect/postgres/describe.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr const char* kLedgerName = "wherry_load_progress";
constexpr const char* kReadingLedger = "cannot read what is loaded already";

constexpr const char* kLedgerColumns = R"(
  load_id text not null,
  source_schema text not null,
  source_table text not null,
  attempt bigint not null,
  chunk bigint not null,
  row_count bigint not null,
  byte_count bigint not null,
  refused_row_count bigint not null default 0,
  truncated_value_count bigint not null default 0,
  finished_at timestamp with time zone not null default pg_catalog.clock_timestamp(),
  primary key (load_id, source_schema, source_table, attempt, chunk))";

// Held to the end of a worker's transaction. Two integers: it collides with no lock of one.
constexpr const char* kWorkerLock =
    "select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext({}), {})";

/// A session of an earlier run may still be there: the network has not told the server yet that its
/// client is gone.
Error still_running(Error error) {
  error.kind = ErrorKind::kTransient;
  error.code = "load.still_running";
  error.message = "an earlier session of this load is still open on the target";
  error.hint =
      "Wait until the server has noticed that it is gone, or end it: select "
      "pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'";
  return error;
}

Result<void> wait_for_workers(OpContext& context, Connection& connection,
                              const std::string& load_id, std::optional<std::uint32_t> worker) {
  const std::string load = schema::quote_literal(load_id);
  std::string sql = worker ? fmt::format(kWorkerLock, load, *worker)
                           : fmt::format(kWorkerLock, load, "w") +
                                 fmt::format(" from pg_catalog.generate_series(0, {}) w",
                                             connect::kMaxWorkers - 1);
  auto locked = connection.execute(context, kReadingLedger, sql);
  if (!locked && locked.error().code == "postgres.lock_timeout") {
    return still_running(std::move(locked).error());
  }
  return locked;
}

std::string numbers(std::span<const connect::DoneChunk> chunks,
                    std::uint64_t (*of)(const connect::DoneChunk&)) {
  std::string out = "{";
  for (const connect::DoneChunk& chunk : chunks) {
    out += (out.size() == 1 ? "" : ",") + std::to_string(of(chunk));
  }
  return out + "}";
}

}  // namespace

Result<std::string> Ledger::table() const {
  return schema::quote_table({schema_, kLedgerName});
}

Result<void> Ledger::make(OpContext& context, Connection& connection) const {
  constexpr const char* kAction = "cannot make the table of the load's progress";
  WHERRY_TRY(lock_control_schema(context, connection, kAction));
  WHERRY_ASSIGN(const bool is_new, make_control_table(context, connection, kAction,
                                                      {schema_, kLedgerName}, kLedgerColumns));
  return is_new ? Result<void>() : add_newer_columns(context, connection);
}

/// A table that an earlier version of Wherry has made.
Result<void> Ledger::add_newer_columns(OpContext& context, Connection& connection) const {
  constexpr const char* kAction = "cannot extend the table of the load's progress";
  WHERRY_ASSIGN(const std::string sql_name, table());
  const std::array parameters = {sql_name};
  WHERRY_ASSIGN(
      const Rows found,
      connection.query(context, kAction,
                       "select count(*) from pg_catalog.pg_attribute "
                       "where attrelid = $1::regclass and attname = 'truncated_value_count'",
                       parameters));
  if (found.integer(0, 0) != 0) return {};
  return connection.execute(context, kAction,
                            "alter table " + sql_name +
                                " add column refused_row_count bigint not null default 0, "
                                "add column truncated_value_count bigint not null default 0");
}

Result<std::vector<connect::DoneChunk>> Ledger::read(OpContext& context, Connection& connection,
                                                     const std::string& load_id,
                                                     std::optional<std::uint32_t> worker) const {
  WHERRY_TRY(connection.execute(context, kReadingLedger, "begin"));
  WHERRY_TRY(wait_for_workers(context, connection, load_id, worker));
  // A load begins by asking for all workers.
  if (!worker) WHERRY_TRY(enter(context, connection, load_id));
  WHERRY_ASSIGN(const std::string sql_name, table());
  const std::array parameters = {load_id};
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, kReadingLedger,
                                 "select source_schema, source_table, attempt, chunk, row_count, "
                                 "byte_count, refused_row_count, truncated_value_count from " +
                                     sql_name + " where load_id = $1 and attempt > 0",
                                 parameters));
  WHERRY_TRY(connection.execute(context, kReadingLedger, "commit"));
  std::vector<connect::DoneChunk> out;
  out.reserve(static_cast<std::size_t>(rows.count()));
  for (int r = 0; r < rows.count(); ++r) {
    out.push_back({{std::string(rows.text(r, 0)), std::string(rows.text(r, 1))},
                   static_cast<std::uint64_t>(rows.integer(r, 2)),
                   static_cast<std::uint32_t>(rows.integer(r, 3)),
                   static_cast<std::uint64_t>(rows.integer(r, 4)),
                   static_cast<std::uint64_t>(rows.integer(r, 5)),
                   static_cast<std::uint64_t>(rows.integer(r, 6)),
                   static_cast<std::uint64_t>(rows.integer(r, 7))});
  }
  return out;
}

/// A row that keeps the table there until the load is over.
Result<void> Ledger::enter(OpContext& context, Connection& connection,
                           const std::string& load_id) const {
  WHERRY_TRY(make(context, connection));
  WHERRY_ASSIGN(const std::string sql_name, table());
  const std::array parameters = {load_id};
  WHERRY_TRY(connection.query(
      context, "cannot make the table of the load's progress",
      "insert into " + sql_name + " values ($1, '', '', 0, 0, 0, 0) on conflict do nothing",
      parameters));
  return {};
}

Result<void> Ledger::forget(OpContext& context, Connection& connection,
                            const std::string& load_id) const {
  constexpr const char* kAction = "cannot remove the load's progress";
  WHERRY_TRY(connection.execute(context, kAction, "begin"));
  WHERRY_TRY(lock_control_schema(context, connection, kAction));
  const std::array names = {schema_, std::string(kLedgerName)};
  WHERRY_ASSIGN(const Rows found,
                connection.query(context, kAction,
                                 "select pg_catalog.pg_has_role(c.relowner, 'USAGE') "
                                 "from pg_catalog.pg_class c join pg_catalog.pg_namespace n "
                                 "on n.oid = c.relnamespace where n.nspname = $1 "
                                 "and c.relname = $2",
                                 names));
  if (found.count() == 0) return connection.execute(context, kAction, "commit");
  WHERRY_ASSIGN(const std::string sql_name, table());
  const std::array parameters = {load_id};
  WHERRY_TRY(connection.query(context, kAction, "delete from " + sql_name + " where load_id = $1",
                              parameters));
  WHERRY_ASSIGN(
      const Rows left,
      connection.query(context, kAction, "select not exists (select from " + sql_name + ")"));
  if (found.boolean(0, 0) && left.boolean(0, 0)) {
    WHERRY_TRY(connection.execute(context, kAction, "drop table " + sql_name));
  }
  return connection.execute(context, kAction, "commit");
}

Result<void> Ledger::begin(OpContext& context, Connection& connection,
                           const connect::Segment& segment) {
  std::string sql = "begin";
  if (!segment.load_id.empty()) {
    sql += "; " + fmt::format(kWorkerLock, schema::quote_literal(segment.load_id), segment.worker);
  }
  auto begun = connection.execute(context, "cannot start a transaction", sql);
  if (!begun && begun.error().code == "postgres.lock_timeout") {
    return still_running(std::move(begun).error());
  }
  return begun;
}

Result<void> Ledger::record(OpContext& context, Connection& connection, const std::string& load_id,
                            std::span<const connect::DoneChunk> chunks) const {
  if (load_id.empty() || chunks.empty()) return {};
  WHERRY_ASSIGN(const std::string sql_name, table());
  using Done = connect::DoneChunk;
  const std::array parameters = {
      load_id,
      chunks[0].table.schema,
      chunks[0].table.name,
      std::to_string(chunks[0].attempt),
      numbers(chunks, [](const Done& chunk) -> std::uint64_t { return chunk.chunk; }),
      numbers(chunks, [](const Done& chunk) { return chunk.rows; }),
      numbers(chunks, [](const Done& chunk) { return chunk.bytes; }),
      numbers(chunks, [](const Done& chunk) { return chunk.refused_rows; }),
      numbers(chunks, [](const Done& chunk) { return chunk.truncated_values; })};
  auto added = connection.query(
      context, "cannot record the load's progress",
      "insert into " + sql_name +
          " (load_id, source_schema, source_table, attempt, chunk, row_count, byte_count, "
          "refused_row_count, truncated_value_count) select $1, $2, $3, $4::bigint, c.* "
          "from unnest($5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) c",
      parameters);
  if (added.ok()) return {};
  Error error = std::move(added).error();
  if (error.code == "postgres.duplicate_key") {
    error.kind = ErrorKind::kInternal;
    error.code = "load.chunk_twice";
    error.message = "a part of the table that is loaded already was loaded again";
    error.hint = "Nothing was committed. Is another process working for the same task?";
  }
  return error;
}

}  // namespace wherry::postgres
