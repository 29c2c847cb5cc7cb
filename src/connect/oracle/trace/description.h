// The describe message of any server to any client. What stands behind a column's name depends on
// both sides' versions and capabilities in ways that are only known for some of them, so the tail
// of the columns is found out from the bytes when the known layout does not fit.
#pragma once

#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// Starts behind the type byte. Remembers in the session a tail that it found.
wire::Description read_description(Reader& in, Session& session);

}  // namespace wherry::oracle::trace
