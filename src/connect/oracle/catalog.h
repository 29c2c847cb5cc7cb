// Oracle's dictionary as a connect::Catalog; four queries whatever the number of tables.
#pragma once

#include <memory>

#include "connect/api/connector.h"
#include "connect/oracle/client.h"

namespace wherry::oracle {

std::unique_ptr<connect::Catalog> make_catalog(std::unique_ptr<Session> session,
                                               std::optional<int> number_scale);

}  // namespace wherry::oracle
