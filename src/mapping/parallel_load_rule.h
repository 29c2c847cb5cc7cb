// The "parallel-load" object of a table-settings rule. Pure.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "schema/parallel_load.h"

namespace wherry::mapping {

/// Told what is wrong, with the JSON pointer.
using ReportProblem = std::function<void(std::string path, std::string message)>;

std::optional<schema::ParallelLoad> read_parallel_load(const nlohmann::json& json,
                                                       const std::string& path,
                                                       const ReportProblem& report);

}  // namespace wherry::mapping
