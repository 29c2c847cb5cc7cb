#include "engine/changes/filtered_change.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace wherry::engine {
namespace {

using connect::Change;
using connect::ChangeKind;
using Verdict = FilteredChange::Verdict;

constexpr int kNull = -1, kUnchanged = -2;

/// Rows of ID, REGION and V; REGION must be 1.
class FilteredChangeTest : public ::testing::Test {
 protected:
  using Values = std::array<int, 3>;

  FilteredChangeTest() {
    for (const char* name : {"ID", "REGION", "V"}) {
      schema::ColumnDef& column = shape_.definition.columns.emplace_back();
      column.name = name;
      column.type.kind = schema::TypeKind::kInt32;
    }
    shape_.identity = {0};
  }

  const Cell* row(const Values& values) {
    auto* const cells = reinterpret_cast<Cell*>(arena_.allocate(values.size() * sizeof(Cell)));
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::memset(&cells[i], 0, sizeof(Cell));
      cells[i].kind = CellKind::kInt64;
      cells[i].state = values[i] == kNull        ? CellState::kNull
                       : values[i] == kUnchanged ? CellState::kUnchanged
                                                 : CellState::kSet;
      cells[i].payload.i64 = values[i];
    }
    return cells;
  }

  FilteredChange filtered(ChangeKind kind, const Cell* before, const Cell* after) {
    schema::RowFilter filter(1);
    filter[0].column = "REGION";
    filter[0].type.kind = schema::TypeKind::kInt32;
    filter[0].conditions = {{schema::FilterOperator::kEqual, "1", ""}};
    const schema::RowFilterTest test(filter, shape_.definition.columns);
    Change change;
    change.kind = kind;
    change.shape = &shape_;
    change.before = before;
    change.after = after;
    constexpr std::array<std::int32_t, 3> kNeeded = {0, 1, 2};
    return filter_change(test, kNeeded, change, arena_);
  }
  FilteredChange updated(const Values& before, const Values& after) {
    return filtered(ChangeKind::kUpdate, row(before), row(after));
  }

  static std::string text(const Cell* cells) {
    if (cells == nullptr) return "none";
    std::string out;
    for (int i = 0; i < 3; ++i) {
      out += cells[i].state == CellState::kUnchanged ? "= "
                                                     : std::to_string(cells[i].payload.i64) + " ";
    }
    return out;
  }

  connect::RowShape shape_;
  Arena arena_;
};

TEST_F(FilteredChangeTest, InsertsAndDeletesAreJudgedByTheirRow) {
  const auto inserted = [&](int region) {
    return filtered(ChangeKind::kInsert, nullptr, row({1, region, 2})).verdict;
  };
  EXPECT_EQ(inserted(1), Verdict::kTaken);
  EXPECT_EQ(inserted(2), Verdict::kLeftOut);
  EXPECT_EQ(inserted(kNull), Verdict::kLeftOut);
  EXPECT_EQ(inserted(kUnchanged), Verdict::kUnknown);
  const auto deleted = [&](int region) {
    return filtered(ChangeKind::kDelete, row({1, region, kUnchanged}), nullptr).verdict;
  };
  EXPECT_EQ(deleted(1), Verdict::kTaken);
  EXPECT_EQ(deleted(2), Verdict::kLeftOut);
  EXPECT_EQ(deleted(kUnchanged), Verdict::kUnknown);
}

TEST_F(FilteredChangeTest, UpdatesBringRowsInAndTakeThemOut) {
  const FilteredChange within = updated({1, 1, 5}, {1, 1, 6});
  EXPECT_EQ(within.verdict, Verdict::kTaken);
  EXPECT_EQ(within.change.kind, ChangeKind::kUpdate);
  EXPECT_EQ(updated({1, 2, 5}, {1, kNull, 6}).verdict, Verdict::kLeftOut);

  const FilteredChange in = updated({1, 2, 5}, {1, 1, kUnchanged});
  EXPECT_EQ(in.verdict, Verdict::kTaken);
  EXPECT_EQ(in.change.kind, ChangeKind::kInsert);
  EXPECT_EQ(text(in.change.before) + text(in.change.after), "none1 1 5 ");

  const FilteredChange out = updated({1, 1, 5}, {7, kNull, kUnchanged});
  EXPECT_EQ(out.verdict, Verdict::kTaken);
  EXPECT_EQ(out.change.kind, ChangeKind::kDelete);
  EXPECT_EQ(text(out.change.before) + text(out.change.after), "1 1 5 none");
}

TEST_F(FilteredChangeTest, WhatTheLogDoesNotHaveIsNotGuessed) {
  // Nothing says what REGION was.
  EXPECT_EQ(filtered(ChangeKind::kUpdate, nullptr, row({1, 1, 5})).verdict, Verdict::kUnknown);
  EXPECT_EQ(updated({1, kUnchanged, kUnchanged}, {1, 1, 5}).verdict, Verdict::kUnknown);
  // A row comes in, and V is nowhere.
  EXPECT_EQ(updated({1, 2, kUnchanged}, {1, 1, kUnchanged}).verdict, Verdict::kUnknown);
  // It stays where it is, so V does not matter.
  EXPECT_EQ(updated({1, 1, kUnchanged}, {1, kUnchanged, kUnchanged}).verdict, Verdict::kTaken);
}

TEST_F(FilteredChangeTest, AnIdentityIsAsItWasWhenTheLogHasNoRowBefore) {
  shape_.identity = {0, 1};
  EXPECT_EQ(filtered(ChangeKind::kUpdate, nullptr, row({1, 1, 5})).verdict, Verdict::kTaken);
  EXPECT_EQ(filtered(ChangeKind::kUpdate, nullptr, row({1, 2, 5})).verdict, Verdict::kLeftOut);
}

}  // namespace
}  // namespace wherry::engine
