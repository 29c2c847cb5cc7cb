#include "connect/oracle/trace/guess.h"

#include <algorithm>
#include <array>

#include "connect/oracle/trace/names.h"
#include "connect/oracle/trace/request.h"
#include "connect/oracle/trace/response.h"

namespace wherry::oracle::trace {
namespace {

using wire::Message;

/// One field version for each layout, newest first.
constexpr std::array<std::uint8_t, 11> kFieldVersions = {24, 20, 18, 17, 14, 12, 9, 8, 7, 6, 4};

Message type_of(std::uint8_t byte) {
  return static_cast<Message>(byte);
}

std::vector<wire::Dialect> dialects(const wire::Dialect& current) {
  std::vector<wire::Dialect> list = {current};
  for (const std::uint8_t version : kFieldVersions) {
    // Clients of that age always had wide scales.
    const bool is_old = version < 7;
    for (const bool wide_scale : {is_old, !is_old}) {
      for (const bool text_is_clr : {true, false}) {
        wire::Dialect dialect = current;
        dialect.field_version = version;
        dialect.wide_scale = wide_scale;
        dialect.text_is_clr = text_is_clr;
        dialect.chunks = version >= 7 ? wire::ChunkLength::kUb4 : wire::ChunkLength::kUb1;
        list.push_back(dialect);
        if (version >= 7) continue;
        dialect.has_call_sequence = false;  // 10.2.0.1
        list.push_back(dialect);
      }
    }
  }
  // 8i and 9i: no call status, no sequence, indicators behind the values.
  wire::Dialect oldest = list.back();
  oldest.field_version = 2;
  oldest.has_call_status = false;
  oldest.has_call_sequence = false;
  list.push_back(oldest);
  return list;
}

std::string message_name(std::uint8_t type) {
  switch (type_of(type)) {
    case Message::kProtocol:
      return "protocol";
    case Message::kDataTypes:
      return "data types";
    case Message::kError:
      return "end of call";
    case Message::kRowHeader:
      return "row header";
    case Message::kRowData:
      return "row data";
    case Message::kParameters:
      return "parameters";
    case Message::kStatus:
      return "status";
    case Message::kIoVector:
      return "bind directions";
    case Message::kLobData:
      return "lob data";
    case Message::kWarning:
      return "warning";
    case Message::kDescribe:
      return "describe";
    case Message::kFlushOutBinds:
      return "flush out binds";
    case Message::kBitVector:
      return "bit vector";
    case Message::kServerPiggyback:
      return "server piggyback";
    case Message::kImplicitResults:
      return "implicit results";
    case Message::kRenegotiate:
      return "renegotiate";
    case Message::kEndOfResponse:
      return "end of response";
    case Message::kToken:
      return "token";
    case Message::kCookie:
      return "connection cookie";
    case Message::kFastAuth:
      return "fast auth";
    default:
      return "message " + std::to_string(type);
  }
}

}  // namespace

bool is_handshake(ByteView bytes) {
  if (bytes.empty()) return false;
  const Message type = type_of(bytes[0]);
  return type == Message::kProtocol || type == Message::kDataTypes || type == Message::kFastAuth;
}

Decoded guess_and_decode(Session& session, ByteView bytes, Direction& direction) {
  Decoded best;
  Direction best_side = direction;
  best.ending = Ending::kFailed;
  best.problem = "no known dialect makes sense of it";
  Session best_session = session;
  bool found_any = false;
  for (const wire::Dialect& dialect : dialects(session.dialect)) {
    for (const Direction side : {Direction::kClient, Direction::kServer}) {
      if (direction != Direction::kUnknown && side != direction) continue;
      Session trial = session;
      trial.dialect = dialect;
      Decoded decoded =
          side == Direction::kClient ? decode_request(trial, bytes) : decode_response(trial, bytes);
      const bool is_whole = decoded.ending == Ending::kComplete;
      // The oldest dialect takes nearly any byte for a whole message.
      const bool is_further = decoded.used_bytes > best.used_bytes && dialect.has_call_status;
      if (is_whole || is_further || !found_any) {
        best = std::move(decoded);
        best_session = std::move(trial);
        best_side = side;
        found_any = true;
      }
      if (is_whole) {
        session = std::move(best_session);
        direction = best_side;
        return best;
      }
    }
  }
  session = std::move(best_session);
  direction = best_side;
  return best;
}

std::string describe_start(ByteView bytes, Direction direction) {
  if (bytes.empty()) return "nothing";
  const Message type = type_of(bytes[0]);
  const bool is_function =
      type == Message::kFunction || type == Message::kPiggyback || type == Message::kOneWay;
  if (direction == Direction::kServer || !is_function || bytes.size() < 2) {
    return message_name(bytes[0]);
  }
  return (type == Message::kPiggyback ? "piggyback " : "") + function_name(bytes[1]);
}

}  // namespace wherry::oracle::trace
