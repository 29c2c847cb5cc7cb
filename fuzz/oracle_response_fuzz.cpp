// A server's TTC messages, read by the decoder of captures (which uses the client's own decoders
// for every message), in any dialect and after any kind of request.
#include "connect/oracle/trace/request.h"
#include "connect/oracle/trace/response.h"
#include "input.h"

namespace trace = wherry::oracle::trace;
namespace wire = wherry::oracle::wire;
using wherry::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  trace::Session session;
  const std::uint8_t flags = input.byte();
  session.is_negotiated = (flags & 1) != 0;
  session.dialect.end_of_response = (flags & 2) != 0;
  session.dialect.wide_scale = (flags & 4) != 0;
  session.dialect.chunks = (flags & 8) != 0 ? wire::ChunkLength::kUb1 : wire::ChunkLength::kUb4;
  session.dialect.field_version = 7 + input.byte() % 18;
  trace::Call call;
  call.function = input.byte();
  call.wants_row_counts = (flags & 16) != 0;
  session.calls.push_back(call);
  const std::size_t request_bytes = input.byte();
  (void)trace::decode_request(session, input.take(request_bytes));
  const auto response = input.rest();
  const trace::Decoded decoded = trace::decode_response(session, response);
  require(decoded.used_bytes <= response.size());
  for (const auto& message : decoded.messages) {
    require(message.offset <= response.size());
    (void)message.fields.dump();
  }
  return 0;
}
