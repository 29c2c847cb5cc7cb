// Messages of a session whose beginning was not captured: what was negotiated is found out by
// trying which dialect makes sense of all the bytes.
#pragma once

#include <string>

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// Starts with a message that is the same in every dialect and settles it.
bool is_handshake(ByteView bytes);
/// The decoding that uses all bytes, else the one that gets furthest; `session` becomes the one
/// that made it. For kUnknown both directions are tried, and `direction` becomes the right one.
Decoded guess_and_decode(Session& session, ByteView bytes, Direction& direction);
/// What the bytes begin with: "execute", "describe", "message 77".
std::string describe_start(ByteView bytes, Direction direction);

}  // namespace wherry::oracle::trace
