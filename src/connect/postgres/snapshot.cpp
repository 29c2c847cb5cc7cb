#include "connect/postgres/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "connect/postgres/chunk_plan.h"
#include "connect/postgres/connection_pool.h"
#include "connect/postgres/copy_reader.h"
#include "connect/postgres/describe.h"
#include "connect/postgres/filter_sql.h"
#include "connect/postgres/opaque_reader.h"
#include "connect/postgres/order.h"
#include "connect/postgres/printed.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr std::string_view kPrefix = kSnapshotPrefix;
constexpr const char* kBegin = "begin isolation level repeatable read, read only";

Result<void> adopt(OpContext& context, Connection& connection, const std::string& snapshot) {
  // Rows that a policy hides would be lost without a word; so the server refuses to read instead.
  auto adopted =
      connection.execute(context, "cannot read at the snapshot",
                         std::string(kBegin) + "; set local row_security = off; " +
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
Result<std::string> from_clause(const schema::TablePlan& plan, const NativeTable& table,
                                const ChunkText& chunk) {
  WHERRY_ASSIGN(const std::string name, schema::quote_table(plan.source));
  std::string sql = " from ";
  if (!chunk.table.empty()) {
    sql += chunk.table;
  } else {
    sql += (table.kind == 'r' ? "only " : "") + name;
  }
  sql += " t";
  std::string where = chunk.condition;
  if (const auto filter = schema::source_filter(plan); !filter.empty()) {
    where = (where.empty() ? "" : "(" + where + ") and ") + filter_condition(filter);
  }
  if (!where.empty()) sql += " where " + where;
  return sql;
}

/// A type that only PostgreSQL knows, on its way into text: as PostgreSQL prints it.
bool is_printed(const schema::ColumnPlan& column, const NativeType& native) {
  const bool is_own = native.kind == NativeKind::kInterval || native.kind == NativeKind::kTime ||
                      native.kind == NativeKind::kEnum || native.kind == NativeKind::kOther;
  return is_own && column.type.kind == schema::TypeKind::kClob && column.source_type == native.name;
}

/// How a column is read to be compared. Of times PostgreSQL's text is exact, where a logical value
/// would not tell infinity from a late date. Numbers are compared as numbers: changes may bring one
/// without the zeros at its end.
std::optional<wire::ColumnDecoder> choose_comparing_decoder(const schema::ColumnPlan& column,
                                                            const NativeType& native, bool in_key) {
  using schema::TypeKind;
  constexpr std::array kExactInText = {TypeKind::kTimestamp, TypeKind::kTimestampLtz};
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
                                     const ChunkText& chunk) {
  std::string columns;
  for (const schema::ColumnPlan& column : plan.columns) {
    if (table.find(column.source_name) == nullptr) {
      return no_such("column", plan).with("column", column.source_name);
    }
    WHERRY_ASSIGN(const std::string name, schema::quote_identifier(column.source_name));
    columns += (columns.empty() ? "" : ", ") + name;
  }
  const std::string form = plan.is_native_text ? "" : " (format binary)";
  const bool is_whole =
      chunk.table.empty() && chunk.condition.empty() && schema::source_filter(plan).empty();
  if (is_whole && table.kind == 'r') {
    WHERRY_ASSIGN(const std::string name, schema::quote_table(plan.source));
    return "copy " + name + " (" + columns + ") to stdout" + form;
  }
  WHERRY_ASSIGN(const std::string from, from_clause(plan, table, chunk));
  return "copy (select " + columns + from + ") to stdout" + form;
}

Result<ReadPlan> plan_read(const schema::TablePlan& plan, const NativeTable& table,
                           const ChunkText& chunk, connect::RowOrder order) {
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
      columns += decoder->as_text ? printed(value, native->type) : value;
    }
    sorted.push_back(order_by(value, column.type, native->type));
    out.shape.decoders.push_back(*decoder);
  }
  if (!sizes.empty()) columns += sizes + ", t.tableoid, t.ctid";
  WHERRY_ASSIGN(const std::string from, from_clause(plan, table, chunk));
  out.sql = "copy (select " + columns + from;
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
  PostgresSnapshot(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> holder,
                   std::string snapshot)
      : pool_(std::move(pool)),
        holder_(std::move(holder)),
        snapshot_(std::move(snapshot)),
        position_{std::string(kPrefix) + snapshot_} {}

  [[nodiscard]] const Position& position() const override { return position_; }

  Result<std::vector<connect::Chunk>> plan(OpContext& context, const schema::TableDef& table,
                                           const connect::ChunkHints& hints) override {
    std::lock_guard lock(mutex_);
    return plan_chunks(context, *holder_, table, hints);
  }

  Result<std::unique_ptr<connect::ChunkReader>> open(OpContext& context, schema::TablePlanPtr plan,
                                                     const connect::Chunk& chunk,
                                                     connect::RowOrder order) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, session_opener()(context));
    WHERRY_ASSIGN(const std::shared_ptr<const NativeTable> table,
                  described(context, *connection, plan->source));
    if (!table) return no_such("table", *plan);
    if (plan->is_native && order == connect::RowOrder::kAny) {
      WHERRY_ASSIGN(const std::string sql,
                    plan_opaque_read(*plan, *table, ChunkText::decode(chunk.predicate)));
      auto begun = connection->begin_copy_out(context, sql);
      if (!begun) return std::move(begun).error().with("table", to_text(plan->source));
      return make_opaque_reader(pool_, std::move(connection), std::move(plan));
    }
    WHERRY_ASSIGN(ReadPlan read,
                  plan_read(*plan, *table, ChunkText::decode(chunk.predicate), order));
    auto started = connection->begin_copy_out(context, read.sql);
    if (!started) return std::move(started).error().with("table", to_text(plan->source));
    WHERRY_ASSIGN(std::string name, schema::quote_table(plan->source));
    return make_copy_reader(pool_, std::move(connection), std::move(plan), std::move(read.shape),
                            LargeValueReader(session_opener(), std::move(name)));
  }

 private:
  /// A session that sees the snapshot; may be called when this object is gone.
  [[nodiscard]] LargeValueReader::Open session_opener() const {
    return [pool = pool_,
            snapshot = snapshot_](OpContext& context) -> Result<std::unique_ptr<Connection>> {
      WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool->acquire(context));
      WHERRY_TRY(adopt(context, *connection, snapshot));
      return connection;
    };
  }

  /// As it was when it was first read; nullptr: it is not there.
  Result<std::shared_ptr<const NativeTable>> described(OpContext& context, Connection& connection,
                                                       const schema::TableRef& table) {
    {
      std::lock_guard lock(described_mutex_);
      if (const auto found = described_.find(table); found != described_.end())
        return found->second;
    }
    WHERRY_ASSIGN(std::optional<NativeTable> found, describe_table(context, connection, table));
    if (!found) return std::shared_ptr<const NativeTable>();
    auto shared = std::make_shared<const NativeTable>(*std::move(found));
    std::lock_guard lock(described_mutex_);
    described_[table] = shared;
    return shared;
  }

  const std::shared_ptr<ConnectionPool> pool_;  ///< of sessions that read
  std::mutex mutex_;                            ///< guards holder_
  std::unique_ptr<Connection> holder_;
  std::mutex described_mutex_;  ///< guards described_
  std::map<schema::TableRef, std::shared_ptr<const NativeTable>> described_;
  const std::string snapshot_;
  const Position position_;
};

}  // namespace

