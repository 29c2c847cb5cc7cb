#include "connect/postgres/checkpoint.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "connect/postgres/control_tables.h"
#include "connect/postgres/describe.h"
#include "connect/postgres/wire/copy_buffer.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::Checkpoint;
using std::chrono::microseconds;
using std::chrono::system_clock;

constexpr const char* kCheckpointName = "wherry_checkpoint";
constexpr const char* kTxnStateName = "awsdms_txn_state";
constexpr const char* kReadingCheckpoint = "cannot read the checkpoint of the target";
constexpr const char* kFlushing = "cannot make the changes durable";
/// The row that durable_row() writes.
constexpr int kFlushLane = -1;

// The row of a lane is written with every transaction: room on its page lets the server do it in
// place.
constexpr const char* kCheckpointColumns = R"(
  task_name text not null,
  lane integer not null,
  position text not null,
  commit_order numeric(20) not null,
  ordinal bigint not null,
  applied_above text not null,
  sequence numeric(20) not null,
  commit_time timestamp with time zone not null,
  written_at timestamp with time zone not null default pg_catalog.clock_timestamp(),
  primary key (task_name, lane)) with (fillfactor = 20)";

constexpr const char* kTxnStateColumns = R"(
  "SERVER_NAME" varchar(128) not null, "TASK_NAME" varchar(128) not null,
  "STATE_TIME" timestamp not null, "CHECKPOINT" varchar(1024) not null,
  unique ("SERVER_NAME", "TASK_NAME"))";

std::string lock_name(const std::string& task_name) {
  return "wherry apply " + task_name;
}

Error lane_busy(Error error) {
  error.kind = ErrorKind::kTransient;
  error.code = "apply.still_running";
  error.message = "an earlier session of this task is still open on the target";
  error.hint =
      "Wait until the server has noticed that it is gone, or end it: select "
      "pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'";
  return error;
}

/// Microseconds since 2000, as the server counts.
std::int64_t server_micros(system_clock::time_point time) {
  constexpr std::int64_t kEpoch2000 = 946'684'800'000'000;
  return std::chrono::duration_cast<microseconds>(time.time_since_epoch()).count() - kEpoch2000;
}

std::uint64_t unsigned_of(std::string_view digits) {
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string big_endian(std::int64_t value) {
  std::string out(8, '\0');
  wire::store_u64(out.data(), static_cast<std::uint64_t>(value));
  return out;
}

/// A row of task $1: its transaction is durable when the server has confirmed it, and with it all
/// that the transaction could see. Whoever has turned that off for the whole server still wants
/// this one to be sure.
std::string durable_row(const std::string& table) {
  return fmt::format(
      "insert into {} (task_name, lane, position, commit_order, ordinal, applied_above, sequence, "
      "commit_time) select $1::text, {}, pg_catalog.left(pg_catalog.set_config(name, case when "
      "setting = "
      "'off' then 'on' else setting end, true), 0), 0, 0, '', 0, pg_catalog.now() "
      "from pg_catalog.pg_settings where name = 'synchronous_commit' "
      "on conflict (task_name, lane) do update set written_at = pg_catalog.clock_timestamp()",
      table, kFlushLane);
}

}  // namespace

Result<std::string> CheckpointTable::table() const {
  return schema::quote_table({schema_, kCheckpointName});
}

Result<void> CheckpointTable::make(OpContext& context, Connection& connection) const {
  constexpr const char* kAction = "cannot make the table of checkpoints";
  WHERRY_TRY(lock_control_schema(context, connection, kAction));
  WHERRY_TRY(make_control_table(context, connection, kAction, {schema_, kCheckpointName},
                                kCheckpointColumns));
  if (!settings_.has_txn_state) return {};
  WHERRY_TRY(
      make_control_table(context, connection, kAction, {schema_, kTxnStateName}, kTxnStateColumns));
  return {};
}

Result<std::map<std::uint32_t, Checkpoint>> CheckpointTable::read(
    OpContext& context, Connection& connection, const std::string& task_name,
    const std::vector<std::uint32_t>& own) const {
  WHERRY_TRY(connection.execute(context, kReadingCheckpoint, "begin"));
  std::vector<std::string> lanes;
  for (const std::uint32_t lane : own) lanes.push_back(std::to_string(lane));
  const std::array lock = {lock_name(task_name), array_literal(lanes)};
  auto locked = connection.query(
      context, kReadingCheckpoint,
      fmt::format("select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext($1), l) from "
                  "pg_catalog.generate_series(0, {}) l where l <> all ($2::int4[])",
                  connect::kMaxLanes - 1),
      lock);
  if (!locked) {
    Error error = std::move(locked).error();
    return error.code == "postgres.lock_timeout" ? lane_busy(std::move(error)) : error;
  }
  WHERRY_TRY(make(context, connection));
  WHERRY_ASSIGN(const std::string name, table());
  const std::array parameters = {task_name};
  WHERRY_ASSIGN(
      const Rows rows,
      connection.query(context, kReadingCheckpoint,
                       "select lane, position, commit_order, ordinal, applied_above, sequence, "
                       "(extract(epoch from commit_time) * 1000000)::int8 from " +
                           name + " where task_name = $1 and lane >= 0",
                       parameters));
  // They may have been confirmed before they were durable, and whoever goes on from there lets the
  // source forget what comes before: so one session of one run of the server sees them and is sure.
  WHERRY_TRY(connection.query(context, kFlushing, durable_row(name), parameters));
  WHERRY_TRY(connection.execute(context, kReadingCheckpoint, "commit"));
  std::map<std::uint32_t, Checkpoint> out;
  for (int r = 0; r < rows.count(); ++r) {
    Checkpoint checkpoint;
    checkpoint.position.text = rows.text(r, 1);
    checkpoint.point = {unsigned_of(rows.text(r, 2)),
                        static_cast<std::uint32_t>(rows.integer(r, 3))};
    WHERRY_ASSIGN(checkpoint.applied_above, connect::parse_commit_points(rows.text(r, 4)));
    checkpoint.sequence = unsigned_of(rows.text(r, 5));
    checkpoint.commit_time = system_clock::time_point(microseconds(rows.integer(r, 6)));
    out.emplace(static_cast<std::uint32_t>(rows.integer(r, 0)), std::move(checkpoint));
  }
  return out;
}

