#include "connect/postgres/apply.h"

#include <fmt/format.h>

#include <mutex>
#include <set>

#include "connect/postgres/apply_lane.h"
#include "connect/postgres/apply_table.h"
#include "connect/postgres/checkpoint.h"
#include "connect/postgres/connection_pool.h"
#include "connect/postgres/control_tables.h"
#include "connect/postgres/hindrances.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::TableAlteration;

/// Lanes of this process that live.
class Presence {
 public:
  void add(std::uint32_t lane) {
    std::lock_guard lock(mutex_);
    lanes_.insert(lane);
  }
  void remove(std::uint32_t lane) {
    std::lock_guard lock(mutex_);
    lanes_.erase(lane);
  }
  std::vector<std::uint32_t> lanes() {
    std::lock_guard lock(mutex_);
    return {lanes_.begin(), lanes_.end()};
  }

 private:
  std::mutex mutex_;
  std::set<std::uint32_t> lanes_;
};

/// Writes the statements of one alteration.
class Alterer {
 public:
  explicit Alterer(const TableAlteration& change) : change_(change) {}

  Result<std::vector<std::string>> run() {
    switch (change_.kind) {
      case TableAlteration::Kind::kCreate:
        WHERRY_TRY(create());
        break;
      case TableAlteration::Kind::kDrop: {
        WHERRY_ASSIGN(const std::string name, schema::quote_table(change_.from->target));
        statements_.push_back("drop table if exists " + name);
        break;
      }
      case TableAlteration::Kind::kAlter:
        WHERRY_TRY(alter());
        break;
    }
    return std::move(statements_);
  }

 private:
  Result<void> create() {
    WHERRY_ASSIGN(std::string schema_sql, schema::create_schema_sql(change_.to->target.schema));
    schema_sql.insert(std::string_view("create schema ").size(), "if not exists ");
    // Whoever may not make schemas needs none that is there.
    statements_.push_back(fmt::format(
        "do $wherry$ begin if not exists (select from pg_catalog.pg_namespace where nspname = {}) "
        "then {}; end if; end $wherry$",
        schema::quote_literal(change_.to->target.schema), schema_sql));
    WHERRY_ASSIGN(std::string table, schema::create_table_sql(*change_.to));
    statements_.push_back(std::move(table));
    if (change_.to->key.empty()) return {};
    WHERRY_ASSIGN(std::string key, schema::add_key_sql(*change_.to));
    statements_.push_back(std::move(key));
    return {};
  }

  Result<void> alter() {
    WHERRY_TRY(rename_table());
    WHERRY_ASSIGN(table_, schema::quote_table(change_.to->target));
    WHERRY_TRY(drop_columns());
    WHERRY_TRY(rename_columns());
    for (std::size_t i = 0; i < change_.to->columns.size(); ++i) {
      WHERRY_TRY(change_.origins[i] ? change_column(i) : add_column(i));
    }
    return {};
  }

  Result<void> rename_table() {
    const schema::TableRef& from = change_.from->target;
    const schema::TableRef& to = change_.to->target;
    if (from.schema != to.schema) {
      WHERRY_ASSIGN(const std::string name, schema::quote_table(from));
      WHERRY_ASSIGN(const std::string other, schema::quote_identifier(to.schema));
      statements_.push_back("alter table " + name + " set schema " + other);
    }
    if (from.name == to.name) return {};
    WHERRY_ASSIGN(const std::string name, schema::quote_table({to.schema, from.name}));
    WHERRY_ASSIGN(const std::string other, schema::quote_identifier(to.name));
    statements_.push_back("alter table " + name + " rename to " + other);
    return {};
  }

  [[nodiscard]] bool is_kept(std::size_t old) const {
    for (const auto& origin : change_.origins) {
      if (origin == old) return true;
    }
    return false;
  }

  Result<void> drop_columns() {
    for (std::size_t i = 0; i < change_.from->columns.size(); ++i) {
      if (is_kept(i)) continue;
      WHERRY_ASSIGN(const std::string name,
                    schema::quote_identifier(change_.from->columns[i].target_name));
      add("drop column if exists " + name);
    }
    return {};
  }

  /// Columns may take each other's names: those that would meet go over a name of their own.
  Result<void> rename_columns() {
    std::vector<std::pair<std::string, std::string>> later;
    std::set<std::string> taken;
    for (const schema::ColumnPlan& column : change_.from->columns) taken.insert(column.target_name);
    for (std::size_t i = 0; i < change_.to->columns.size(); ++i) {
      if (!change_.origins[i]) continue;
      const std::string& was = change_.from->columns[*change_.origins[i]].target_name;
      const std::string& is = change_.to->columns[i].target_name;
      if (was == is) continue;
      WHERRY_ASSIGN(const std::string from, schema::quote_identifier(was));
      WHERRY_ASSIGN(const std::string to, schema::quote_identifier(is));
      if (taken.contains(is)) {
        const std::string between = fmt::format("\"wherry renamed {}\"", i);
        add("rename column " + from + " to " + between);
        later.emplace_back(between, to);
      } else {
        add("rename column " + from + " to " + to);
      }
    }
    for (const auto& [from, to] : later) add("rename column " + from + " to " + to);
    return {};
  }

