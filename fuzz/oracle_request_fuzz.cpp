// A client's TTC requests: log-in, execute with binds, piggybacks, LOB operations, in any dialect
// and with the native services negotiation before them.
#include "connect/oracle/trace/native_services.h"
#include "connect/oracle/trace/resync.h"
#include "input.h"

namespace trace = wherry::oracle::trace;
namespace wire = wherry::oracle::wire;
using wherry::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  trace::Session session;
  const std::uint8_t flags = input.byte();
  session.is_negotiated = (flags & 1) != 0;
  session.dialect.text_is_clr = (flags & 2) != 0;
  session.dialect.wide_scale = (flags & 4) != 0;
  session.dialect.chunks = (flags & 8) != 0 ? wire::ChunkLength::kUb1 : wire::ChunkLength::kUb4;
  session.dialect.field_version = 2 + input.byte() % 23;
  const auto services = input.take(input.byte());
  (void)trace::decode_native_services(services, (flags & 16) != 0);
  trace::Direction direction =
      (flags & 32) != 0 ? trace::Direction::kUnknown : trace::Direction::kClient;
  const auto request = input.rest();
  const trace::Decoded decoded = trace::decode_turn(session, request, direction);
  require(decoded.used_bytes <= request.size());
  for (const auto& message : decoded.messages) {
    require(message.offset <= request.size());
    (void)message.fields.dump(-1, ' ', false, trace::Json::error_handler_t::replace);
  }
  return 0;
}
