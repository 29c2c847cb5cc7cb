// The status message (4) of servers before 12.1, field version 6 and below.
// Facts: reference oracle-wire-ttc 4.5; the two bytes that are variable-length integers here and
// the short form of 9i follow captures of 9.2, 10.2 and 11.2.
#pragma once

#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// Starts behind the type byte.
wire::CallResult decode_old_call_result(Reader& in, const wire::Dialect& dialect);

}  // namespace wherry::oracle::trace
