// Filters that the source does not evaluate: what is loaded, counted, sampled and compared is as if
// it did.
#include "engine/row_sieve.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/spill_file.h"
#include "engine/sample.h"
#include "engine/test_support.h"

namespace wherry::engine {
namespace {

constexpr const char* kRule =
    R"({"rules":[{"rule-type":"selection","rule-id":1,"rule-name":"1","rule-action":"include",
        "object-locator":{"schema-name":"S","table-name":"T"},"filters":[
          {"filter-type":"source","column-name":"NAME","filter-conditions":[
            {"filter-operator":"gte","value":"name 5"},{"filter-operator":"null"}]},
          {"filter-type":"source","column-name":"ID","filter-conditions":[
            {"filter-operator":"noteq","value":"70"}]}]},
        {"rule-type":"transformation","rule-id":2,"rule-name":"2","rule-target":"column",
         "rule-action":"remove-column","object-locator":
           {"schema-name":"S","table-name":"T","column-name":"NAME"}}]})";

/// ID and AMOUNT of the rows that the rule takes.
std::vector<Row> taken_rows(std::int64_t count) {
  std::vector<Row> out;
  for (const Row& row : sample_rows(count)) {
    const bool is_taken = (row[1].is_null || row[1].bytes >= "name 5") && row[0].i64 != 70;
    if (is_taken) out.push_back({row[0], row[2]});
  }
  return out;
}

class RowSieveLoad : public ::testing::TestWithParam<bool> {
 protected:
  RowSieveLoad() {
    if (GetParam()) world_.source_options["filters"] = "engine";
    world_.source_options["batch_rows"] = "10";
    world_.options.chunk_bytes = world_.options.least_chunk_bytes = 64 * 50;
    world_.options.segment_bytes = 1'000;
  }
  World world_;
};

TEST_P(RowSieveLoad, LoadsComparesAndSamplesWhatTheFilterTakes) {
  constexpr std::int64_t kRows = 500;
  world_.source.put(table_def("T"), sample_rows(kRows));
  const auto wanted = taken_rows(kRows);
  auto loaded = world_.load(kRule);
  ASSERT_TRUE(loaded.ok()) << loaded.error().to_paragraph();
  EXPECT_TRUE(World::same_rows(world_.target_rows("T"), wanted));
  const TableProgress& table = world_.table("T");
  EXPECT_EQ(table.rows, wanted.size());
  EXPECT_EQ(table.filtered_rows, GetParam() ? kRows - wanted.size() : 0);
  EXPECT_GT(table.chunks, 1U);
  std::uint64_t recorded = 0;
  for (const connect::DoneChunk& chunk : world_.target.recorded("load")) recorded += chunk.rows;
  EXPECT_EQ(recorded, wanted.size()) << "the ledger counts rows that were loaded";

  ASSERT_TRUE(world_.validate().ok());
  EXPECT_EQ(world_.validation->tables()[0].state, ValidationState::kValidated);
  EXPECT_EQ(world_.validation->tables()[0].source_rows, wanted.size());

  auto snapshot =
      world_.connector.open_snapshot(world_.context, world_.settings("source"), {}).value();
  const auto sample =
      sample_table(world_.context, *snapshot, *world_.loader, world_.tasks[0], kRows).value();
  EXPECT_EQ(sample.rows, wanted.size());
  EXPECT_TRUE(sample.is_whole);
}

/// Rows that came although the filter does not take them are differences, and those that are not
/// there.
TEST_P(RowSieveLoad, ComparisonSeesBothKindsOfDifference) {
  world_.source.put(table_def("T"), sample_rows(100));
  ASSERT_TRUE(world_.load(kRule).ok());
  ASSERT_TRUE(world_.target
                  .change({"S", "T"},
                          [](memory::Table& table) {
                            table.rows.erase(table.rows.begin());
                            table.rows.push_back({Value::integer(70), Value::decimal("1")});
                            return Result<void>();
                          })
                  .ok());
  ASSERT_TRUE(world_.validate().ok());
  ASSERT_EQ(world_.differences.all.size(), 2U);
}

