// Rows that rules make: columns that are added, values that are masked. A load's rows are made of
// those that were read, a change's cells of those that its log has.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/row_batch.h"
#include "schema/table_plan.h"
#include "transform/expression.h"

namespace wherry::engine {

/// $BI__NAME in an expression is what column NAME had before an update, unless the source has a
/// column of that very name.
inline constexpr std::string_view kBeforePrefix = "BI__";

/// The values of a plan's added columns. Used by one thread at a time.
class AddedValues {
 public:
  /// `columns`: those that rows have. kConfig "mapping.expression".
  static Result<AddedValues> make(const schema::TablePlan& plan,
                                  std::vector<schema::ColumnPlan> columns);

  /// Indexes into the columns that the expressions ask for; column_count() and above: what column
  /// i - column_count() had before an update ($BI__NAME), NULL where there was none.
  [[nodiscard]] const std::vector<std::size_t>& used() const;
  [[nodiscard]] std::size_t column_count() const { return column_count_; }
  /// The columns of the plan that get a value, ascending.
  [[nodiscard]] const std::vector<std::size_t>& places() const { return places_; }
  /// Of one row, in the order of places(). `cells`, by used(): nullptr: not known.
  std::span<const Cell> evaluate(std::span<const Cell* const> cells,
                                 const transform::RowHeader& header, Arena& arena);

 private:
  std::vector<std::size_t> places_;
  std::size_t column_count_ = 0;
  std::vector<schema::ColumnPlan> used_columns_;
  std::unique_ptr<transform::Expressions> expressions_;  ///< nullptr: there are none
  std::vector<Cell> trimmed_, made_;
  std::vector<const Cell*> cells_;
};

/// CHAR padding is no part of what expressions and masks see.
Cell trimmed_cell(const Cell& cell, const schema::ColumnPlan& column);

/// Makes the rows of a load.
class RowMaker {
 public:
  /// `read`: schema::read_plan() of the plan, which outlives the object.
  static Result<std::unique_ptr<RowMaker>> make(const schema::TablePlan& plan,
                                                const schema::TablePlan& read);
  /// `batch` has rows of the read plan, and rows of the plan afterwards.
  void make_rows(RowBatch& batch);

 private:
  RowMaker(const schema::TablePlan& plan, AddedValues added);

  const schema::TablePlan& plan_;
  AddedValues added_;
  std::vector<std::int32_t> origins_;
  std::vector<Cell> values_;
};

}  // namespace wherry::engine
