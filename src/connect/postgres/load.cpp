#include "connect/postgres/load.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "connect/postgres/control_tables.h"
#include "connect/postgres/describe.h"
#include "connect/postgres/hindrances.h"
#include "connect/postgres/load_session.h"
#include "connect/postgres/match.h"
#include "connect/postgres/privileges.h"
#include "connect/postgres/scripts.h"
#include "connect/postgres/value_check.h"
#include "connect/postgres/wire/encoder.h"
#include "schema/postgres_ddl.h"
#include "schema/postgres_types.h"

namespace wherry::postgres {
namespace {

using connect::ExistingTable;
using schema::TablePlan;
using schema::TableRef;

// Foreign keys of other tables that point at $1.$2; TRUNCATE refuses then, even when all are empty.
constexpr const char* kForeignKeys = R"(
select pg_catalog.string_agg(pg_catalog.format('%s on %s', f.conname, f.conrelid::regclass), ', ')
  from pg_catalog.pg_constraint f
  join pg_catalog.pg_class c on c.oid = f.confrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where f.contype = 'f' and f.conrelid <> f.confrelid and n.nspname = $1 and c.relname = $2)";

// Who holds a lock on $1.$2.
constexpr const char* kLockHolders = R"(
select pg_catalog.string_agg(distinct pg_catalog.format('process %s (user %s, %s)', a.pid,
         a.usename, coalesce(nullif(a.application_name, ''), a.backend_type)), '; ')
  from pg_catalog.pg_locks l
  join pg_catalog.pg_stat_activity a on a.pid = l.pid
  join pg_catalog.pg_class c on c.oid = l.relation
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where l.granted and l.pid <> pg_catalog.pg_backend_pid()
   and l.database = (select oid from pg_catalog.pg_database
                      where datname = pg_catalog.current_database())
   and n.nspname = $1 and c.relname = $2)";

Error about(Error error, const TableRef& table) {
  return std::move(error).with("table", to_text(table));
}

class PostgresLoader : public connect::TargetLoader {
 public:
  PostgresLoader(ConnectionSettings settings, std::shared_ptr<SessionLot> lot)
      : pool_(std::make_shared<ConnectionPool>(std::move(settings), std::move(lot))),
        ledger_(pool_->settings().control_schema) {}

  [[nodiscard]] std::string_view type_reason(const schema::ColumnDef& column) const override {
    return schema::postgres_type_reason(column, pool_->settings().column_types);
  }

  Result<ConvertedType> convert(const schema::ColumnDef& column,
                                const schema::LogicalType& wanted) override {
    WHERRY_ASSIGN(std::string name, schema::postgres_type(wanted));
    const NativeType native = native_type_of(wanted, std::move(name));
    const bool is_trimmed = column.type.blank_padded;
    if (wire::choose_encoder(column.type, native, is_trimmed)) {
      return ConvertedType{native.name, wire::likeness_of(column.type, native, is_trimmed)};
    }
    return make_error(
        ErrorKind::kUnsupported, "postgres.no_type_change",
        "values of type " + column.native_type + " have no form in type " + native.name,
        "Choose another type in the change-data-type rule, or make the column with "
        "an add-column rule and an expression");
  }

  Result<std::string> column_type(const schema::ColumnDef& column) override {
    auto type = schema::postgres_column_type(column, pool_->settings().column_types);
    if (!type) {
      return std::move(type)
          .error()
          .with("column", column.name)
          .with("source type", column.native_type);
    }
    return type;
  }

  std::unique_ptr<connect::ValueCheck> value_check(const schema::TablePlan& plan) override {
    return make_value_check(plan);
  }

  [[nodiscard]] std::size_t max_name_bytes() const override { return schema::kMaxIdentifierBytes; }

  [[nodiscard]] std::uint64_t max_value_bytes() const override { return wire::kMaxValueBytes; }

