// What to do with a message that does not fit what was negotiated: other dialects are tried, then a
// later place from which everything makes sense again.
#pragma once

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// Decodes a turn of one side, or of a side that is found out. `session` is left as the chosen
/// reading has made it; bytes that stay dark are among the messages as "undecoded", and the ending
/// is kComplete when all others were understood.
Decoded decode_turn(Session& session, ByteView bytes, Direction& direction);
/// The same for the beginning of a turn: what follows the last whole message is left for later.
Decoded decode_beginning_of_turn(Session& session, ByteView bytes, Direction& direction);

}  // namespace wherry::oracle::trace
