// The procedures of DBMS_LOGMNR as blocks call them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/value.h"
#include "exec/convert.h"
#include "exec/logminer_session.h"

namespace orasim::logminer {

/// Names of the parameters of a procedure, in order; null: there is no such procedure.
const std::vector<std::string_view>* parameters_of(std::string_view procedure);
/// Where a session is.
struct CallerDatabase {
  std::string version;
  std::uint32_t container = 0;
};
/// `arguments` in the order of the parameters; NULL for those not given.
void call_procedure(LogMinerSession&, Store&, std::string_view procedure,
                    const std::vector<Value>& arguments, const ConvertContext&,
                    const CallerDatabase&);

}  // namespace orasim::logminer
