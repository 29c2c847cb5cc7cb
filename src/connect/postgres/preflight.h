// What PostgreSQL says before a task starts, as its source or as its target.
#pragma once

#include <memory>

#include "connect/api/preflight.h"
#include "connect/postgres/settings.h"

namespace wherry::postgres {

std::unique_ptr<connect::Preflight> make_preflight(ConnectionSettings settings);

}  // namespace wherry::postgres
