// Reads what a table's rows have in columns that were added to it, by key, in pieces.
#pragma once

#include <memory>

#include "connect/api/changes.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// Over a session of its own, which it keeps. kSchema "postgres.key_changed" when the table no
/// longer has the columns that say which row is meant.
Result<std::unique_ptr<connect::ValueReader>> open_value_reader(
    OpContext& context, std::unique_ptr<Connection> connection,
    const connect::ValuesRequest& request);

}  // namespace wherry::postgres
