// Oracle's redo as a source of changes, through LogMiner. Facts: reference oracle-cdc.
#pragma once

#include <memory>

#include "connect/api/changes.h"
#include "connect/oracle/settings.h"

namespace wherry::oracle {

std::unique_ptr<connect::ChangeSource> make_change_source(EndpointOptions options);

}  // namespace wherry::oracle
