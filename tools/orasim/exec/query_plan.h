// The plan of one query: blocks, set operations, order. Shared and immutable while it runs.
#pragma once

#include <memory>
#include <vector>

#include <chrono>
#include <optional>

#include "exec/aggregate.h"
#include "exec/from_plan.h"
#include "exec/window.h"

namespace orasim {

struct OutputColumn {
  ColumnInfo info;
  Eval eval;
  int slot = -1;  ///< a plain column: copied without a call
};

struct OrderKey {
  Eval eval;  ///< over the block's frame; empty: `position` of the output
  int position = -1;
  bool descending = false, nulls_first = false;
};

/// START WITH … CONNECT BY …
struct HierarchyPlan {
  Eval start_with, connect_by;
  bool has_prior = false;
  bool checks_loops = true;
  bool nocycle = false;
  /// Equalities of PRIOR something (first) with something of the row itself.
  std::vector<std::pair<Eval, Eval>> keys;
  std::vector<SortKey> siblings;
};

/// GROUP BY. A group's row: the slots of FROM (of its first row, left-out keys made NULL), then as
/// GroupScope says.
struct GroupPlan {
  std::vector<Eval> keys;
  std::vector<int> key_slots;          ///< of plain columns, else -1
  std::vector<std::vector<int>> sets;  ///< indexes of the keys that stay
  std::vector<Aggregate> aggregates;
  std::vector<Aggregate> outer_aggregates;  ///< not empty: of all groups together, one row
  bool has_group_by = false;
};

/// SELECT … FROM … WHERE … GROUP BY … HAVING.
struct BlockPlan {
  Scope scope;
  std::unique_ptr<FromNode> from;
  std::size_t from_width = 0;        ///< slots of FROM
  std::vector<Eval> filters;         ///< WHERE conjuncts decided on whole rows
  std::vector<Eval> rownum_filters;  ///< those that count rows; false ends the query when monotone
  std::vector<bool> rownum_ends;
  std::unique_ptr<HierarchyPlan> hierarchy;
  std::unique_ptr<GroupPlan> group;
  std::vector<Analytic> analytics;
  std::shared_ptr<std::size_t> analytic_base;
  Eval having;
  bool distinct = false;
  std::vector<OutputColumn> output;
  std::vector<OrderKey> order;                    ///< of the query that is this block alone
  std::optional<std::chrono::seconds> lock_wait;  ///< FOR UPDATE WAIT n
};

using ast::RowLock;

class QueryPlan {
 public:
  std::vector<ColumnInfo> columns;
  bool is_correlated = false;
  std::unique_ptr<BlockPlan> block;
  ast::SetOperator op = ast::SetOperator::kNone;
  std::shared_ptr<BoundQuery> left, right;
  std::vector<OrderKey> order;  ///< of a set operation: by position
  Eval offset, fetch;
  bool fetch_percent = false, with_ties = false;
  RowLock lock = RowLock::kNone;
};

std::unique_ptr<BlockPlan> bind_block(const ast::QueryBlock& block,
                                      const std::vector<ast::OrderItem>& order, bool order_siblings,
                                      const BindEnvironment& environment,
                                      const std::vector<const ast::Cte*>& ctes, const Scope* outer);
/// An ORDER BY item without its expression; NULL is the greatest value.
OrderKey order_key(const ast::OrderItem& item);
/// ORDER BY n: the 0-based column, or -1 for an expression; ORA-01785.
int literal_position(const ast::Expr& e, std::size_t columns);

/// Thrown by a locking block that met a row which changed after the statement's read point.
struct RowChanged {};

/// Rows of a block with their order keys, not yet ordered.
class BlockStream {
 public:
  virtual ~BlockStream() = default;
  /// `keys` is filled when it is not null.
  virtual bool next(Row& out, Row* keys) = 0;
};
std::unique_ptr<BlockStream> open_block(const BlockPlan& plan, ExecContext& context,
                                        const Frame* outer, RowLock lock);

}  // namespace orasim
