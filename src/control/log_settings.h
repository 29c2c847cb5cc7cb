// Logging.LogComponents: how much each part of the service writes. Source: AWS DMS User Guide,
// "Logging task settings".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <utility>
#include <vector>

#include "core/log.h"

namespace wherry::control {

class SettingsDocument;
using LogLevels = std::vector<std::pair<Component, Severity>>;

/// All parts at the default severity, as DMS shows a task that said nothing.
nlohmann::ordered_json standard_log_components();
/// The parts that exist here and were given another severity than the default; what is wrong goes
/// to the document's problems.
LogLevels read_log_components(SettingsDocument& document);

}  // namespace wherry::control
