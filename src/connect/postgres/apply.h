// The target of ongoing changes. How steps become statements: docs/design/postgres-apply.md.
#pragma once

#include <memory>

#include "connect/api/changes.h"
#include "connect/postgres/settings.h"

namespace wherry::postgres {

std::unique_ptr<connect::TargetApply> make_apply(ConnectionSettings settings,
                                                 connect::ApplySettings apply);

}  // namespace wherry::postgres
