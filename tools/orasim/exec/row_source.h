// Where rows of a FROM clause come from. A source fills its own slice of a wide row and leaves the
// rest alone, so joins need no copying.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/executor.h"

namespace orasim {

class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Rows of `width` values, one after another. `outer` is the frame around the query.
  virtual std::unique_ptr<RowStream> open(ExecContext& context, const Frame* outer) const = 0;
};

/// A base table as of `as_of` (empty: the statement's SCN); the last slot is ROWID.
std::unique_ptr<RowSource> table_source(std::shared_ptr<const TableDef> table,
                                        const ast::Expr* where, const BindEnvironment& environment,
                                        const Scope& scope, int table_index, Eval as_of_scn,
                                        bool as_of_is_time);
/// A dictionary view: its rows are made once an execution, and hashed by the columns that `where`
/// sets equal to something outside the view.
std::unique_ptr<RowSource> dictionary_source(const DictionaryView* view, const ast::Expr* where,
                                             const BindEnvironment& environment, const Scope& scope,
                                             int table_index);
std::unique_ptr<RowSource> query_source(std::shared_ptr<BoundQuery> query);
std::unique_ptr<RowSource> dual_source();

}  // namespace orasim
