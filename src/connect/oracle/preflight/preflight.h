// What an Oracle database says before a task reads from it.
#pragma once

#include <memory>
#include <string>

#include "connect/api/preflight.h"
#include "connect/oracle/settings.h"

namespace wherry::oracle {

/// `user`: of the settings, for grants.
std::unique_ptr<connect::Preflight> make_preflight(EndpointOptions options, std::string user);

}  // namespace wherry::oracle
