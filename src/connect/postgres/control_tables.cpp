#include "connect/postgres/control_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <vector>

#include "connect/postgres/describe.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::ControlTables;

constexpr const char* kExceptions = "awsdms_apply_exceptions";
constexpr const char* kStatus = "awsdms_status";
constexpr const char* kSuspended = "awsdms_suspended_tables";
constexpr const char* kHistory = "awsdms_history";

struct Definition {
  const char* name;
  const char* columns;
};

constexpr Definition kDefinitions[] = {
    {kExceptions, R"("TASK_NAME" varchar(128) not null, "TABLE_OWNER" varchar(128) not null,
      "TABLE_NAME" varchar(128) not null, "ERROR_TIME" timestamp not null,
      "STATEMENT" text not null, "ERROR" text not null)"},
    {kStatus, R"(server_name varchar(128) not null, task_name varchar(128) not null,
      task_status varchar(32), status_time timestamp, pending_changes bigint,
      disk_swap_size bigint, task_memory bigint, source_current_position varchar(128),
      source_current_timestamp timestamp, source_tail_position varchar(128),
      source_tail_timestamp timestamp, source_timestamp_applied timestamp,
      unique (server_name, task_name))"},
    {kSuspended, R"(server_name varchar(128) not null, task_name varchar(128) not null,
      table_owner varchar(128) not null, table_name varchar(128) not null,
      suspend_reason varchar(32), suspend_timestamp timestamp,
      unique (server_name, task_name, table_owner, table_name))"},
    {kHistory, R"(server_name varchar(128) not null, task_name varchar(128) not null,
      timeslot_type varchar(32) not null, timeslot timestamp not null, timeslot_duration bigint,
      timeslot_latency bigint, timeslot_records bigint, timeslot_volume bigint,
      unique (server_name, task_name, timeslot_type, timeslot))"}};

constexpr const char* kNow = "pg_catalog.timezone('UTC', pg_catalog.clock_timestamp())";

constexpr std::uint64_t kMegabyte = 1024 * 1024;
constexpr std::size_t kMostName = 128;

/// "2026-05-01 12:00:00.250000" in UTC; empty for none.
std::string utc_text(const connect::StatusFigures::Time& time) {
  if (!time) return {};
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(time->time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return fmt::format("{}.{:06}", text.data(), micros % 1'000'000);
}

const std::string& schema_of(const ControlTables& tables) {
  static const std::string kDefault = kDefaultControlSchema;
  return tables.schema.empty() ? kDefault : tables.schema;
}

bool is_wanted(const ControlTables& tables, std::string_view name) {
  if (name == kStatus) return tables.has_status;
  if (name == kSuspended) return tables.has_suspended_tables;
  if (name == kHistory) return tables.has_history;
  return true;
}

// $1 the schema, $2 the tables wanted: what the user may do there.
constexpr const char* kMayDo = R"(
select n.oid is not null, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       pg_catalog.has_schema_privilege(n.oid, 'CREATE'),
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
       w.name, c.oid is not null,
       pg_catalog.has_table_privilege(c.oid, 'SELECT') and
         pg_catalog.has_table_privilege(c.oid, 'INSERT') and
         pg_catalog.has_table_privilege(c.oid, 'UPDATE') and
         pg_catalog.has_table_privilege(c.oid, 'DELETE'),
       pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(pg_catalog.current_database())
  from unnest($2::text[]) w(name)
  left join pg_catalog.pg_namespace n on n.nspname = $1
  left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name)";

Error denied(const std::string& schema, const std::string& grant) {
  return make_error(
      ErrorKind::kPermission, "postgres.control_schema",
      "the user may not keep the control tables in schema " + schema + " of the target",
      "Let an administrator run: " + grant +
          "; or name another schema with ControlTablesSettings.ControlSchema in the "
          "task settings");
}

class PostgresControlWriter final : public connect::ControlWriter {
 public:
  PostgresControlWriter(std::shared_ptr<ConnectionPool> pool, ControlTables tables,
                        std::string schema)
      : pool_(std::move(pool)), tables_(std::move(tables)), schema_(std::move(schema)) {}

  using ControlWriter::set_status;
  Result<void> set_status(OpContext& context, std::string_view status,
                          const connect::StatusFigures& figures) override {
    if (!tables_.has_status) return {};
    return write(context,
                 "insert into " + name(kStatus) + " values ($1, $2, $3, " + kNow +
                     ", $4, $5, $6, nullif($7, ''), nullif($8, '')::timestamp, nullif($9, ''), "
                     "nullif($10, '')::timestamp, nullif($11, '')::timestamp) "
                     "on conflict (server_name, task_name) do update set "
                     "task_status = excluded.task_status, status_time = excluded.status_time, "
                     "pending_changes = excluded.pending_changes, "
                     "disk_swap_size = excluded.disk_swap_size, "
                     "task_memory = excluded.task_memory, "
                     "source_current_position = excluded.source_current_position, "
                     "source_current_timestamp = excluded.source_current_timestamp, "
                     "source_tail_position = excluded.source_tail_position, "
                     "source_tail_timestamp = excluded.source_tail_timestamp, "
                     "source_timestamp_applied = excluded.source_timestamp_applied",
                 {std::string(status), std::to_string(figures.pending_changes),
                  std::to_string(figures.disk_swap_bytes / kMegabyte),
                  std::to_string(figures.memory_bytes / kMegabyte),
                  figures.current_position.substr(0, kMostName), utc_text(figures.current_time),
                  figures.tail_position.substr(0, kMostName), utc_text(figures.tail_time),
                  utc_text(figures.applied_time)});
  }

  Result<void> suspend(OpContext& context, const schema::TableRef& target,
                       std::string_view reason) override {
    if (!tables_.has_suspended_tables) return {};
    return write(context,
                 "insert into " + name(kSuspended) + " values ($1, $2, $3, $4, $5, " + kNow +
                     ") on conflict (server_name, task_name, table_owner, table_name) do update "
                     "set suspend_reason = excluded.suspend_reason, suspend_timestamp = "
                     "excluded.suspend_timestamp",
                 {target.schema, target.name, std::string(reason.substr(0, 32))});
  }

  Result<void> end_suspension(OpContext& context, const schema::TableRef& target) override {
    if (!tables_.has_suspended_tables) return {};
    return write(context,
                 "delete from " + name(kSuspended) +
                     " where server_name = $1 and task_name = $2 and table_owner = $3 and "
                     "table_name = $4",
                 {target.schema, target.name});
  }

  Result<void> add_history(OpContext& context, const connect::HistorySlot& slot) override {
    if (!tables_.has_history) return {};
    return write(context,
                 "insert into " + name(kHistory) + " values ($1, $2, $3, " + kNow +
                     ", $4, nullif($5, '')::bigint, $6, $7)",
                 {slot.is_change_processing ? "CHANGE PROCESSING" : "FULL LOAD",
                  std::to_string(slot.minutes),
                  slot.is_change_processing ? std::to_string(slot.latency_secs) : std::string(),
                  std::to_string(slot.records), std::to_string(slot.bytes / kMegabyte)});
  }

 private:
  [[nodiscard]] std::string name(const char* table) const { return schema_ + ".\"" + table + "\""; }

  /// $1 and $2 are server and task.
  Result<void> write(OpContext& context, const std::string& sql, std::vector<std::string> more) {
    std::vector<std::string> parameters = {tables_.server_name, tables_.task_name};
    parameters.insert(parameters.end(), more.begin(), more.end());
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_TRY(connection->query(context, "cannot write to a control table", sql, parameters));
    pool_->give_back(std::move(connection));
    return {};
  }

  std::shared_ptr<ConnectionPool> pool_;
  const ControlTables tables_;
  const std::string schema_;  ///< quoted
};

}  // namespace

