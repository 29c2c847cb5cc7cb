// The plan of one table: its columns as the rules want them, their types on the target, its key and
// its filter.
#pragma once

#include <cstdint>
#include <vector>

#include "connect/api/connector.h"
#include "engine/full_load.h"
#include "engine/plan_names.h"
#include "engine/planner.h"
#include "mapping/rules.h"

namespace wherry::engine {

struct PlannedTable {
  schema::TablePlan plan;
  std::vector<LeftOutColumn> left_out;
  std::vector<std::int64_t> rules;  ///< ids of those that select, name and key the table
  std::vector<LongName> long_names;
  bool has_key_name_of_rule = false;
};

/// REQUIRES: the rules select the table. kConfig is an error of the whole plan, others of the
/// table.
Result<PlannedTable> plan_table(const schema::TableDef& table, const mapping::RuleSet& rules,
                                connect::TargetLoader& target, const PlanOptions& options);

}  // namespace wherry::engine
