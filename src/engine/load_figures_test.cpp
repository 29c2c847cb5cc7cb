#include "engine/load_figures.h"

#include "engine/test_support.h"

namespace wherry::engine {
namespace {

schema::TablePlanPtr plan_with(std::uint64_t estimated_rows) {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->estimated_rows = estimated_rows;
  return plan;
}

TEST(LoadFigures, AShareComesFromChunksAndNotFromOldStatistics) {
  LoadProgress progress;
  TableProgress& table = progress.add(plan_with(10));  // there are a thousand times as many
  table.state = TableState::kFullLoad;
  table.chunks = 4;
  table.size_bytes = 4000;
  table.rows = 5000;
  table.done_bytes = 1000;
  table.durable_bytes = 500;
  table.bytes = 500;
  EXPECT_DOUBLE_EQ(*share_of(table), 0.25);
  table.bytes = 750;  // half of another chunk is under way
  EXPECT_DOUBLE_EQ(*share_of(table), 0.375);
  table.bytes = 5000;
  EXPECT_LT(*share_of(table), 1.0);
  table.state = TableState::kTableCompleted;
  EXPECT_DOUBLE_EQ(*share_of(table), 1.0);
}

TEST(LoadFigures, ATableOfUnknownSizeHasNoShare) {
  LoadProgress progress;
  TableProgress& table = progress.add(plan_with(0));
  table.state = TableState::kFullLoad;
  table.rows = 5;
  EXPECT_FALSE(share_of(table));
  TableProgress& other = progress.add(plan_with(10));
  other.state = TableState::kFullLoad;
  other.rows = 5;
  EXPECT_DOUBLE_EQ(*share_of(other), 0.5);
}

TEST(LoadFigures, TheRemainingTimeCountsThisRunsWorkOnly) {
  LoadProgress progress;
  TableProgress& table = progress.add(plan_with(0));
  table.state = TableState::kFullLoad;
  table.chunks = 10;
  table.size_bytes = 10'000'000;
  table.done_bytes = 6'000'000;
  table.bytes = table.durable_bytes = 600;
  EXPECT_NEAR(*figures_of(progress, std::chrono::seconds(60)).remaining_seconds, 40.0, 0.1);
  // Half of it was there when this run began: 30 % took a minute.
  table.bytes_before = 300;
  table.rows = 60;
  table.rows_before = 30;
  const LoadFigures figures = figures_of(progress, std::chrono::seconds(60));
  EXPECT_NEAR(*figures.remaining_seconds, 80.0, 0.1);
  EXPECT_EQ(figures.rows_now, 30U);
  EXPECT_EQ(figures.bytes_now, 300U);
}

TEST(LoadFigures, NamesTheSlowestSide) {
  using std::chrono::milliseconds;
  EXPECT_EQ(slowest_side(milliseconds(10), milliseconds(1)), "");
  EXPECT_EQ(slowest_side(milliseconds(900), milliseconds(100)), "source read");
  EXPECT_EQ(slowest_side(milliseconds(100), milliseconds(900)), "target write");
  EXPECT_EQ(slowest_side(milliseconds(500), milliseconds(500)), "balanced");
}

}  // namespace
}  // namespace wherry::engine