Result<std::string> exceptions_table(const ControlTables& tables) {
  return schema::quote_table({schema_of(tables), kExceptions});
}

Result<void> lock_control_schema(OpContext& context, Connection& connection,
                                 std::string_view action) {
  WHERRY_TRY(connection.query(
      context, action,
      "select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('wherry create schema'))"));
  return {};
}

Result<bool> make_control_table(OpContext& context, Connection& connection, std::string_view action,
                                const schema::TableRef& table, std::string_view columns) {
  const std::array parameters = {table.schema, table.name};
  WHERRY_ASSIGN(const Rows found,
                connection.query(context, action,
                                 "select n.oid is not null, c.oid is not null "
                                 "from (select $1::text as s, $2::text as t) w "
                                 "left join pg_catalog.pg_namespace n on n.nspname = w.s "
                                 "left join pg_catalog.pg_class c on c.relnamespace = n.oid "
                                 "and c.relname = w.t",
                                 parameters));
  if (found.boolean(0, 1)) return false;
  std::string sql;
  if (!found.boolean(0, 0)) {
    WHERRY_ASSIGN(sql, schema::create_schema_sql(table.schema));
    sql.insert(std::string_view("create schema ").size(), "if not exists ");
    sql += "; ";
  }
  WHERRY_ASSIGN(const std::string quoted, schema::quote_table(table));
  auto made = connection.execute(
      context, action, fmt::format("{}create table if not exists {} ({})", sql, quoted, columns));
  if (made.ok()) return true;
  Error error = std::move(made).error();
  if (error.kind == ErrorKind::kPermission) {
    error.hint = "Let an administrator grant usage and create on schema " + table.schema +
                 ", or name another schema in ControlTablesSettings.ControlSchema";
  }
  return error;
}

