#include "connect/postgres/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "connect/postgres/connection.h"
#include "connect/postgres/copy_reader.h"
#include "connect/postgres/describe.h"
#include "connect/postgres/opaque_reader.h"
#include "connect/postgres/order.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr std::string_view kPrefix = kSnapshotPrefix;
constexpr const char* kBegin = "begin isolation level repeatable read, read only";
constexpr std::uint64_t kBlockBytes = 8192;  ///< of nearly all servers; only an estimate needs it

Result<void> adopt(OpContext& context, Connection& connection, const std::string& snapshot) {
  WHERRY_TRY(connection.execute(context, "cannot start a transaction", kBegin));
  // Rows that a policy hides would be lost without a word; so the server refuses to read instead.
  WHERRY_TRY(
      connection.execute(context, "cannot set the session up", "set local row_security = off"));
  auto adopted = connection.execute(context, "cannot read at the snapshot",
                                    "set transaction snapshot " + schema::quote_literal(snapshot));
  if (adopted || adopted.error().kind == ErrorKind::kCancelled ||
      adopted.error().kind == ErrorKind::kTransient) {
    return adopted;
  }
  Error error = make_error(ErrorKind::kPositionLost, "postgres.snapshot_lost",
                           "the snapshot can no longer be read",
                           "The session that exported it has ended: start again at a new one");
  error.native_code = adopted.error().native_code;
  error.native_text = adopted.error().native_text;
  return error;
}

Error no_such(std::string_view what, const schema::TablePlan& plan) {
  return make_error(ErrorKind::kSchema, "postgres.unknown_" + std::string(what),
                    "the " + std::string(what) + " to read does not exist",
                    "Compare the table with the plan of the task")
      .with("table", to_text(plan.source));
}

struct ReadPlan {
  std::string sql;
  CopyShape shape;
};

/// Text and bytes without a small limit, whose size the server knows without reading them.
bool may_be_large(const NativeColumn& column) {
  if (column.type_name == "bytea" || column.type_name == "text") return true;
  constexpr std::uint32_t kSmallChars = kMostBytesInRow / 4;
  return column.type_name == "varchar" &&
         (column.type.max_chars == 0 || column.type.max_chars > kSmallChars);
}

/// Rows of inherited tables belong to these alone; a partitioned table has none of its own.
std::string from_clause(const NativeTable& table, const std::string& name) {
  return " from " + std::string(table.kind == 'r' ? "only " : "") + name + " t";
}

/// A type that only PostgreSQL knows, on its way into text: as PostgreSQL prints it.
bool is_printed(const schema::ColumnPlan& column, const NativeType& native) {
  const bool is_own = native.kind == NativeKind::kInterval || native.kind == NativeKind::kTime ||
                      native.kind == NativeKind::kEnum || native.kind == NativeKind::kOther;
  return is_own && column.type.kind == schema::TypeKind::kClob && column.source_type == native.name;
}

/// How a column is read to be compared. Of its native types PostgreSQL's text is exact, where a
/// logical value would not tell infinity from a late date.
std::optional<wire::ColumnDecoder> choose_comparing_decoder(const schema::ColumnPlan& column,
                                                            const NativeType& native, bool in_key) {
  using schema::TypeKind;
  constexpr std::array kExactInText = {TypeKind::kDecimal, TypeKind::kTimestamp,
                                       TypeKind::kTimestampLtz};
  const bool as_text =
      column.type.kind == TypeKind::kNative || is_printed(column, native) ||
      (column.is_native && !in_key &&
       std::find(kExactInText.begin(), kExactInText.end(), column.type.kind) != kExactInText.end());
  if (!as_text) return wire::choose_decoder(column.type, native, column.trim_blanks);
  return wire::choose_decoder({TypeKind::kClob}, NativeType{}, false);
}

std::optional<wire::ColumnDecoder> choose_loading_decoder(const schema::ColumnPlan& column,
                                                          const NativeType& native) {
  if (!is_printed(column, native)) {
    return wire::choose_decoder(column.type, native, column.trim_blanks);
  }
  return wire::choose_decoder({schema::TypeKind::kClob}, NativeType{}, false);
}

