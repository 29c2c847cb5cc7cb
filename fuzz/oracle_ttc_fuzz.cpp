// TTC messages of both sides, read by the decoder of captures (which uses the client's own decoders
// for every message of a server), in any dialect and after any kind of request.
#include "connect/oracle/trace/request.h"
#include "connect/oracle/trace/response.h"
#include "connect/oracle/trace/resync.h"
#include "input.h"

namespace trace = wherry::oracle::trace;
namespace wire = wherry::oracle::wire;
using wherry::fuzz::Input;
using wherry::fuzz::require;

namespace {

trace::Session session_of(Input& input) {
  trace::Session session;
  const std::uint8_t flags = input.byte();
  session.is_negotiated = (flags & 1) != 0;
  session.dialect.text_is_clr = (flags & 2) != 0;
  session.dialect.wide_scale = (flags & 4) != 0;
  session.dialect.chunks = (flags & 8) != 0 ? wire::ChunkLength::kUb1 : wire::ChunkLength::kUb4;
  session.dialect.end_of_response = (flags & 16) != 0;
  session.is_native = (flags & 32) != 0;
  session.dialect.field_version = 2 + input.byte() % 23;
  return session;
}

void check(const trace::Decoded& decoded, std::size_t size) {
  require(decoded.used_bytes <= size);
  for (const auto& message : decoded.messages) {
    require(message.offset <= size);
    (void)message.fields.dump(-1, ' ', false, trace::Json::error_handler_t::replace);
  }
}

/// Log-in, execute with binds, piggybacks, LOB operations; or of a side that is not known.
void fuzz_request(Input& input) {
  trace::Session session = session_of(input);
  trace::Direction direction =
      (input.byte() & 1) != 0 ? trace::Direction::kUnknown : trace::Direction::kClient;
  const auto request = input.rest();
  check(trace::decode_turn(session, request, direction), request.size());
}

/// After a call of any function, and after a request of the fuzzer's own.
void fuzz_response(Input& input) {
  trace::Session session = session_of(input);
  trace::Call call;
  call.function = input.byte();
  call.wants_row_counts = (input.byte() & 1) != 0;
  session.calls.push_back(call);
  const std::size_t request_bytes = input.byte();
  (void)trace::decode_request(session, input.take(request_bytes));
  const auto response = input.rest();
  check(trace::decode_response(session, response), response.size());
}

constexpr wherry::fuzz::Part kParts[] = {fuzz_request, fuzz_response};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return wherry::fuzz::run_part(kParts, data, size);
}
