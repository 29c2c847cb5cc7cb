// Where the changes of a source's table go: from the shape of a log's rows to the columns of a
// plan, and what the apply must know of the target's table. Used by the assembling thread; lanes
// read the TableRoutes that changes point to, which never change once they are made.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "connect/api/changes.h"
#include "core/arena.h"
#include "engine/changes/apply_progress.h"
#include "engine/changes/made_change.h"

namespace wherry::engine {

/// A table of the target that changes go to.
struct TableRoute {
  connect::ApplyTable table;
  schema::TableRef source;  ///< RowShape::source of its changes
  connect::CommitOrder loaded_at = 0;
  TableApplyProgress* progress = nullptr;
  std::uint32_t index = 0;  ///< its place in Routes, and of what came before it there
  /// Tables that foreign keys join are of one family; their changes keep an order among them.
  std::uint32_t family = 0;
  std::uint32_t depth = 0;  ///< in the family: parents before their children
  bool is_child = false, is_parent = false;
  bool is_in_cycle = false;     ///< no order of tables is right for all rows
  bool has_other_keys = false;  ///< unique keys besides the identity
  /// Rows that have the same identity for the target have equal cells in it.
  bool has_plain_identity = false;
  /// By foreign key: its values have the form of a plain unique key's of the parent.
  std::vector<bool> has_comparable_parent;
  bool has_loose_references = false;  ///< is a parent of one that has not

  [[nodiscard]] const schema::TablePlan& plan() const { return *table.plan; }
  [[nodiscard]] const std::vector<std::size_t>& identity() const { return table.identity; }
  [[nodiscard]] bool is_suspended() const { return progress->is_suspended; }
};
using TableRoutePtr = std::shared_ptr<const TableRoute>;

/// How rows of a shape become rows of a plan.
struct ShapeRoute {
  const TableRoute* table = nullptr;  ///< nullptr: not of the task
  bool is_straight = false;           ///< the cells are the plan's as they are
  std::vector<std::int32_t> origins;  ///< by the plan's columns: the shape's; -1: not in the log
  /// On rows of the shape; nullptr: all of them belong to the task.
  std::shared_ptr<const schema::RowFilterTest> filter = nullptr;
  /// What rules make of rows that were mapped; nullptr: nothing.
  std::shared_ptr<ChangeMaker> maker = nullptr;
};

class Routes {
 public:
  explicit Routes(ApplyProgress& progress) : progress_(progress) {}

  /// Forgets everything and takes these. REQUIRES: as many entries of `loaded_at` and `sources`.
  void set(std::vector<connect::ApplyTable> tables, const std::vector<schema::TableRef>& sources,
           const std::vector<connect::CommitOrder>& loaded_at);
  /// Puts a table in the place of the one with that source, or adds it; nullopt takes it out.
  /// `columns`, by the old plan's columns: where they are in the new one; nullopt: nowhere. Empty:
  /// where they were.
  void replace(const schema::TableRef& source, std::optional<connect::ApplyTable> table,
               const std::vector<std::optional<std::size_t>>& columns = {});

  /// The route of a shape; the reference is good until the next replace() or set(). kConfig when
  /// an expression asks for a column that the shape does not have.
  Result<const ShapeRoute*> of(const connect::RowShape& shape);
  /// nullptr: none.
  [[nodiscard]] const TableRoute* find(const schema::TableRef& source) const;
  [[nodiscard]] const std::vector<TableRoutePtr>& tables() const { return tables_; }

  /// `cells` of the shape as cells of the plan, in `arena` where they differ, with characters
  /// replaced and values cut at their limit of limited LOB mode. nullptr stays nullptr.
  static Result<const Cell*> map(const ShapeRoute& route, const Cell* cells, Arena& arena);
  /// The same, always in `arena`.
  static Result<Cell*> map_copy(const ShapeRoute& route, const Cell* cells, Arena& arena);

 private:
  Result<ShapeRoute> make(const connect::RowShape& shape);
  void move_references(const schema::TableRef& from, const schema::TableRef& to,
                       const std::vector<std::optional<std::size_t>>& columns);
  void find_families();

  ApplyProgress& progress_;
  std::vector<TableRoutePtr> tables_;   ///< nullptr: has left the task
  std::vector<TableRoutePtr> retired_;  ///< changes in work may still point to them
  std::map<schema::TableRef, std::size_t> by_source_;
  std::unordered_map<std::uint32_t, ShapeRoute> by_shape_;
};

/// `count` cells that leave everything as it is.
Cell* unchanged_cells(std::size_t count, Arena& arena);

}  // namespace wherry::engine