  Result<std::vector<connect::TargetMatch>> match(OpContext& context,
                                                  const std::vector<schema::TablePlanPtr>& plans,
                                                  ExistingTable existing) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_ASSIGN(const bool as_replica, loads_as_replica(context, *connection));
    WHERRY_ASSIGN(auto matches, match_tables(context, *connection, plans, existing, as_replica));
    pool_->give_back(std::move(connection));
    return matches;
  }

  Result<void> check_privileges(OpContext& context, const std::vector<schema::TablePlanPtr>& plans,
                                ExistingTable existing) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_TRY(postgres::check_privileges(context, *connection, plans, existing));
    pool_->give_back(std::move(connection));
    return {};
  }

  Result<std::unique_ptr<connect::ControlWriter>> open_control(
      OpContext& context, const connect::ControlTables& tables) override {
    WHERRY_ASSIGN(auto writer, open_control_tables(context, pool_, tables));
    WHERRY_ASSIGN(std::string table, exceptions_table(tables));
    std::lock_guard lock(mutex_);
    exceptions_ = {std::move(table), tables.task_name};
    return writer;
  }

  Result<void> forget_control(OpContext& context, const connect::ControlTables& tables) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_TRY(forget_control_rows(context, *connection, tables));
    pool_->give_back(std::move(connection));
    return {};
  }

  Result<connect::TargetScripts> write_scripts(OpContext& context,
                                               const connect::ScriptOptions& options) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_ASSIGN(auto scripts, postgres::write_scripts(context, *connection, options));
    pool_->give_back(std::move(connection));
    return scripts;
  }

  Result<connect::PrepareReport> prepare(OpContext& context, const TablePlan& plan,
                                         ExistingTable existing) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    auto prepared = [&]() -> Result<connect::PrepareReport> {
      WHERRY_TRY(connection->execute(context, "cannot start a transaction", "begin"));
      WHERRY_TRY(prepare_in_transaction(context, *connection, plan, existing));
      connect::PrepareReport report;
      if (!is_in(emptied_, plan.target)) {
        WHERRY_ASSIGN(report.is_empty, is_empty(context, *connection, plan.target));
      }
      WHERRY_TRY(connection->execute(context, "cannot commit", "commit"));
      return report;
    }();
    if (!prepared) {
      Error error = std::move(prepared).error();
      if (error.code == "postgres.lock_timeout") {
        name_holders(context, *connection, plan.target, error);
      }
      return about(std::move(error), plan.target);
    }
    pool_->give_back(std::move(connection));
    return prepared;
  }

  Result<std::vector<connect::DoneChunk>> done_chunks(
      OpContext& context, const std::string& load_id,
      std::optional<std::uint32_t> worker) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_ASSIGN(auto chunks, ledger_.read(context, *connection, load_id, worker));
    pool_->give_back(std::move(connection));
    return chunks;
  }

  Result<void> forget(OpContext& context, const std::string& load_id) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_TRY(ledger_.forget(context, *connection, load_id));
    pool_->give_back(std::move(connection));
    return {};
  }

  Result<std::unique_ptr<connect::LoadSession>> begin(OpContext& context, schema::TablePlanPtr plan,
                                                      const connect::Segment& segment) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_ASSIGN(const std::shared_ptr<const NativeTable> table,
                  described(context, *connection, plan->target));
    if (!table) {
      return about(
          make_error(ErrorKind::kSchema, "postgres.unknown_table",
                     "the table does not exist on the target", "Create it, or use DROP_AND_CREATE"),
          plan->target);
    }
    CopyTarget copy{std::move(plan), *table, ledger_, segment};
    copy.freeze =
        segment.is_whole_table && table->kind == 'r' && is_in(emptied_, copy.plan->target);
    WHERRY_ASSIGN(const bool as_replica, loads_as_replica(context, *connection));
    copy.as_replica = as_replica && !table->has_deferrable_keys;
    copy.exceptions = exceptions();
    return start_load(context, pool_, std::move(connection), std::move(copy));
  }

  Result<void> complete(OpContext& context, const TablePlan& plan, bool is_own) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    auto completed = complete_on(context, *connection, plan, is_own);
    if (!completed) return about(std::move(completed).error(), plan.target);
    pool_->give_back(std::move(connection));
    return {};
  }

 private:
  /// As it was when its first segment began; nullptr: it is not there.
  Result<std::shared_ptr<const NativeTable>> described(OpContext& context, Connection& connection,
                                                       const TableRef& table) {
    {
      std::lock_guard lock(mutex_);
      if (const auto found = described_.find(table); found != described_.end())
        return found->second;
    }
    WHERRY_ASSIGN(std::optional<NativeTable> found, describe_table(context, connection, table));
    if (!found) return std::shared_ptr<const NativeTable>();
    auto shared = std::make_shared<const NativeTable>(*std::move(found));
    std::lock_guard lock(mutex_);
    described_[table] = shared;
    return shared;
  }

  /// The session is of no use for anything else afterwards.
  static void name_holders(OpContext& context, Connection& connection, const TableRef& table,
                           Error& error) {
    constexpr const char* kAction = "cannot read the locks";
    const std::array parameters = {table.schema, table.name};
    if (!connection.execute(context, kAction, "rollback")) return;
    const auto rows = connection.query(context, kAction, kLockHolders, parameters);
    if (rows && !rows->is_null(0, 0)) error.with("held by", rows->text(0, 0));
  }

  /// False when it cannot be told.
  static Result<bool> is_empty(OpContext& context, Connection& connection, const TableRef& table) {
    constexpr const char* kAction = "cannot look for rows";
    WHERRY_ASSIGN(const std::string name, schema::quote_table(table));
    const std::array parameters = {name};
    WHERRY_ASSIGN(
        const Rows may,
        connection.query(context, kAction, "select pg_catalog.has_table_privilege($1, 'SELECT')",
                         parameters));
    if (!may.boolean(0, 0)) return false;  // who may only insert cannot know
    WHERRY_ASSIGN(
        const Rows rows,
        connection.query(context, kAction, "select not exists (select from " + name + ")"));
    return rows.boolean(0, 0);
  }

  Result<void> prepare_in_transaction(OpContext& context, Connection& connection,
                                      const TablePlan& plan, ExistingTable existing) {
    forget_description(plan.target);
    WHERRY_ASSIGN(const std::string name, schema::quote_table(plan.target));
    WHERRY_ASSIGN(const std::optional<NativeTable> table,
                  describe_table(context, connection, plan.target));
    if (table && table->kind != 'r' && table->kind != 'p') {
      return make_error(ErrorKind::kSchema, "postgres.name_taken",
                        "what bears the table's name on the target is a view or a foreign table",
                        "Drop it, or rename the table with a transformation rule");
    }
    if (table && existing == ExistingTable::kDrop) {
      WHERRY_TRY(connection.execute(context, "cannot drop the table", "drop table " + name));
    }
    if (!table || existing == ExistingTable::kDrop) {
      WHERRY_TRY(create_schema(context, connection, plan.target.schema));
      WHERRY_ASSIGN(const std::string compression, compression_of(context, connection));
      WHERRY_ASSIGN(const std::string sql, schema::create_table_sql(plan, compression));
      WHERRY_TRY(connection.execute(context, "cannot create the table", sql));
      if (plan.key_comes_first && !plan.key.empty()) WHERRY_TRY(add_key(context, connection, plan));
      remember(emptied_, plan.target, true);
      remember(foreign_, plan.target, false);
      return {};
    }
    remember(foreign_, plan.target, true);
    WHERRY_TRY(check_columns(plan, *table));
    if (existing == ExistingTable::kKeep) {
      remember(emptied_, plan.target, false);
      return {};
    }
    WHERRY_TRY(refuse_foreign_keys(context, connection, plan.target));
    WHERRY_TRY(connection.execute(context, "cannot truncate the table", "truncate table " + name));
    remember(emptied_, plan.target, true);
    return {};
  }

  /// Whether foreign keys and ordinary triggers are off in the sessions that load.
  Result<bool> loads_as_replica(OpContext& context, Connection& connection) {
    if (!pool_->settings().loads_as_replica) return false;
    {
      std::lock_guard lock(mutex_);
      if (may_load_as_replica_) return *may_load_as_replica_;
    }
    WHERRY_ASSIGN(const bool may, may_load_as_replica(context, connection));
    std::lock_guard lock(mutex_);
    may_load_as_replica_ = may;
    return may;
  }

  /// The compression of large values that the settings want and the server has; empty otherwise.
  Result<std::string> compression_of(OpContext& context, Connection& connection) {
    const std::string& wanted = pool_->settings().toast_compression;
    if (wanted == "default") return std::string();
    {
      std::lock_guard lock(mutex_);
      if (compression_) return *compression_;
    }
    // Not there before version 14, without lz4 in a server built so.
    const std::array parameters = {wanted};
    WHERRY_ASSIGN(const Rows rows,
                  connection.query(context, "cannot read the server's compressions",
                                   "select 1 from pg_catalog.pg_settings where name = "
                                   "'default_toast_compression' and $1 = any(enumvals)",
                                   parameters));
    std::lock_guard lock(mutex_);
    compression_ = rows.count() != 0 ? wanted : std::string();
    return *compression_;
  }

  static Result<bool> has_schema(OpContext& context, Connection& connection,
                                 const std::string& name) {
    const std::array parameters = {name};
    WHERRY_ASSIGN(
        const Rows found,
        connection.query(context, "cannot look for the schema",
                         "select 1 from pg_catalog.pg_namespace where nspname = $1", parameters));
    return found.count() != 0;
  }

  /// Asks first: `create schema if not exists` needs CREATE on the database even when it exists.
  static Result<void> create_schema(OpContext& context, Connection& connection,
                                    const std::string& name) {
    WHERRY_ASSIGN(bool is_there, has_schema(context, connection, name));
    if (is_there) return {};
    // Two tables of one new schema may be prepared at once. Who has waited for the other looks
    // again: `if not exists` may answer from a cache that does not know yet what was committed.
    WHERRY_TRY(connection.query(context, "cannot lock the schema",
                                "select pg_catalog.pg_advisory_xact_lock("
                                "pg_catalog.hashtext('wherry create schema'))"));
    WHERRY_ASSIGN(is_there, has_schema(context, connection, name));
    if (is_there) return {};
    WHERRY_ASSIGN(std::string sql, schema::create_schema_sql(name));
    sql.insert(std::string_view("create schema ").size(), "if not exists ");
    return connection.execute(context, "cannot create the schema " + name, sql);
  }

  static Result<void> check_columns(const TablePlan& plan, const NativeTable& table) {
    std::string missing;
    for (const schema::ColumnPlan& column : plan.columns) {
      if (table.find(column.target_name) != nullptr) continue;
      missing += (missing.empty() ? "" : ", ") + column.target_name;
    }
    if (missing.empty()) return {};
    return make_error(ErrorKind::kSchema, "postgres.unknown_column",
                      "the existing table lacks columns: " + missing,
                      "Add them, or use DROP_AND_CREATE");
  }

  static Result<void> refuse_foreign_keys(OpContext& context, Connection& connection,
                                          const TableRef& table) {
    const std::array parameters = {table.schema, table.name};
    WHERRY_ASSIGN(const Rows rows, connection.query(context, "cannot read the foreign keys",
                                                    kForeignKeys, parameters));
    if (rows.is_null(0, 0)) return {};
    return make_error(ErrorKind::kSchema, "postgres.foreign_keys",
                      "foreign keys of other tables point at the table, so it cannot be "
                      "truncated: " +
                          std::string(rows.text(0, 0)),
                      "Drop them before the load and create them again after it");
  }

  Result<void> complete_on(OpContext& context, Connection& connection, const TablePlan& plan,
                           bool is_own) {
    forget_description(plan.target);
    WHERRY_ASSIGN(const std::string name, schema::quote_table(plan.target));
    // A table that somebody else made keeps the keys it has, or has not.
    if (is_own && !plan.key.empty() && !is_in(foreign_, plan.target)) {
      WHERRY_ASSIGN(const bool has_key, has_planned_key(context, connection, plan));
      if (!has_key) WHERRY_TRY(add_key(context, connection, plan));
    }
    if (!pool_->settings().gathers_statistics) return {};
    return connection.execute(context, "cannot gather statistics", "analyze " + name);
  }

  /// A key's index has its name among the tables of the schema.
  static Result<bool> is_taken_name(OpContext& context, Connection& connection,
                                    const TablePlan& plan) {
    const std::array parameters = {plan.target.schema, plan.key_name};
    WHERRY_ASSIGN(const Rows rows,
                  connection.query(context, "cannot look for the key's name",
                                   "select 1 from pg_catalog.pg_class c join "
                                   "pg_catalog.pg_namespace n on n.oid = c.relnamespace "
                                   "where n.nspname = $1 and c.relname = $2",
                                   parameters));
    return rows.count() != 0;
  }

  Result<void> add_key(OpContext& context, Connection& connection, const TablePlan& plan) {
    TablePlan named = plan;
    // A name that no rule wants may be taken by what the plan does not know; PostgreSQL finds one.
    if (!plan.key_is_own) {
      WHERRY_ASSIGN(const bool is_taken, is_taken_name(context, connection, plan));
      if (is_taken) named.key_name.clear();
    }
    WHERRY_ASSIGN(const std::string key_sql, schema::add_key_sql(named));
    // Statements that are sent at once are one transaction, and the setting ends with it.
    const std::string memory_kb =
        std::to_string(pool_->settings().key_memory_mb * std::int64_t{1024});
    const std::string sql =
        "select pg_catalog.set_config(name, '" + memory_kb +
        "kB', true) from pg_catalog.pg_settings where name = 'maintenance_work_mem' and "
        "setting::bigint < " +
        memory_kb + "; " + key_sql;
    return connection.execute(context, "cannot create the key", sql);
  }

  static Result<bool> has_planned_key(OpContext& context, Connection& connection,
                                      const TablePlan& plan) {
    WHERRY_ASSIGN(const std::vector<NativeKey> keys,
                  describe_keys(context, connection, {plan.target.schema}, plan.target.name));
    std::vector<std::string> wanted;
    for (const std::size_t i : plan.key) wanted.push_back(plan.columns[i].target_name);
    return std::any_of(keys.begin(), keys.end(), [&](const NativeKey& key) {
      return key.key.columns == wanted && (key.key.is_primary || !plan.key_is_primary);
    });
  }

  bool is_in(const std::set<TableRef>& set, const TableRef& table) {
    std::lock_guard lock(mutex_);
    return set.contains(table);
  }
  void remember(std::set<TableRef>& set, const TableRef& table, bool is_member) {
    std::lock_guard lock(mutex_);
    if (is_member) {
      set.insert(table);
    } else {
      set.erase(table);
    }
  }

  void forget_description(const TableRef& table) {
    std::lock_guard lock(mutex_);
    described_.erase(table);
  }

  ExceptionsTable exceptions() {
    std::lock_guard lock(mutex_);
    return exceptions_;
  }

  std::shared_ptr<ConnectionPool> pool_;
  const Ledger ledger_;
  std::mutex mutex_;
  ExceptionsTable exceptions_;
  std::optional<std::string> compression_;
  std::optional<bool> may_load_as_replica_;
  std::map<TableRef, std::shared_ptr<const NativeTable>> described_;  ///< those being loaded
  std::set<TableRef> emptied_;  ///< created or truncated by prepare()
  std::set<TableRef> foreign_;  ///< existed before and were kept: their keys are not ours
};

}  // namespace

std::unique_ptr<connect::TargetLoader> make_loader(ConnectionSettings settings,
                                                   std::shared_ptr<SessionLot> lot) {
  return std::make_unique<PostgresLoader>(std::move(settings), std::move(lot));
}

}  // namespace wherry::postgres
