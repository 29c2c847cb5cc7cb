// Client to server: bytes of one or more whole requests to messages. The session learns from them
// what the answers will look like.
// Facts: reference oracle-wire-ttc 4.3, 4.4, 5.1, 5.2, oracle-wire-session 3.2 to 3.8.
#pragma once

#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// `bytes` start at a message. On kPartial and kFailed the session is as after the last whole
/// message; kFailed has an "undecoded" message for the rest.
Decoded decode_request(Session& session, ByteView bytes);

}  // namespace wherry::oracle::trace
