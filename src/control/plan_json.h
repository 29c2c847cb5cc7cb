// A table's plan as JSON, for the task's state: a run that goes on must apply changes by the plan
// that was in force where it stopped, not by what the source's catalogue has become since.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "schema/table_plan.h"

namespace wherry::control {

/// Everything that a later run needs; estimates, warnings and character rules are left out.
nlohmann::ordered_json to_json(const schema::TablePlan& plan);
/// Throws nlohmann::ordered_json::exception for JSON that is no plan.
schema::TablePlanPtr plan_from_json(const nlohmann::ordered_json& json);

}  // namespace wherry::control
