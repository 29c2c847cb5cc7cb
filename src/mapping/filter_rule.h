// The "filters" of a selection rule. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "mapping/parallel_load_rule.h"
#include "schema/row_filter.h"

namespace wherry::mapping {

/// Without the columns' types, which the rule does not know.
schema::RowFilter read_filters(const nlohmann::json& json, const std::string& path,
                               const ReportProblem& report);

}  // namespace wherry::mapping
