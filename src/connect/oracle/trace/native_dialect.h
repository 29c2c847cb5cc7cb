// Thick clients on the server's own platform speak the same messages with fixed-width little-endian
// integers and pointers of eight bytes. Only what can be read with certainty is: log-ins, SQL text,
// simple calls, errors. The rest is named and left dark.
// Facts: captures of SQL*Plus 11.2 with 11.2 XE.
#pragma once

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// A request in that dialect: its header is followed by a pointer.
bool is_native_request(ByteView bytes);
/// A turn of one side; its messages have "dialect":"native".
Decoded decode_native(Session& session, ByteView bytes, Direction direction);

}  // namespace wherry::oracle::trace