/// The statement that reads rows in the server's own form.
Result<std::string> plan_opaque_read(const schema::TablePlan& plan, const NativeTable& table,
                                     const std::string& predicate) {
  std::string columns;
  for (const schema::ColumnPlan& column : plan.columns) {
    if (table.find(column.source_name) == nullptr) {
      return no_such("column", plan).with("column", column.source_name);
    }
    WHERRY_ASSIGN(const std::string name, schema::quote_identifier(column.source_name));
    columns += (columns.empty() ? "" : ", ") + name;
  }
  WHERRY_ASSIGN(const std::string name, schema::quote_table(plan.source));
  const std::string form = plan.is_native_text ? "" : " (format binary)";
  if (predicate.empty() && table.kind == 'r') {
    return "copy " + name + " (" + columns + ") to stdout" + form;
  }
  std::string sql = "copy (select " + columns + from_clause(table, name);
  if (!predicate.empty()) sql += " where " + predicate;
  return sql + ") to stdout" + form;
}

Result<ReadPlan> plan_read(const schema::TablePlan& plan, const NativeTable& table,
                           const std::string& predicate, connect::RowOrder order) {
  ReadPlan out;
  const bool is_table = table.kind == 'r' || table.kind == 'p';
  std::string columns;
  std::string sizes;
  std::vector<std::string> sorted;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const schema::ColumnPlan& column = plan.columns[i];
    const NativeColumn* native = table.find(column.source_name);
    if (native == nullptr) return no_such("column", plan).with("column", column.source_name);
    const bool in_key = std::find(plan.key.begin(), plan.key.end(), i) != plan.key.end();
    const auto decoder = order == connect::RowOrder::kByKey
                             ? choose_comparing_decoder(column, native->type, in_key)
                             : choose_loading_decoder(column, native->type);
    if (!decoder) {
      return make_error(ErrorKind::kSchema, "postgres.no_conversion",
                        "a column of type " + native->type.name + " holds no values of type " +
                            describe(column.type),
                        "Change the column's type")
          .with("table", to_text(plan.source))
          .with("column", column.source_name);
    }
    WHERRY_ASSIGN(const std::string name, schema::quote_identifier(column.source_name));
    const std::string value = "t." + name;
    columns += columns.empty() ? "" : ", ";
    if (is_table && !in_key && decoder->may_spill && may_be_large(*native)) {
      columns += fmt::format("case when pg_catalog.octet_length({0}) <= {1} then {0} end", value,
                             kMostBytesInRow);
      sizes += fmt::format(", nullif(greatest(pg_catalog.octet_length({0}), {1}), {1})", value,
                           kMostBytesInRow);
      out.shape.large.push_back({i, name});
    } else {
      columns += value + (decoder->as_text ? "::text" : "");
    }
    sorted.push_back(order_by(value, column.type, native->type));
    out.shape.decoders.push_back(*decoder);
  }
  if (!sizes.empty()) columns += sizes + ", t.tableoid, t.ctid";
  WHERRY_ASSIGN(const std::string name, schema::quote_table(plan.source));
  out.sql = "copy (select " + columns + from_clause(table, name);
  if (!predicate.empty()) out.sql += " where " + predicate;
  if (order == connect::RowOrder::kByKey) {
    for (std::size_t i = 0; i < plan.key.size(); ++i) {
      out.sql += (i == 0 ? " order by " : ", ") + sorted[plan.key[i]];
    }
  }
  out.sql += ") to stdout (format binary)";
  return out;
}

class PostgresSnapshot : public connect::SnapshotSource {
 public:
  PostgresSnapshot(ConnectionSettings settings, std::unique_ptr<Connection> holder,
                   std::string snapshot)
      : settings_(std::move(settings)),
        holder_(std::move(holder)),
        snapshot_(std::move(snapshot)),
        position_{std::string(kPrefix) + snapshot_} {}

  [[nodiscard]] const Position& position() const override { return position_; }

