// WITH t (…) AS (anchor UNION ALL step over t): the step reads the rows that the last one made.
#pragma once

#include <memory>
#include <vector>

#include "exec/row_source.h"

namespace orasim {

/// What the step reads as `t`.
struct WorkingTable {
  std::vector<ColumnInfo> columns;
  std::vector<Row> rows;
};

struct RecursiveWith {
  std::vector<ColumnInfo> columns;
  std::unique_ptr<RowSource> source;
  bool is_correlated = false;
};

bool is_recursive(const ast::Cte& cte);
/// ORA-32039 without a column list, ORA-32040 for anything but UNION ALL.
RecursiveWith bind_recursive(const ast::Cte& cte, const BindEnvironment& environment,
                             const Scope* outer);
std::unique_ptr<RowSource> working_source(std::shared_ptr<const WorkingTable> table);

}  // namespace orasim
