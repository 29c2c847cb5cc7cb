// How a task begins: both ends connected, and the plan made between them. Changes nothing anywhere.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "control/start_retry.h"
#include "control/task.h"
#include "engine/planner.h"

namespace wherry::control {

/// Connected ends and the plan made between them.
struct Prepared {
  std::unique_ptr<connect::TargetLoader> loader;
  engine::TaskPlan plan;
};

/// What the source has, and who evaluates filters on it.
struct SourceTables {
  std::vector<schema::TableDef> tables;
  connect::FilterJudge filter_judge;
};
/// Of these schemas; of none named: of all.
Result<SourceTables> source_tables(OpContext& context, const TaskRequest& request,
                                   std::vector<std::string> schemas);

/// Logs in on both sides, reads the catalogues and plans. `existing`: what happens to tables that
/// are on the target already.
Result<Prepared> prepare_task(OpContext& context, const TaskRequest& request,
                              TaskObserver& observer, StartRetry& retry,
                              connect::ExistingTable existing);
/// The plan alone, for assessments: the servers are not asked whether it can be carried out.
/// `meets_target`: the tables that the target has already are looked at.
Result<engine::TaskPlan> plan_without_checks(OpContext& context, const TaskRequest& request,
                                             bool meets_target);
/// kPermission names what the target's user lacks to load the plan.
Result<void> check_privileges(OpContext& context, const TaskRequest& request,
                              const Prepared& prepared);
/// How a plan is made between these ends with these settings.
engine::PlanOptions plan_options(const TaskRequest& request, connect::FilterJudge judge);
/// Changes a plan as the task's settings say: LOBs, character sets, when the key is made.
void apply_settings(engine::TaskPlan& plan, const TaskRequest& request);
/// The plan with CharacterSetSettings; nullptr stays nullptr.
schema::TablePlanPtr with_characters(const schema::TablePlanPtr& plan,
                                     const std::shared_ptr<const schema::CharacterRules>& rules);
/// A value that the target cannot have is not worth reading.
void limit_values(engine::TaskPlan& plan, std::uint64_t max_value_bytes);

}  // namespace wherry::control
