// Values that rows have in columns which were added with a value for each row: a query AS OF now.
#pragma once

#include <memory>

#include "connect/api/changes.h"
#include "connect/oracle/settings.h"

namespace wherry::oracle {

Result<std::unique_ptr<connect::ValueReader>> open_value_reader(
    OpContext& context, const EndpointOptions& options, const connect::ValuesRequest& request);

}  // namespace wherry::oracle
