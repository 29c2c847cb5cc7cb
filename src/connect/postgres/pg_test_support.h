// What the tests with a server share: a database of its own for each test, plans written short, and
// cells made from text.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "connect/postgres/connection.h"
#include "connect/postgres/connector.h"
#include "core/decimal.h"
#include "core/row_batch.h"
#include "schema/postgres_types.h"
#include "tests/support/pg_cluster.h"

namespace wherry::postgres::test {

using wherry::test::PgCluster;

/// ASSERT that a Result is ok, with the whole error in the message.
#define WHERRY_EXPECT_OK(expr)                                                     \
  do {                                                                             \
    const auto& wherry_expect_ok = (expr);                                         \
    ASSERT_TRUE(wherry_expect_ok.ok()) << wherry_expect_ok.error().to_paragraph(); \
  } while (false)

class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = cluster().make_database();
    settings_.url = cluster().url(database_);
    settings_.password = Secret(cluster().password());
    connector_ = make_connector();
    admin_ = connect_as(settings_);
    ASSERT_NE(admin_, nullptr);
  }

  virtual PgCluster& cluster() { return PgCluster::shared(); }

  std::unique_ptr<Connection> connect_as(const connect::Settings& settings) {
    auto read = read_settings(settings);
    EXPECT_TRUE(read.ok());
    auto connection = Connection::open(context_, *read);
    EXPECT_TRUE(connection.ok()) << connection.error().to_paragraph();
    return connection.ok() ? std::move(*connection) : nullptr;
  }
  void run(const std::string& sql) { WHERRY_EXPECT_OK(admin_->execute(context_, "test", sql)); }
  /// The first value of a query.
  std::string value(const std::string& sql) {
    auto rows = admin_->query(context_, "test", sql);
    EXPECT_TRUE(rows.ok()) << rows.error().to_paragraph();
    if (!rows.ok() || rows->count() == 0) return "(no row)";
    return rows->is_null(0, 0) ? "NULL" : std::string(rows->text(0, 0));
  }

  /// 15 of 15.18.
  int major_version() { return admin_->server_version() / 10'000; }

  std::unique_ptr<connect::TargetLoader> loader() {
    auto made = connector_->open_loader(context_, settings_);
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }

  /// Makes the table and loads the batches as one chunk.
  Result<connect::LoadReport> load(
      const schema::TablePlanPtr& plan, const std::vector<const RowBatch*>& batches,
      connect::ExistingTable existing = connect::ExistingTable::kDrop) {
    const auto target = loader();
    WHERRY_TRY(target->prepare(context_, *plan, existing));
    WHERRY_ASSIGN(const auto session, target->begin(context_, plan, connect::Segment{}));
    for (const RowBatch* batch : batches) WHERRY_TRY(session->write(context_, *batch));
    WHERRY_ASSIGN(const connect::LoadReport report, session->finish(context_));
    WHERRY_TRY(target->complete(context_, *plan));
    return report;
  }

  OpContext context_;
  std::string database_;
  connect::Settings settings_;
  std::unique_ptr<connect::Connector> connector_;
  std::unique_ptr<Connection> admin_;
};

inline schema::LogicalType logical(schema::TypeKind kind, int fraction_digits = 0) {
  schema::LogicalType type;
  type.kind = kind;
  type.fraction_digits = static_cast<std::uint8_t>(fraction_digits);
  return type;
}

inline schema::LogicalType decimal_type(int precision, int scale) {
  schema::LogicalType type = logical(schema::TypeKind::kDecimal);
  type.precision = static_cast<std::int16_t>(precision);
  type.scale = static_cast<std::int16_t>(scale);
  return type;
}

/// A plan from a table to itself, with the types that Wherry gives it; the first column is the key.
inline std::shared_ptr<schema::TablePlan> plan_of(
    const std::string& table,
    const std::vector<std::pair<std::string, schema::LogicalType>>& columns) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = plan->target = {"app", table};
  for (const auto& [name, type] : columns) {
    schema::ColumnPlan column;
    column.source_name = column.target_name = name;
    column.type = type;
    column.target_type = *schema::postgres_type(type);
    plan->columns.push_back(column);
  }
  plan->columns[0].not_null = true;
  plan->key = {0};
  plan->key_is_primary = true;
  plan->key_name = table + "_pkey";
  return plan;
}

inline void set_null(Cell& cell, CellKind kind) {
  cell = Cell{};
  cell.kind = kind;
  cell.state = CellState::kNull;
}
inline void set_integer(Cell& cell, std::int64_t value, CellKind kind = CellKind::kInt64) {
  cell = Cell{};
  cell.kind = kind;
  cell.state = CellState::kSet;
  cell.payload.i64 = value;
}
inline void set_decimal(Cell& cell, std::string_view text, Arena& arena) {
  set_integer(cell, 0, CellKind::kDecimal);
  cell.payload.ptr = reinterpret_cast<const std::byte*>(parse_decimal(text, arena));
}
inline void set_text(Cell& cell, std::string_view text, Arena& arena,
                     CellKind kind = CellKind::kText) {
  set_integer(cell, 0, kind);
  cell.payload.ptr = arena.copy(text.data(), text.size());
  cell.size_bytes = static_cast<std::uint32_t>(text.size());
}

}  // namespace wherry::postgres::test