  Result<void> add_column(std::size_t i) {
    const schema::ColumnPlan& column = change_.to->columns[i];
    WHERRY_ASSIGN(const std::string name, schema::quote_identifier(column.target_name));
    const bool has_value = i < change_.values.size() && change_.values[i];
    std::string sql = "add column " + name + " " + column.target_type;
    if (has_value) sql += " default " + schema::quote_literal(*change_.values[i]);
    // Without a value rows that exist would have NULL in it.
    if (column.not_null && has_value) sql += " not null";
    add(sql);
    if (has_value) add("alter column " + name + " drop default");
    return {};
  }

  Result<void> change_column(std::size_t i) {
    const schema::ColumnPlan& was = change_.from->columns[*change_.origins[i]];
    const schema::ColumnPlan& is = change_.to->columns[i];
    WHERRY_ASSIGN(const std::string name, schema::quote_identifier(is.target_name));
    if (was.target_type != is.target_type) {
      add(fmt::format("alter column {} type {} using {}::{}", name, is.target_type, name,
                      is.target_type));
    }
    if (was.not_null && !is.not_null) add("alter column " + name + " drop not null");
    return {};
  }

  void add(const std::string& action) {
    statements_.push_back("alter table " + table_ + " " + action);
  }

  const TableAlteration& change_;
  std::string table_;
  std::vector<std::string> statements_;
};

class PostgresApply final : public connect::TargetApply {
 public:
  PostgresApply(ConnectionSettings settings, connect::ApplySettings apply)
      : apply_(std::move(apply)),
        pool_(std::make_shared<ConnectionPool>(std::move(settings))),
        checkpoints_(pool_->settings().control_schema, apply_),
        presence_(std::make_shared<Presence>()) {}

  Result<std::vector<connect::ApplyTable>> describe(
      OpContext& context, const std::vector<schema::TablePlanPtr>& plans) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_ASSIGN(const bool as_replica, applies_as_replica(context, *connection));
    WHERRY_ASSIGN(auto tables, describe_apply_tables(context, *connection, plans, as_replica,
                                                     pool_->settings().refuses_null_characters));
    pool_->give_back(std::move(connection));
    return tables;
  }

  Result<std::map<std::uint32_t, connect::Checkpoint>> recover(
      OpContext& context, const std::string& task_name) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_ASSIGN(auto found,
                  checkpoints_.read(context, *connection, task_name, presence_->lanes()));
    pool_->give_back(std::move(connection));
    return found;
  }

  Result<std::unique_ptr<connect::TargetApplier>> open_lane(OpContext& context,
                                                            const std::string& task_name,
                                                            std::uint32_t lane) override {
    WHERRY_ASSERT(lane < connect::kMaxLanes, "lanes are numbered below kMaxLanes");
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection,
                  Connection::open(context, pool_->settings()));
    WHERRY_ASSIGN(const bool as_replica, applies_as_replica(context, *connection));
    WHERRY_TRY(CheckpointTable::enter(context, *connection, task_name, lane));
    const std::string& commit = pool_->settings().synchronous_commit;
    WHERRY_TRY(connection->execute(context, "cannot open a lane",
                                   commit == "default"
                                       ? "reset synchronous_commit"
                                       : "set synchronous_commit = '" + commit + "'"));
    connect::ControlTables control;
    control.schema = pool_->settings().control_schema;
    WHERRY_ASSIGN(std::string exceptions, exceptions_table(control));
    presence_->add(lane);
    LaneSettings settings{task_name,
                          lane,
                          apply_.statement_cache,
                          as_replica,
                          pool_->settings().refuses_null_characters,
                          std::move(exceptions),
                          checkpoints_,
                          std::shared_ptr<void>(nullptr, [presence = presence_, lane](void*) {
                            presence->remove(lane);
                          })};
    return make_lane(context, std::move(connection), std::move(settings));
  }

  Result<std::vector<std::string>> alter(const TableAlteration& change) override {
    return Alterer(change).run();
  }

  Result<void> flush(OpContext& context, const std::string& task_name,
                     const connect::Checkpoint& stored) override {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_TRY(checkpoints_.flush(context, *connection, task_name, stored));
    pool_->give_back(std::move(connection));
    return {};
  }

  Result<void> forget(OpContext& context, const std::string& task_name) override {
    auto done = remove_checkpoints(context, task_name);
    if (done.ok()) return done;
    Error error = std::move(done).error();
    error.hint += (error.hint.empty() ? "" : "; or ") +
                  fmt::format(
                      "remove by hand, in the target database: delete from "
                      "wherry_checkpoint where task_name = '{}'",
                      task_name);
    return error;
  }

 private:
  Result<void> remove_checkpoints(OpContext& context, const std::string& task_name) {
    WHERRY_ASSIGN(std::unique_ptr<Connection> connection, pool_->acquire(context));
    WHERRY_TRY(checkpoints_.forget(context, *connection, task_name));
    pool_->give_back(std::move(connection));
    return {};
  }

  /// Whether foreign keys and ordinary triggers are off in the sessions of lanes.
  Result<bool> applies_as_replica(OpContext& context, Connection& connection) {
    if (!pool_->settings().loads_as_replica) return false;
    return may_load_as_replica(context, connection);
  }

  const connect::ApplySettings apply_;
  const std::shared_ptr<ConnectionPool> pool_;
  const CheckpointTable checkpoints_;
  const std::shared_ptr<Presence> presence_;
};

}  // namespace

std::unique_ptr<connect::TargetApply> make_apply(ConnectionSettings settings,
                                                 connect::ApplySettings apply) {
  return std::make_unique<PostgresApply>(std::move(settings), std::move(apply));
}

}  // namespace wherry::postgres