Result<std::unique_ptr<connect::SnapshotSource>> open_snapshot(OpContext& context,
                                                               ConnectionSettings settings,
                                                               const Position& at,
                                                               std::shared_ptr<SessionLot> lot) {
  std::string snapshot;
  if (!at.empty()) {
    if (!at.text.starts_with(kPrefix)) {
      return make_error(ErrorKind::kConfig, "postgres.bad_position",
                        "the position is none of PostgreSQL's: " + at.text,
                        "Use a position that this connector made");
    }
    snapshot = at.text.substr(kPrefix.size());
  }
  auto pool = std::make_shared<ConnectionPool>(std::move(settings), std::move(lot));
  WHERRY_ASSIGN(std::unique_ptr<Connection> holder, pool->acquire(context));
  if (snapshot.empty()) {
    WHERRY_TRY(holder->execute(context, "cannot start a transaction", kBegin));
    WHERRY_ASSIGN(const Rows exported, holder->query(context, "cannot export a snapshot",
                                                     "select pg_catalog.pg_export_snapshot()"));
    snapshot = exported.text(0, 0);
  } else {
    WHERRY_TRY(adopt(context, *holder, snapshot));
  }
  return std::unique_ptr<connect::SnapshotSource>(
      std::make_unique<PostgresSnapshot>(std::move(pool), std::move(holder), std::move(snapshot)));
}

}  // namespace wherry::postgres
