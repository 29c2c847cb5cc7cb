// Rows that the target refuses, under every policy.
#include "engine/row_errors.h"

#include "engine/test_support.h"

namespace wherry::engine {
namespace {

/// T0, T1, …: of every seven rows one has a NULL that the target does not take.
struct RefusingWorld : World {
  explicit RefusingWorld(int tables = 1, std::int64_t rows = 20) {
    for (int i = 0; i < tables; ++i) {
      schema::TableDef def = table_def("T" + std::to_string(i));
      source.put(def, sample_rows(rows));
      def.columns[1].nullable = false;
      target.put(def);
    }
    options.existing = connect::ExistingTable::kKeep;
    options.max_subtasks = 1;
  }
};

TEST(RowErrors, AreLeftOutAndCountedByDefault) {
  RefusingWorld world;
  ASSERT_TRUE(world.load().ok());
  const TableProgress& table = world.table("T0");
  EXPECT_EQ(table.state, TableState::kTableCompleted);
  EXPECT_EQ(table.rows, 18U);
  EXPECT_EQ(table.refused_rows, 2U);
  EXPECT_EQ(world.target_rows("T0").size(), 18U);
  ASSERT_TRUE(table.first_refusal.has_value());
  EXPECT_EQ(table.first_refusal->code, "memory.not_null");
  ASSERT_TRUE(world.validate().ok());
  EXPECT_EQ(world.differences.all.size(), 2U);
}

TEST(RowErrors, SuspendTheTableOrStopTheTaskAsThePolicySays) {
  {
    RefusingWorld world(3);
    world.options.errors.data = ErrorAction::kSuspendTable;
    ASSERT_TRUE(world.load().ok());
    EXPECT_EQ(world.table("T2").state, TableState::kTableError);
    EXPECT_EQ(world.table("T0").refused_rows, 0U);
    EXPECT_TRUE(world.target_rows("T0").empty());
    EXPECT_NE(world.table("T0").error->to_paragraph().find("DataErrorPolicy"), std::string::npos);
  }
  RefusingWorld world(3);
  world.options.errors.data = ErrorAction::kStopTask;
  const auto loaded = world.load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, kStoppedByPolicy);
  EXPECT_EQ(world.table("T2").state, TableState::kBeforeLoad);
}

TEST(RowErrors, EscalateAtTheCountOfATable) {
  RefusingWorld world(2, 40);  // five rows each
  world.options.errors.escalation_count = 6;
  ASSERT_TRUE(world.load().ok());
  EXPECT_EQ(world.table("T1").state, TableState::kTableCompleted);
  RefusingWorld strict(2, 40);
  strict.options.errors.escalation_count = 5;
  ASSERT_TRUE(strict.load().ok());
  EXPECT_EQ(strict.table("T0").state, TableState::kTableError);
  EXPECT_NE(strict.table("T0").error->to_paragraph().find("DataErrorEscalationPolicy"),
            std::string::npos);
  RefusingWorld stopping(2, 40);
  stopping.options.errors.escalation_count = 5;
  stopping.options.errors.escalation = ErrorAction::kStopTask;
  EXPECT_EQ(stopping.load().error().code, kStoppedByPolicy);
}

TEST(TableErrors, StopTheTaskAsThePolicySays) {
  const auto world_with_broken_tables = [] {
    auto world = std::make_unique<RefusingWorld>(4);
    world->options.errors.data = ErrorAction::kSuspendTable;
    return world;
  };
  auto first = world_with_broken_tables();
  first->options.errors.table = ErrorAction::kStopTask;
  EXPECT_EQ(first->load().error().code, kStoppedByPolicy);
  auto third = world_with_broken_tables();
  third->options.errors.table_escalation_count = 3;
  const auto loaded = third->load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message.find("TableErrorEscalationPolicy"), std::string::npos);
  EXPECT_EQ(third->table("T2").state, TableState::kTableError);
  EXPECT_EQ(third->table("T3").state, TableState::kBeforeLoad);
}

TEST(RowErrors, AreCountedOnceWhenATableIsLoadedAgain) {
  RefusingWorld world;
  Fault fault;
  fault.point = Point::kFinish;
  fault.error = memory::cut_error();
  world.target.faults().add(fault);
  world.options.existing = connect::ExistingTable::kTruncate;
  ASSERT_TRUE(world.load().ok());
  EXPECT_EQ(world.table("T0").refused_rows, 2U);
  EXPECT_EQ(world.table("T0").rows, 18U);
}

}  // namespace
}  // namespace wherry::engine