Result<void> CheckpointTable::forget(OpContext& context, Connection& connection,
                                     const std::string& task_name) const {
  constexpr const char* kAction = "cannot remove the checkpoint of the task";
  for (const auto& [name, column] :
       {std::pair{kCheckpointName, "task_name"}, std::pair{kTxnStateName, "\"TASK_NAME\""}}) {
    const std::array names = {schema_, std::string(name)};
    WHERRY_ASSIGN(const Rows found,
                  connection.query(context, kAction,
                                   "select from pg_catalog.pg_class c join pg_catalog.pg_namespace "
                                   "n on n.oid = c.relnamespace where n.nspname = $1 and "
                                   "c.relname = $2",
                                   names));
    if (found.count() == 0) continue;
    WHERRY_ASSIGN(const std::string quoted, schema::quote_table({schema_, name}));
    const std::array parameters = {task_name};
    WHERRY_TRY(connection.query(
        context, kAction, fmt::format("delete from {} where {} = $1", quoted, column), parameters));
  }
  return {};
}

Result<void> CheckpointTable::enter(OpContext& context, Connection& connection,
                                    const std::string& task_name, std::uint32_t lane) {
  const std::array parameters = {lock_name(task_name), std::to_string(lane)};
  auto locked = connection.query(
      context, "cannot open a lane",
      "select pg_catalog.pg_advisory_lock(pg_catalog.hashtext($1), $2::int4)", parameters);
  if (locked.ok()) return {};
  Error error = std::move(locked).error();
  return error.code == "postgres.lock_timeout" ? lane_busy(std::move(error)) : error;
}

Result<void> CheckpointTable::flush(OpContext& context, Connection& connection,
                                    const std::string& task_name, const Checkpoint& stored) const {
  WHERRY_ASSIGN(const std::string name, table());
  const std::array parameters = {task_name};
  // It may be another run of the server than the one that has confirmed the checkpoint.
  WHERRY_ASSIGN(const Rows rows,
                connection.query(
                    context, kFlushing,
                    fmt::format("with written as ({} returning lane) "
                                "select coalesce(max(c.sequence), 0) from written left join {} c "
                                "on c.task_name = $1 and c.lane >= 0",
                                durable_row(name), name),
                    parameters));
  if (unsigned_of(rows.text(0, 0)) >= stored.sequence) return {};
  return make_error(ErrorKind::kTransient, "apply.checkpoint_lost",
                    "the target's server ended before changes that it had confirmed were durable",
                    "They are applied again")
      .with("position", stored.position.text);
}

Result<std::vector<std::pair<std::string, std::string>>> CheckpointTable::statements(
    std::uint32_t lane) const {
  WHERRY_ASSIGN(const std::string name, table());
  std::vector<std::pair<std::string, std::string>> out;
  out.emplace_back(
      kCheckpointName,
      fmt::format("insert into {} values ($1::text, {}, $2::text, $3::text::numeric, $4::int8, "
                  "$5::text, $6::text::numeric, $7::timestamptz, pg_catalog.clock_timestamp()) on "
                  "conflict (task_name, lane) do update set position = excluded.position, "
                  "commit_order = excluded.commit_order, ordinal = excluded.ordinal, "
                  "applied_above = excluded.applied_above, sequence = excluded.sequence, "
                  "commit_time = excluded.commit_time, written_at = excluded.written_at",
                  name, lane));
  if (!settings_.has_txn_state || lane != 0) return out;
  WHERRY_ASSIGN(const std::string state, schema::quote_table({schema_, kTxnStateName}));
  out.emplace_back(
      kTxnStateName,
      fmt::format("insert into {} values ($1::text, $2::text, pg_catalog.timezone('UTC', "
                  "pg_catalog.clock_timestamp()), $3::text) on conflict (\"SERVER_NAME\", "
                  "\"TASK_NAME\") do update set \"STATE_TIME\" = excluded.\"STATE_TIME\", "
                  "\"CHECKPOINT\" = excluded.\"CHECKPOINT\"",
                  state));
  return out;
}

Result<void> CheckpointTable::write(OpContext& context, Pipeline& pipeline,
                                    const std::string& task_name, std::uint32_t lane,
                                    const Checkpoint& checkpoint) const {
  const std::string order = std::to_string(checkpoint.point.order);
  const std::string ordinal = big_endian(checkpoint.point.ordinal);
  const std::string above = connect::to_text(checkpoint.applied_above);
  const std::string sequence = std::to_string(checkpoint.sequence);
  const std::string time = big_endian(server_micros(checkpoint.commit_time));
  const std::array<std::string_view, 7> values = {
      task_name, checkpoint.position.text, order, ordinal, above, sequence, time};
  WHERRY_TRY(pipeline.execute(context, kCheckpointName, values));
  // One row a task: lanes that all wrote it would wait for each other, and the position of any lane
  // is a true one.
  if (!settings_.has_txn_state || lane != 0) return {};
  const std::string text = connect::to_checkpoint_text(checkpoint.position);
  const std::array<std::string_view, 3> state = {settings_.server_name, task_name, text};
  return pipeline.execute(context, kTxnStateName, state);
}

}  // namespace wherry::postgres