Result<void> forget_control_rows(OpContext& context, Connection& connection,
                                 const ControlTables& tables) {
  constexpr const char* kAction = "cannot remove the task's rows from the control tables";
  const std::string& schema = schema_of(tables);
  const std::array wanted = {schema};
  WHERRY_ASSIGN(const Rows found,
                connection.query(context, kAction,
                                 "select c.relname from pg_catalog.pg_class c join "
                                 "pg_catalog.pg_namespace n on n.oid = c.relnamespace where "
                                 "n.nspname = $1 and c.relkind in ('r', 'p')",
                                 wanted));
  for (int r = 0; r < found.count(); ++r) {
    const std::string name(found.text(r, 0));
    const bool is_control = std::any_of(std::begin(kDefinitions), std::end(kDefinitions),
                                        [&](const Definition& each) { return each.name == name; });
    if (!is_control) continue;
    WHERRY_ASSIGN(const std::string table, schema::quote_table({schema, name}));
    std::vector<std::string> parameters = {tables.task_name};
    std::string sql = "delete from " + table + " where ";
    if (name == kExceptions) {
      sql += "\"TASK_NAME\" = $1";
    } else {
      sql += "task_name = $1 and server_name = $2";
      parameters.push_back(tables.server_name);
    }
    WHERRY_TRY(connection.query(context, kAction, sql, parameters));
  }
  return {};
}

Result<std::unique_ptr<connect::ControlWriter>> open_control_tables(
    OpContext& context, std::shared_ptr<ConnectionPool> pool, const ControlTables& tables) {
  const std::string& name = schema_of(tables);
  WHERRY_ASSIGN(const std::string quoted, schema::quote_identifier(name));
  std::vector<std::string> wanted;
  for (const Definition& definition : kDefinitions) {
    if (is_wanted(tables, definition.name)) wanted.emplace_back(definition.name);
  }
  WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool->acquire(context));
  constexpr const char* kAction = "cannot look at the control tables";
  const std::array parameters = {name, array_literal(wanted)};
  WHERRY_ASSIGN(const Rows rows, connection->query(context, kAction, kMayDo, parameters));
  std::string sql;
  for (int r = 0; r < rows.count(); ++r) {
    const std::string user(rows.text(r, 7));
    if (!rows.boolean(r, 0)) {
      if (!rows.boolean(r, 3)) {
        return denied(name, "create schema " + quoted + " authorization " + user);
      }
      if (sql.empty()) sql = "create schema if not exists " + quoted + "; ";
    } else if (!rows.boolean(r, 1)) {
      return denied(name, "grant usage, create on schema " + quoted + " to " + user);
    }
    const std::string table = quoted + ".\"" + std::string(rows.text(r, 4)) + "\"";
    if (rows.boolean(r, 5)) {
      if (rows.boolean(r, 6)) continue;
      return denied(name, "grant select, insert, update, delete on " + table + " to " + user);
    }
    if (rows.boolean(r, 0) && !rows.boolean(r, 2)) {
      return denied(name, "grant create on schema " + quoted + " to " + user);
    }
    for (const Definition& definition : kDefinitions) {
      if (definition.name != rows.text(r, 4)) continue;
      sql += "create table if not exists " + table + " (" + definition.columns + "); ";
    }
  }
  if (!sql.empty()) {
    // Two tasks may begin at once, and `if not exists` alone loses the race.
    WHERRY_TRY(connection->execute(context, "cannot create the control tables",
                                   "begin; select pg_catalog.pg_advisory_xact_lock("
                                   "pg_catalog.hashtext('wherry control tables')); " +
                                       sql + "commit"));
  }
  pool->give_back(std::move(connection));
  return std::unique_ptr<connect::ControlWriter>(
      std::make_unique<PostgresControlWriter>(std::move(pool), tables, quoted));
}

}  // namespace wherry::postgres
