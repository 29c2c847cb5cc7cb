// What the tests of the applier share: rows made from text, steps made short, checkpoints counted.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/pg_test_support.h"

namespace wherry::postgres::test {

using connect::ApplyRow;
using connect::ApplyStep;
using connect::ApplyTable;
using connect::StepKind;

/// Rows and steps that live as long as it does.
class StepMaker {
 public:
  /// A row of cells, to be filled; all are unchanged.
  Cell* cells(const ApplyTable& table) {
    const std::size_t count = table.plan->columns.size();
    auto* made = reinterpret_cast<Cell*>(arena_.allocate(count * sizeof(Cell)));
    for (std::size_t i = 0; i < count; ++i) {
      made[i] = Cell{};
      made[i].state = CellState::kUnchanged;
    }
    return made;
  }
  /// From text by column; "NULL" is one, "-" unchanged. Whole numbers are kInt64 in columns of
  /// integers.
  const Cell* row(const ApplyTable& table, const std::vector<std::string>& values) {
    Cell* made = cells(table);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] == "-") continue;
      const CellKind kind = table.plan->is_native
                                ? CellKind::kText
                                : schema::cell_kind_of(table.plan->columns[i].type);
      if (values[i] == "NULL") {
        set_null(made[i], kind);
      } else if (kind == CellKind::kInt64) {
        set_integer(made[i], std::stoll(values[i]));
      } else {
        set_text(made[i], values[i], arena_, kind);
      }
    }
    return made;
  }
  ApplyStep step(StepKind kind, const ApplyTable& table, std::vector<ApplyRow> rows) {
    ApplyStep made;
    made.kind = kind;
    made.table = &table;
    rows_.push_back(std::make_unique<std::vector<ApplyRow>>(std::move(rows)));
    made.rows = *rows_.back();
    return made;
  }
  Arena& arena() { return arena_; }

 private:
  Arena arena_;
  std::vector<std::unique_ptr<std::vector<ApplyRow>>> rows_;
};

class ApplyTest : public PostgresTest {
 protected:
  void SetUp() override {
    PostgresTest::SetUp();
    run("create schema app");
    open();
  }
  void open() {
    connect::ApplySettings settings;
    settings.task_name = "night";
    settings.server_name = "here";
    settings.has_txn_state = true;
    settings.statement_cache = 8;
    auto opened = connector_->open_apply(context_, settings_, settings);
    ASSERT_TRUE(opened.ok()) << opened.error().to_paragraph();
    apply_ = std::move(*opened);
    WHERRY_EXPECT_OK(apply_->recover(context_, "night"));
  }
  std::unique_ptr<connect::TargetApplier> lane(std::uint32_t number = 0) {
    auto opened = apply_->open_lane(context_, "night", number);
    EXPECT_TRUE(opened.ok()) << opened.error().to_paragraph();
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  ApplyTable describe(const schema::TablePlanPtr& plan) {
    auto found = apply_->describe(context_, {plan});
    EXPECT_TRUE(found.ok()) << found.error().to_paragraph();
    return found.ok() ? std::move(found->front()) : ApplyTable{};
  }
  static connect::Checkpoint checkpoint(std::uint64_t sequence) {
    connect::Checkpoint made;
    made.position.text = "at:" + std::to_string(sequence);
    made.point = {sequence * 10, 0};
    made.sequence = sequence;
    made.commit_time = std::chrono::system_clock::time_point(std::chrono::seconds(sequence));
    return made;
  }
  /// One transaction.
  Result<std::vector<connect::StepReport>> change(connect::TargetApplier& lane,
                                                  const std::vector<ApplyStep>& steps) {
    WHERRY_TRY(lane.begin(context_));
    WHERRY_ASSIGN(auto reports, lane.execute(context_, steps));
    WHERRY_TRY(lane.commit(context_, checkpoint(++sequence_), {}));
    return reports;
  }

  std::unique_ptr<connect::TargetApply> apply_;
  std::uint64_t sequence_ = 0;
};

}  // namespace wherry::postgres::test
