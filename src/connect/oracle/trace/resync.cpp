#include "connect/oracle/trace/resync.h"

#include <algorithm>
#include <utility>

#include "connect/oracle/trace/guess.h"
#include "connect/oracle/trace/message_text.h"
#include "connect/oracle/trace/names.h"
#include "connect/oracle/trace/native_dialect.h"
#include "connect/oracle/trace/request.h"
#include "connect/oracle/trace/response.h"

namespace wherry::oracle::trace {
namespace {

using wire::Message;

/// Bounds the work on bytes that are no Oracle messages at all.
constexpr std::size_t kMaxTrials = 64;
constexpr std::size_t kMaxSearchBytes = 4096;

Decoded decode_one_way(Session& session, ByteView bytes, Direction direction) {
  return direction == Direction::kClient ? decode_request(session, bytes)
                                         : decode_response(session, bytes);
}

bool is_request(ByteView bytes) {
  if (bytes.empty()) return false;
  const auto type = static_cast<Message>(bytes[0]);
  return type == Message::kFunction || type == Message::kPiggyback || type == Message::kOneWay ||
         type == Message::kFastAuth;
}

/// Only messages that are long enough to be no accident, or that end a response.
bool can_restart_at(ByteView bytes, Direction direction) {
  const auto type = static_cast<Message>(bytes[0]);
  if (direction == Direction::kClient) {
    const bool is_call = type == Message::kFunction || type == Message::kPiggyback;
    return is_call && bytes.size() >= 3 && is_known_function(bytes[1]);
  }
  return type == Message::kError || type == Message::kParameters || type == Message::kRowHeader ||
         type == Message::kDescribe || type == Message::kStatus;
}

/// A few bytes in the middle of something else can look like the short status message. Where bytes
/// may simply be missing, only an error with its text counts.
bool ends_a_response(const Decoded& decoded, bool may_lack_bytes) {
  return std::any_of(
      decoded.messages.begin(), decoded.messages.end(), [&](const DecodedMessage& m) {
        const Json& name = m.fields["message"];
        return name == "error" || (!may_lack_bytes && (name == "end of call" || name == "status"));
      });
}

/// Log-in parameters, or an error and nothing else; less could be an accident.
bool is_readable(const Decoded& decoded) {
  if (decoded.messages.empty()) return false;
  const Json& first = decoded.messages[0].fields;
  return first.contains("pairs") || first.contains("error");
}

/// Continues behind the dark bytes; false when no later place makes sense.
bool restart_later(Session& session, ByteView bytes, Direction& direction, Decoded& decoded) {
  const std::size_t dark = decoded.used_bytes;
  const std::size_t end = std::min(bytes.size(), dark + kMaxSearchBytes);
  std::size_t trials = 0;
  for (std::size_t at = dark + 1; at < end && trials < kMaxTrials; ++at) {
    const ByteView rest = bytes.subspan(at);
    if (!can_restart_at(rest, direction)) continue;
    ++trials;
    Session trial = session;
    Decoded later = session.is_negotiated ? decode_one_way(trial, rest, direction)
                                          : guess_and_decode(trial, rest, direction);
    if (later.ending != Ending::kComplete || later.messages.empty()) continue;
    const bool may_lack_bytes = decoded.ending == Ending::kPartial;
    if (direction == Direction::kServer && !ends_a_response(later, may_lack_bytes)) continue;
    Json hole = undecoded(decoded.problem, bytes.subspan(dark, at - dark));
    hole["type"] = describe_start(bytes.subspan(dark), direction);
    decoded.messages.push_back({dark, std::move(hole)});
    for (DecodedMessage& message : later.messages) {
      message.offset += at;
      decoded.messages.push_back(std::move(message));
    }
    decoded.used_bytes = bytes.size();
    decoded.ending = Ending::kComplete;
    session = std::move(trial);
    return true;
  }
  return false;
}

}  // namespace

Decoded decode_beginning_of_turn(Session& session, ByteView bytes, Direction& direction) {
  const bool is_known =
      direction != Direction::kUnknown && session.is_negotiated && !session.is_native;
  return is_known ? decode_one_way(session, bytes, direction)
                  : decode_turn(session, bytes, direction);
}

Decoded decode_turn(Session& session, ByteView bytes, Direction& direction) {
  // No server sends that, whatever a capture says of the direction.
  if (is_request(bytes)) direction = Direction::kClient;
  if (is_native_request(bytes)) session.is_native = true;
  if (session.is_native && direction != Direction::kUnknown && !is_handshake(bytes)) {
    return decode_native(session, bytes, direction);
  }
  const bool is_known =
      direction != Direction::kUnknown && (session.is_negotiated || is_handshake(bytes));
  const Session before = session;
  Decoded decoded = is_known ? decode_one_way(session, bytes, direction)
                             : guess_and_decode(session, bytes, direction);
  if (decoded.ending == Ending::kComplete || is_handshake(bytes)) return decoded;
  if (is_known) {
    Session other = before;
    Decoded guessed = guess_and_decode(other, bytes, direction);
    if (guessed.ending == Ending::kComplete) {
      // One message that was read otherwise does not overrule the negotiation.
      other.dialect = before.dialect;
      session = std::move(other);
      return guessed;
    }
  }
  if (!session.is_negotiated && direction == Direction::kServer) {
    Decoded native = decode_native(session, bytes, direction);
    if (is_readable(native)) return native;
  }
  if (direction != Direction::kUnknown) restart_later(session, bytes, direction, decoded);
  return decoded;
}

}  // namespace wherry::oracle::trace