  Result<std::vector<connect::Chunk>> plan(OpContext& context, const schema::TableDef& table,
                                           const connect::ChunkHints& hints) override {
    connect::Chunk whole;
    whole.estimated_rows = table.estimated_rows;
    whole.estimated_bytes = table.estimated_bytes;
    if (hints.max_chunks <= 1 || table.is_view) return std::vector{whole};
    std::lock_guard lock(mutex_);
    // Ranges of row addresses are read without touching the rest since version 14.
    if (holder_->server_version() < 140000) return std::vector{whole};
    const std::array parameters = {table.table.schema, table.table.name};
    WHERRY_ASSIGN(const Rows rows,
                  holder_->query(context, "cannot read a table's size",
                                 "select pg_catalog.pg_relation_size(c.oid) / "
                                 "pg_catalog.current_setting('block_size')::bigint "
                                 "from pg_catalog.pg_class c join pg_catalog.pg_namespace n "
                                 "on n.oid = c.relnamespace "
                                 "where c.relkind = 'r' and n.nspname = $1 and c.relname = $2",
                                 parameters));
    const std::int64_t blocks = rows.count() == 0 ? 0 : rows.integer(0, 0);
    const std::int64_t count =
        connect::chunk_count(hints, static_cast<std::uint64_t>(blocks) * kBlockBytes);
    if (count <= 1) return std::vector{whole};
    std::vector<connect::Chunk> out;
    for (std::int64_t i = 0; i < count; ++i) {
      connect::Chunk chunk;
      chunk.index = static_cast<std::uint32_t>(i);
      chunk.predicate = fmt::format("ctid >= '({},0)'", blocks * i / count);
      // The last one is open: rows of this snapshot are nowhere else.
      if (i + 1 < count)
        chunk.predicate += fmt::format(" and ctid < '({},0)'", blocks * (i + 1) / count);
      chunk.estimated_rows = table.estimated_rows / static_cast<std::uint64_t>(count);
      chunk.estimated_bytes = static_cast<std::uint64_t>(blocks / count) * kBlockBytes;
      out.push_back(std::move(chunk));
    }
    return out;
  }

  Result<std::unique_ptr<connect::ChunkReader>> open(OpContext& context, schema::TablePlanPtr plan,
                                                     const connect::Chunk& chunk,
                                                     connect::RowOrder order) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, session_opener()(context));
    WHERRY_ASSIGN(const std::optional<NativeTable> table,
                  describe_table(context, *connection, plan->source));
    if (!table) return no_such("table", *plan);
    if (plan->is_native && order == connect::RowOrder::kAny) {
      WHERRY_ASSIGN(const std::string sql, plan_opaque_read(*plan, *table, chunk.predicate));
      auto begun = connection->begin_copy_out(context, sql);
      if (!begun) return std::move(begun).error().with("table", to_text(plan->source));
      return make_opaque_reader(std::move(connection), std::move(plan));
    }
    WHERRY_ASSIGN(ReadPlan read, plan_read(*plan, *table, chunk.predicate, order));
    auto started = connection->begin_copy_out(context, read.sql);
    if (!started) return std::move(started).error().with("table", to_text(plan->source));
    WHERRY_ASSIGN(std::string name, schema::quote_table(plan->source));
    return make_copy_reader(std::move(connection), std::move(plan), std::move(read.shape),
                            LargeValueReader(session_opener(), std::move(name)),
                            settings_.spill_directory);
  }

 private:
  /// A session that sees the snapshot; may be called when this object is gone.
  [[nodiscard]] LargeValueReader::Open session_opener() const {
    return [settings = settings_,
            snapshot = snapshot_](OpContext& context) -> Result<std::unique_ptr<Connection>> {
      WHERRY_ASSIGN(std::unique_ptr<Connection> connection, Connection::open(context, settings));
      WHERRY_TRY(adopt(context, *connection, snapshot));
      return connection;
    };
  }

  const ConnectionSettings settings_;
  std::mutex mutex_;  ///< guards holder_
  std::unique_ptr<Connection> holder_;
  const std::string snapshot_;
  const Position position_;
};

}  // namespace

Result<std::unique_ptr<connect::SnapshotSource>> open_snapshot(OpContext& context,
                                                               ConnectionSettings settings,
                                                               const Position& at) {
  std::string snapshot;
  if (!at.empty()) {
    if (!at.text.starts_with(kPrefix)) {
      return make_error(ErrorKind::kConfig, "postgres.bad_position",
                        "the position is none of PostgreSQL's: " + at.text,
                        "Use a position that this connector made");
    }
    snapshot = at.text.substr(kPrefix.size());
  }
  WHERRY_ASSIGN(std::unique_ptr<Connection> holder, Connection::open(context, settings));
  if (snapshot.empty()) {
    WHERRY_TRY(holder->execute(context, "cannot start a transaction", kBegin));
    WHERRY_ASSIGN(const Rows exported, holder->query(context, "cannot export a snapshot",
                                                     "select pg_catalog.pg_export_snapshot()"));
    snapshot = exported.text(0, 0);
  } else {
    WHERRY_TRY(adopt(context, *holder, snapshot));
  }
  return std::unique_ptr<connect::SnapshotSource>(std::make_unique<PostgresSnapshot>(
      std::move(settings), std::move(holder), std::move(snapshot)));
}

}  // namespace wherry::postgres
