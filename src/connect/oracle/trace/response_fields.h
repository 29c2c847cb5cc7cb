// Server messages as JSON: the fields of each, from the structs of wire/.
#pragma once

#include "connect/oracle/trace/session.h"
#include "connect/oracle/wire/handshake.h"

namespace wherry::oracle::trace {

Json columns_json(const std::vector<ColumnDescription>& columns);
Json call_result_json(const wire::CallResult& result, const Session& session);
Json status_json(const wire::CallStatus& status);
Json warning_json(const wire::Warning& warning);
Json server_piggyback_json(const wire::ServerPiggyback& piggyback);
Json return_parameters_json(const wire::ReturnParameters& parameters);
Json protocol_json(const wire::ProtocolReply& reply);

}  // namespace wherry::oracle::trace
