// The PostgreSQL connector: target of loads, and a source of rows for validation.
#pragma once

#include <memory>

#include "connect/api/connector.h"

namespace wherry::postgres {

std::unique_ptr<connect::Connector> make_connector();

}  // namespace wherry::postgres
