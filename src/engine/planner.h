// From a source's catalogue and the mapping rules to one plan a table: what is read, as what it
// travels, what it becomes. Touches no server but to ask the target's loader for type names.
#pragma once

#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "engine/full_load.h"
#include "mapping/rules.h"

namespace wherry::engine {

struct RefusedTable {
  schema::TableRef table;
  Error error;
};

struct TaskPlan {
  std::vector<TableTask> tables;      ///< in the order they are started
  std::vector<RefusedTable> refused;  ///< selected, but cannot be moved
  schema::PlanWarnings warnings;      ///< of no table alone
  [[nodiscard]] bool empty() const { return tables.empty() && refused.empty(); }
};

/// Order: load-order first (higher earlier), then the larger estimate, then the name. Generated
/// columns are left out; columns of types nobody can carry are left out with a warning in the plan.
/// kConfig "plan.name_collision" when two columns would bear one name. Tables that would are loaded
/// into one (TablePlan::shares_target), with a warning, where their columns are the same.
///
/// A table is refused (kSchema) where a rule cannot be carried out on it: an expression asks for a
/// column that it does not have, values have no form in a type, a mask does not fit.
///
/// `is_one_engine`: source and target are of one engine, so columns keep their native types and
/// values their native form (TablePlan::is_native), as far as the target's match() finds them.
struct PlanOptions {
  bool is_one_engine = false;
  /// The task goes on with changes, which views have none of.
  bool has_changes = false;
  /// A mask that does not fit its column; kLogError: the column is loaded unmasked, with a warning.
  ErrorAction masking_errors = ErrorAction::kStopTask;
  /// Who evaluates filters; empty: the source.
  connect::FilterJudge filter_judge = {};
};
Result<TaskPlan> make_plan(std::vector<schema::TableDef> catalogue, const mapping::RuleSet& rules,
                           connect::TargetLoader& target, const PlanOptions& options = {});

}  // namespace wherry::engine
