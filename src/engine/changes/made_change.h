// What rules make of the rows of a change: added columns, before images, masks; and that a deleted
// row may stay, flagged.
#pragma once

#include <memory>
#include <vector>

#include "connect/api/changes.h"
#include "engine/made_rows.h"

namespace wherry::engine {

/// Of the rows of one shape. Used by one thread at a time.
class ChangeMaker {
 public:
  /// `identity`: of the target's table, indexes into the plan's columns. nullptr: rules make
  /// nothing. kConfig when an expression asks for a column that the shape does not have.
  static Result<std::shared_ptr<ChangeMaker>> make(schema::TablePlanPtr plan,
                                                   const std::vector<std::size_t>& identity,
                                                   const connect::RowShape& shape);

  /// A deleted row stays on the target and is changed.
  [[nodiscard]] bool keeps_deleted() const { return plan_->keeps_deleted; }
  /// `change` as the log has it, its rows as cells of the plan in `before` and `after`, either may
  /// be nullptr. For a deleted row that stays `after` has nothing but kUnchanged.
  void make_cells(const connect::Change& change, const transform::RowHeader& header, Cell* before,
                  Cell* after, Arena& arena);

 private:
  ChangeMaker(schema::TablePlanPtr plan, const connect::RowShape& shape, AddedValues added);
  void add_values(const connect::Change& change, const transform::RowHeader& header, Cell* into,
                  bool is_before, Arena& arena);
  void add_before_images(const connect::Change& change, Cell* after) const;
  [[nodiscard]] const Cell* value_before(const connect::Change& change, std::size_t column) const;
  void mask(Cell* cells, Arena& arena) const;

  const schema::TablePlanPtr plan_;
  const std::vector<std::size_t> shape_identity_;
  AddedValues added_;
  std::vector<bool> is_key_;                 ///< by added_.places(): says which row a change means
  std::vector<std::int32_t> before_images_;  ///< by the plan's columns: the shape's; -1: none
  std::vector<const Cell*> cells_;
};

}  // namespace wherry::engine
