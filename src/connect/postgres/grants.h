// The privileges that a task's user needs, as statements for an administrator.
#pragma once

#include <string>
#include <vector>

#include "connect/api/preflight.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// What connect::Preflight::grants() says. `grantee` is a plain name; `is_publisher`: Wherry makes
/// the publication.
Result<std::vector<std::string>> source_grants(OpContext& context, Connection& connection,
                                               const connect::PreflightRequest& request,
                                               const std::string& grantee, bool is_publisher);
Result<std::vector<std::string>> target_grants(OpContext& context, Connection& connection,
                                               const connect::PreflightRequest& request,
                                               const std::string& grantee);

}  // namespace wherry::postgres
