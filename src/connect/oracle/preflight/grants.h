// The privileges that a task's user needs at an Oracle source, as statements for an administrator.
#pragma once

#include <string>
#include <vector>

#include "connect/api/preflight.h"
#include "connect/oracle/settings.h"

namespace wherry::oracle {

/// What connect::Preflight::grants() says. `grantee`: as a user writes it; without quotation marks
/// it means the name in capitals.
std::vector<std::string> source_grants(const connect::PreflightRequest& request,
                                       const std::string& grantee, const EndpointOptions& options,
                                       int major_version);

}  // namespace wherry::oracle
