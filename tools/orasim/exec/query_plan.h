// The plan of one query: blocks, set operations, order. Shared and immutable while it runs.
#pragma once

#include <memory>
#include <vector>

#include "exec/from_plan.h"

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

/// SELECT … FROM … WHERE … GROUP BY … HAVING.
struct BlockPlan {
  Scope scope;
  std::unique_ptr<FromNode> from;
  std::size_t width = 0;             ///< of the wide row, analytic results included
  std::vector<Eval> filters;         ///< WHERE conjuncts decided on whole rows
  std::vector<Eval> rownum_filters;  ///< those that count rows; false ends the query when monotone
  std::vector<bool> rownum_ends;
  Eval start_with, connect_by;
  bool has_connect_by = false, connects_priors = false;
  std::vector<Eval> group_by;
  bool is_grouped = false;
  std::vector<Aggregate> aggregates;
  std::vector<Analytic> analytics;
  Eval having;
  bool distinct = false;
  std::vector<OutputColumn> output;
  std::vector<OrderKey> order;  ///< of the query that is this block alone
};

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
  bool for_update = false, nowait = false;
  // Trees that closures point into.
  std::vector<std::shared_ptr<void>> kept;
};

/// Rows of a block with their order keys, not yet ordered.
class BlockStream {
 public:
  virtual ~BlockStream() = default;
  /// `keys` is filled when it is not null.
  virtual bool next(Row& out, Row* keys) = 0;
};
std::unique_ptr<BlockStream> open_block(const BlockPlan& plan, ExecContext& context,
                                        const Frame* outer, bool lock_rows, bool nowait);

/// Grouping and analytic calls.
std::vector<Value> aggregate_rows(const BlockPlan& plan, const std::vector<const Row*>& rows,
                                  const Frame& frame);
void compute_analytics(const BlockPlan& plan, std::vector<Row>& rows, const Frame& frame);

}  // namespace orasim