TEST_P(RowSieveLoad, GoesOnInsideTheTable) {
  constexpr std::int64_t kRows = 400;
  world_.source.put(table_def("T"), sample_rows(kRows));
  world_.options.max_subtasks = 1;
  world_.target.faults().add({Point::kFinish, "T", 0, 1, std::nullopt});
  std::thread load([&] { EXPECT_FALSE(world_.load(kRule).ok()); });
  ASSERT_TRUE(world_.target.faults().wait_held(1, kDeadline));
  world_.target.faults().add(
      {Point::kBegin, "T", 0, 1, make_error(ErrorKind::kResource, "test.disk", "it is full", "")});
  world_.target.faults().release();
  load.join();
  const std::size_t done = world_.target.recorded("load").size();
  EXPECT_GE(done, 1U);
  EXPECT_LT(done, world_.table("T").chunks);
  const auto resumed = world_.resume();
  ASSERT_TRUE(resumed.ok()) << resumed.error().to_paragraph();
  const auto wanted = taken_rows(kRows);
  EXPECT_TRUE(World::same_rows(world_.target_rows("T"), wanted));
  EXPECT_EQ(world_.table("T").rows, wanted.size());
}

INSTANTIATE_TEST_SUITE_P(Sides, RowSieveLoad, ::testing::Bool(), [](const auto& side) {
  return side.param ? "ByTheEngine" : "ByTheSource";
});

TEST(RowSieve, APlanReadsWhatItsFilterNeeds) {
  World world;
  world.source.put(table_def("T"), sample_rows(1));
  const TaskPlan by_source = world.plan(kRule).value();
  EXPECT_TRUE(schema::engine_filter(*by_source.tables[0].plan).empty());
  EXPECT_TRUE(by_source.tables[0].plan->side_columns.empty());
  world.source_options["filters"] = "engine";
  const TaskPlan by_engine = world.plan(kRule).value();
  const schema::TablePlanPtr plan = by_engine.tables[0].plan;
  EXPECT_TRUE(schema::source_filter(*plan).empty());
  ASSERT_EQ(plan->side_columns.size(), 1U) << "ID is read anyway";
  EXPECT_EQ(plan->side_columns[0].source_name, "NAME");
  const auto read = schema::read_plan(plan);
  const auto places = schema::places_of(schema::engine_filter(*plan), *read);
  EXPECT_EQ(places, (std::vector<std::optional<std::size_t>>{2, 0}));
  // What is compared has them beside its own columns.
  const auto comparable = schema::comparable_plan(plan);
  EXPECT_EQ(comparable->columns.size(), 2U);
  EXPECT_EQ(comparable->side_columns.size(), 2U);
}

/// A row of which nobody knows whether it belongs is refused, not loaded and not lost in silence.
TEST(RowSieve, ARowThatCannotBeJudgedCannotBeLoaded) {
  schema::TablePlan plan;
  for (const char* name : {"ID", "NAME"}) {
    schema::ColumnPlan& column = plan.columns.emplace_back();
    column.source_name = column.target_name = name;
    column.type.kind = TypeKind::kInt64;
  }
  schema::ColumnFilter filter{"NAME", plan.columns[1].type, {}};
  filter.conditions = {{schema::FilterOperator::kEqual, "1", "", schema::FilterSide::kEngine}};
  plan.filter = std::make_shared<const schema::RowFilter>(schema::RowFilter{filter});
  const auto fill = [](RowBatch& batch) {
    batch.reset(2);
    for (int i = 0; i < 3; ++i) {
      Cell* const row = batch.append_row();
      for (int c = 0; c < 2; ++c) {
        row[c].kind = CellKind::kInt64;
        row[c].state = CellState::kSet;
        row[c].payload.i64 = i;
      }
    }
    batch.row(2)[1].state = CellState::kUnreadable;
  };
  RowBatch batch;
  fill(batch);
  EXPECT_EQ(RowSieve::make(plan, RowSieve::Unreadable::kRefused)->filter(batch), 1U);
  ASSERT_EQ(batch.row_count(), 2U);
  EXPECT_EQ(batch.at(0, 0).state, CellState::kSet);
  EXPECT_EQ(batch.at(1, 0).state, CellState::kUnreadable);
  EXPECT_NE(batch.at(1, 0).bytes().find("a filter asks for"), std::string_view::npos);
  fill(batch);
  EXPECT_EQ(RowSieve::make(plan, RowSieve::Unreadable::kLeftOut)->filter(batch), 2U);
  plan.filter = nullptr;
  EXPECT_EQ(RowSieve::make(plan, RowSieve::Unreadable::kRefused), nullptr);
}

}  // namespace
}  // namespace wherry::engine
