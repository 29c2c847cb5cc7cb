// Publication, slot and examination: what must be there before changes can be read from PostgreSQL.
#pragma once

#include <memory>

#include "connect/api/changes.h"
#include "connect/postgres/settings.h"

namespace wherry::postgres {

std::unique_ptr<connect::ChangeSource> make_change_source(ConnectionSettings settings);

}  // namespace wherry::postgres
