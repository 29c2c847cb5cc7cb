// Functions that travel in front of another one and have no answer of their own.
// Facts: reference oracle-wire-ttc 4.4.
#pragma once

#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// Starts behind the header. Fails on a function whose layout is not known.
void decode_piggyback(Reader& in, const Session& session, std::uint8_t function, Json& out);

}  // namespace wherry::oracle::trace
