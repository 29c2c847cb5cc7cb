// Oracle's dictionary as a connect::Catalog; four queries, five with views, whatever the number of
// tables.
#pragma once

#include <memory>

#include "connect/api/connector.h"
#include "connect/oracle/client.h"

namespace wherry::oracle {

/// Views that are not exposed are described with the setting that is missing.
std::unique_ptr<connect::Catalog> make_catalog(std::unique_ptr<Session> session,
                                               std::optional<int> number_scale,
                                               bool exposes_views = false);

}  // namespace wherry::oracle
