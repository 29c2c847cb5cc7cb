#include "engine/made_rows.h"

#include <gtest/gtest.h>

#include <cstring>

#include "engine/changes/change_headers.h"
#include "engine/changes/made_change.h"

namespace wherry::engine {
namespace {

using connect::Change;
using connect::ChangeKind;
using schema::ColumnOrigin;
using schema::TypeKind;

schema::ColumnPlan column(const char* name, TypeKind kind) {
  schema::ColumnPlan out;
  out.source_name = out.target_name = name;
  out.type.kind = kind;
  return out;
}
schema::ColumnPlan added(const char* name, TypeKind kind, const char* expression) {
  schema::ColumnPlan out = column(name, kind);
  out.origin = ColumnOrigin::kAdded;
  out.expression = expression;
  return out;
}

/// T (ID, NAME masked, SUM = ID + SECRET, EMPTY, BI_NAME); SECRET is read and not moved.
schema::TablePlanPtr plan_of_table() {
  auto plan = std::make_shared<schema::TablePlan>();
  plan->source = plan->target = {"S", "T"};
  plan->columns = {column("ID", TypeKind::kInt64), column("NAME", TypeKind::kText),
                   added("SUM", TypeKind::kInt64, "$ID + $SECRET"),
                   added("EMPTY", TypeKind::kText, "")};
  plan->columns[1].masking = {schema::MaskingKind::kDigits, '#'};
  plan->columns[1].trim_blanks = true;
  plan->columns.push_back(plan->columns[1]);
  plan->columns.back().origin = ColumnOrigin::kBefore;
  plan->columns.back().target_name = "BI_NAME";
  plan->side_columns = {column("SECRET", TypeKind::kInt64)};
  plan->key = {0};
  return plan;
}

Cell integer(std::int64_t value) {
  Cell cell{};
  cell.kind = CellKind::kInt64;
  cell.state = CellState::kSet;
  cell.payload.i64 = value;
  return cell;
}
Cell text(const char* value) {
  Cell cell{};
  cell.kind = CellKind::kText;
  cell.state = CellState::kSet;
  cell.payload.ptr = reinterpret_cast<const std::byte*>(value);
  cell.size_bytes = static_cast<std::uint32_t>(std::strlen(value));
  return cell;
}
Cell unchanged() {
  Cell cell{};
  cell.state = CellState::kUnchanged;
  return cell;
}

TEST(MadeRows, APlanIsReadWithoutWhatRulesMake) {
  const auto plan = plan_of_table();
  EXPECT_TRUE(schema::makes_rows(*plan));
  const auto read = schema::read_plan(plan);
  ASSERT_EQ(read->columns.size(), 3U);
  EXPECT_EQ(read->columns[2].source_name, "SECRET");
  EXPECT_EQ(read->key, (std::vector<std::size_t>{0}));
  EXPECT_FALSE(read->columns.empty());
  const auto comparable = schema::comparable_plan(plan);
  ASSERT_EQ(comparable->columns.size(), 1U);
  EXPECT_EQ(comparable->key, (std::vector<std::size_t>{0}));
  auto plain = std::make_shared<schema::TablePlan>();
  plain->columns = {column("ID", TypeKind::kInt64)};
  EXPECT_EQ(schema::read_plan(plain), schema::TablePlanPtr(plain));
}

TEST(MadeRows, RowsOfALoadAreMade) {
  const auto plan = plan_of_table();
  const auto read = schema::read_plan(plan);
  auto maker = RowMaker::make(*plan, *read).value();
  RowBatch batch;
  for (int round = 0; round < 2; ++round) {
    batch.reset(3);
    for (int i = 0; i < 5; ++i) {
      Cell* const row = batch.append_row();
      row[0] = integer(i);
      row[1] = text("a1b22  ");
      row[2] = integer(100);
    }
    maker->make_rows(batch);
    ASSERT_EQ(batch.row_count(), 5U);
    ASSERT_EQ(batch.column_count(), 5U);
    for (int i = 0; i < 5; ++i) {
      const Cell* const row = batch.row(static_cast<std::size_t>(i));
      EXPECT_EQ(row[0].payload.i64, i);
      EXPECT_EQ(row[1].bytes(), "a#b##");
      EXPECT_EQ(row[2].payload.i64, 100 + i);
      EXPECT_TRUE(row[3].is_null());
      EXPECT_TRUE(row[4].is_null());
    }
  }
}

TEST(MadeRows, ABatchTakesAnotherShape) {
  RowBatch batch;
  batch.reset(3);
  for (int i = 0; i < 4; ++i) {
    Cell* const row = batch.append_row();
    for (int c = 0; c < 3; ++c) row[c] = integer(10 * i + c);
  }
  batch.note_length({1, 2, 500, false});
  batch.note_length({2, 0, 600, false});
  batch.reshape(std::vector<std::int32_t>{2, -1, 1, 2, -1});
  for (std::size_t i = 0; i < 4; ++i) {
    const auto base = static_cast<std::int64_t>(10 * i);
    EXPECT_EQ(batch.at(i, 0).payload.i64, base + 2);
    EXPECT_TRUE(batch.at(i, 1).is_null());
    EXPECT_EQ(batch.at(i, 2).payload.i64, base + 1);
    EXPECT_EQ(batch.at(i, 3).payload.i64, base + 2);
  }
  ASSERT_NE(batch.length_of(1, 0), nullptr);
  EXPECT_EQ(batch.length_of(1, 0)->length, 500U);
  EXPECT_EQ(batch.length_of(2, 0), nullptr);
  batch.reshape(std::vector<std::int32_t>{2});
  EXPECT_EQ(batch.at(3, 0).payload.i64, 31);
}

class MadeChangeTest : public ::testing::Test {
 protected:
  MadeChangeTest() {
    shape_.id = connect::new_shape_id();
    shape_.source = shape_.definition.table = {"S", "T"};
    for (const auto& [name, kind] : {std::pair{"ID", TypeKind::kInt64},
                                     {"NAME", TypeKind::kText},
                                     {"SECRET", TypeKind::kInt64}}) {
      schema::ColumnDef& column = shape_.definition.columns.emplace_back();
      column.name = name;
      column.type.kind = kind;
    }
    shape_.identity = {0};
  }
  /// `cells` of the plan as Routes would have mapped them from those of the shape.
  std::vector<Cell> mapped(const Cell* cells) {
    return {cells[0], cells[1], unchanged(), unchanged(), unchanged()};
  }
  connect::RowShape shape_;
  Arena arena_;
  transform::RowHeader header_;
};

TEST_F(MadeChangeTest, AnUpdateTakesWhatItDoesNotBringFromBefore) {
  auto maker = ChangeMaker::make(plan_of_table(), {0}, shape_).value();
  const Cell before[] = {integer(1), text("old 1"), integer(10)};
  const Cell after[] = {integer(2), text("new 2"), unchanged()};
  Change change;
  change.kind = ChangeKind::kUpdate;
  change.shape = &shape_;
  change.before = before;
  change.after = after;
  auto old = mapped(before), now = mapped(after);
  maker->make_cells(change, header_, old.data(), now.data(), arena_);
  EXPECT_EQ(now[1].bytes(), "new #");
  EXPECT_EQ(now[2].payload.i64, 12);
  EXPECT_EQ(now[3].state, CellState::kUnchanged) << "nobody has an opinion";
  EXPECT_EQ(now[4].bytes(), "old #") << "what it was, masked as the column is";
  EXPECT_EQ(old[1].bytes(), "old #");
  EXPECT_EQ(old[2].state, CellState::kUnchanged) << "no row is sought by it";
  // The key holds it: it is what was made of the row before.
  auto by_sum = ChangeMaker::make(plan_of_table(), {2}, shape_).value();
  old = mapped(before);
  now = mapped(after);
  by_sum->make_cells(change, header_, old.data(), now.data(), arena_);
  EXPECT_EQ(old[2].payload.i64, 11);
}

TEST_F(MadeChangeTest, AnInsertHasNothingBefore) {
  auto maker = ChangeMaker::make(plan_of_table(), {0}, shape_).value();
  const Cell after[] = {integer(2), text("n"), integer(3)};
  Change change;
  change.kind = ChangeKind::kInsert;
  change.shape = &shape_;
  change.after = after;
  auto now = mapped(after);
  maker->make_cells(change, header_, nullptr, now.data(), arena_);
  EXPECT_EQ(now[2].payload.i64, 5);
  EXPECT_TRUE(now[3].is_null());
  EXPECT_TRUE(now[4].is_null());
}

TEST_F(MadeChangeTest, ADeletedRowCanStay) {
  auto plan = std::make_shared<schema::TablePlan>(*plan_of_table());
  plan->keeps_deleted = true;
  plan->columns[3] = added("FLAG", TypeKind::kText, "operation_indicator('D','U','I')");
  auto maker = ChangeMaker::make(plan, {0}, shape_).value();
  EXPECT_TRUE(maker->keeps_deleted());
  const Cell before[] = {integer(1), unchanged(), unchanged()};
  Change change;
  change.kind = ChangeKind::kDelete;
  change.shape = &shape_;
  change.before = before;
  header_.operation = transform::Operation::kDelete;
  auto old = mapped(before);
  std::vector<Cell> now(5, unchanged());
  maker->make_cells(change, header_, old.data(), now.data(), arena_);
  EXPECT_EQ(now[3].bytes(), "D");
  EXPECT_EQ(now[1].state, CellState::kUnchanged);
  EXPECT_EQ(now[2].state, CellState::kUnchanged) << "SECRET is not known";
}

TEST_F(MadeChangeTest, AnExpressionNeedsItsColumns) {
  shape_.definition.columns.pop_back();
  const auto maker = ChangeMaker::make(plan_of_table(), {0}, shape_);
  ASSERT_FALSE(maker.ok());
  EXPECT_EQ(maker.error().code, "mapping.expression");
}

TEST(ChangeHeaders, TheSequenceGrowsWhateverTheClockSays) {
  ChangeHeaders headers;
  connect::Checkpoint from;
  from.sequence = 41;
  from.commit_time = std::chrono::system_clock::time_point(std::chrono::seconds(1'714'557'072));
  headers.begin_after(from);
  std::string last;
  for (const int seconds : {5, 4, 6}) {  // the second one is older than the first
    connect::CommitInfo commit;
    commit.order = 7;
    commit.time = from.commit_time + std::chrono::seconds(seconds);
    headers.begin_transaction(commit, nullptr);
    for (int i = 0; i < 2; ++i) {
      const auto& header = headers.next(ChangeKind::kUpdate);
      EXPECT_EQ(header.change_sequence.size(), 35U);
      EXPECT_LT(last, header.change_sequence);
      EXPECT_EQ(header.stream_position, "7");
      EXPECT_EQ(header.commit_time_us, (1'714'557'072LL + seconds) * 1'000'000);
      last = header.change_sequence;
    }
    headers.begin_heartbeat();
  }
  EXPECT_EQ(last.substr(0, 16), "2024050109511800");
}

TEST(ChangeHeaders, EachTransactionHasItsUser) {
  ChangeHeaders headers;
  for (const char* user : {"HR", "", "SCOTT"}) {
    connect::CommitInfo commit;
    commit.order = 7;
    commit.user = user;
    headers.begin_transaction(commit, nullptr);
    EXPECT_EQ(headers.next(ChangeKind::kInsert).user, user);
  }
}

}  // namespace
}  // namespace wherry::engine
