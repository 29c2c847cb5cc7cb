// Logging.LogComponents: how much each part of the service writes. Source: AWS DMS User Guide,
// "Logging task settings".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/log.h"

namespace wherry::control {

class SettingsDocument;
using LogLevels = std::vector<std::pair<Component, Severity>>;

/// All parts at the default severity, as DMS shows a task that said nothing.
nlohmann::ordered_json standard_log_components();
/// The parts that exist here and were given another severity than the default; what is wrong goes
/// to the document's problems. "PATH: why" of parts that do not exist here goes to
/// `without_effect`.
LogLevels read_log_components(SettingsDocument& document, std::vector<std::string>& without_effect);

}  // namespace wherry::control
