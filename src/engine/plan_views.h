// What a plan makes of the source's views: which of them it takes, what rules cannot do with them,
// and what is said of those that are left out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "engine/planner.h"
#include "mapping/rules.h"
#include "schema/parallel_load.h"
#include "schema/plan_warning.h"
#include "schema/table_def.h"

namespace wherry::engine {

/// Decides which views a task takes, and keeps those that it does not.
class ViewChoice {
 public:
  /// REQUIRES: `rules` outlives the object.
  ViewChoice(const mapping::RuleSet& rules, const PlanOptions& options)
      : rules_(rules), has_changes_(options.has_changes) {}

  /// Tables are always taken. REQUIRES: the rules select it.
  bool takes(const schema::TableDef& table);
  /// A rule may have meant the view all the same. REQUIRES: the rules do not select it.
  void pass_over(const schema::TableDef& table);
  /// One warning for all views that are left out for one reason.
  [[nodiscard]] schema::PlanWarnings warnings() const;

 private:
  const mapping::RuleSet& rules_;
  const bool has_changes_;
  std::vector<std::string> without_changes_;
  std::map<std::string, std::vector<std::string>> withheld_;  ///< by the setting that is missing
  schema::PlanWarnings named_;
};

/// What is told of a view or a foreign table; nothing of a table. A rule that cuts a view by its
/// partitions is taken away with a warning; kSchema "plan.view_has_no_partitions" when the rule
/// lists those that are loaded.
Result<void> settle_kind(const schema::TableDef& table, std::optional<schema::ParallelLoad>& rule,
                         schema::PlanWarnings& warnings);

}  // namespace wherry::engine
