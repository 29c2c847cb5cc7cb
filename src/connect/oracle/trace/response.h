// Server to client: bytes of responses to messages, read with what the requests announced.
// Facts: reference oracle-wire-ttc 4.5, 4.6, 5.3, 5.4, oracle-wire-types 6.13.
#pragma once

#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// `bytes` start at a message. Rows that follow one another are one message. On kPartial and
/// kFailed the session is as after the last whole message.
Decoded decode_response(Session& session, ByteView bytes);

}  // namespace wherry::oracle::trace
