// Oracle as a source: the factory that apps/ registers.
#pragma once

#include <memory>

#include "connect/api/connector.h"

namespace wherry::oracle {

std::unique_ptr<connect::Connector> make_connector();

}  // namespace wherry::oracle
