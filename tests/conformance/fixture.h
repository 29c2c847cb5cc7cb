// What the conformance suites need of a connector. Each connector has one fixture
// (<name>_fixture.cpp) and is run through all suites; a suite asks what the connector can do, never
// what it is.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/api/connector.h"
#include "connect/memory/value.h"

namespace wherry::conformance {

using memory::Row;
using memory::Value;

/// A type and values of it that must come back equal: its limits and its oddities.
struct TypeSample {
  std::string name;
  schema::LogicalType type;
  std::string native_type;  ///< for fixtures that write their own DDL; others ignore it
  std::vector<Value> values;
};

struct SourceTable {
  schema::TableDef definition;
  std::vector<Row> rows;
};

/// One change of a row: `key` empty inserts, `row` empty deletes.
struct RowWrite {
  Row key, row;
};

/// One connector with an empty database of its own for each test.
class ConnectorFixture {
 public:
  virtual ~ConnectorFixture() = default;
  virtual connect::Connector& connector() = 0;
  /// Of a login that may do everything.
  virtual connect::Settings settings() = 0;
  virtual connect::Settings wrong_password() = 0;
  /// Where tests may create tables.
  virtual std::string schema() = 0;
  /// Makes a table with rows for the connector to read.
  virtual void create(const SourceTable& table) = 0;
  /// Adds rows to a table and commits.
  virtual void append(const SourceTable& table) = 0;
  /// Changes rows of a table, named by their keys, in one transaction. Of sources of changes.
  virtual void transact(const schema::TableDef&, const std::vector<RowWrite>&) {
    ADD_FAILURE() << "the fixture cannot change rows";
  }
  /// Every logical type that the connector can read, with native types where create() needs them.
  virtual std::vector<TypeSample> types() = 0;
  /// Names of tables and columns that the server takes.
  virtual std::vector<std::string> odd_names() = 0;
  /// From now on a read of `table` hangs (when it is opened or at a row) until unblock().
  virtual void block_reads(const schema::TableRef& table) = 0;
  /// Returns once a call is hanging; false after the limit.
  virtual bool wait_until_blocked(std::chrono::seconds limit) = 0;
  virtual void unblock() = 0;
  /// The server dies, and comes back with its data.
  virtual void shut_down() = 0;
  virtual void start_up() = 0;

  [[nodiscard]] bool is_target() { return (connector().info().roles & connect::kTarget) != 0; }
};

using FixtureFactory = std::unique_ptr<ConnectorFixture> (*)();

#define WHERRY_ASSERT_OK(expr)                                                     \
  do {                                                                             \
    const auto& wherry_assert_ok = (expr);                                         \
    ASSERT_TRUE(wherry_assert_ok.ok()) << wherry_assert_ok.error().to_paragraph(); \
  } while (false)

/// What the suites share.
class Conformance : public ::testing::TestWithParam<FixtureFactory> {
 protected:
  void SetUp() override { fixture_ = GetParam()(); }

  /// ID (int64, the primary key unless `has_key` is false), NAME (text).
  SourceTable simple_table(const std::string& name, int row_count, bool has_key = true);
  /// Table of the connector's own types `samples`, with ID as key; row i has the i-th value of each
  /// column, over and over until all have been seen, and a row of NULLs.
  SourceTable typed_table(const std::string& name, const std::vector<TypeSample>& samples);
  /// From the table to itself.
  schema::TablePlanPtr plan_of(const schema::TableDef& definition);

  std::unique_ptr<connect::SnapshotSource> snapshot(const Position& at = {});
  Result<std::vector<Row>> read(connect::SnapshotSource& source, const schema::TablePlanPtr& plan,
                                const connect::Chunk& chunk = {},
                                connect::RowOrder order = connect::RowOrder::kAny,
                                std::size_t batch_bytes = RowBatch::kDefaultBudgetBytes);
  /// prepare, begin, write; REQUIRES: a target.
  Result<std::unique_ptr<connect::LoadSession>> begin_load(connect::TargetLoader& loader,
                                                           const schema::TablePlanPtr& plan,
                                                           const std::vector<Row>& rows);
  Result<void> load(const SourceTable& table,
                    connect::ExistingTable existing = connect::ExistingTable::kDrop);

  std::unique_ptr<ConnectorFixture> fixture_;
  OpContext context_;
};

/// The suites: sources, targets, and what goes wrong.
class Read : public Conformance {};
class Failure : public Conformance {};
class Load : public Conformance {
 protected:
  void SetUp() override;
  std::size_t row_count(const SourceTable& table);
  std::unique_ptr<connect::TargetLoader> loader_;
};

class Changes : public Conformance {
 protected:
  void SetUp() override;
  void TearDown() override;
  void open_source();
  /// The table of the test: ID, the key, and NAME.
  void create(const std::string& name, int rows);
  static Row row(std::int64_t id, const std::string& name);
  void write(std::vector<RowWrite> writes);
  std::unique_ptr<connect::ChangeStream> stream(const Position& from);
  void apply(const connect::ChangeBatch& batch);
  void apply_row(const connect::Change& change);
  /// Applies what comes until the row with that ID is there.
  void fit(const std::function<Result<connect::StreamStart>()>& begin);
  void read_until(connect::ChangeStream& from, std::int64_t marker);

  std::unique_ptr<connect::ChangeSource> source_;
  connect::StreamRequest request_;
  SourceTable table_;
  std::map<std::int64_t, std::string> rows_;  ///< NAME by ID
  bool is_open_ = false;                      ///< within a transaction
  int commits_ = 0;
  connect::CommitOrder begun_ = 0;
  connect::CommitInfo last_;
};

/// Runs all suites over a connector.
#define WHERRY_CONFORMS(Name, factory)                              \
  INSTANTIATE_TEST_SUITE_P(Name, Read, ::testing::Values(factory)); \
  INSTANTIATE_TEST_SUITE_P(Name, Load, ::testing::Values(factory)); \
  INSTANTIATE_TEST_SUITE_P(Name, Failure, ::testing::Values(factory))

/// The duties of a source of changes.
#define WHERRY_CHANGES_CONFORM(Name, factory) \
  INSTANTIATE_TEST_SUITE_P(Name, Changes, ::testing::Values(factory))

/// Fills a batch; for fixtures and suites.
void fill(RowBatch& batch, const std::vector<Row>& rows, const schema::TablePlan& plan);
/// The plan of a table to itself with the loader's types; `loader` may be nullptr for reading only.
schema::TablePlanPtr identity_plan(const schema::TableDef& definition,
                                   connect::TargetLoader* loader);
/// Creates the table through the connector's own loader.
Result<void> load_table(OpContext& context, connect::TargetLoader& loader, const SourceTable& table,
                        connect::ExistingTable existing);
/// Sorted by the text of all values: multisets are equal when these are.
std::vector<std::string> sorted_texts(const std::vector<Row>& rows);

/// Values at the limits of every logical type that any target must hold.
std::vector<TypeSample> all_types();

}  // namespace wherry::conformance
