// TNS packets as a server sends them: header, then the body of the type that the header names.
#include "connect/oracle/wire/tns.h"
#include "input.h"

namespace wire = wherry::oracle::wire;

namespace {

void decode_body(const wire::PacketHeader& header, wire::Reader& body) {
  switch (header.type) {
    case wire::PacketType::kConnect:
      (void)wire::decode_connect(body, header);
      break;
    case wire::PacketType::kAccept:
      (void)wire::decode_accept(body);
      break;
    case wire::PacketType::kRefuse:
      (void)wire::refuse_code(wire::decode_refuse(body).text);
      break;
    case wire::PacketType::kRedirect:
      (void)wire::parse_redirect(wire::decode_redirect(body).data, header.flags);
      break;
    case wire::PacketType::kMarker:
      (void)wire::decode_marker(body);
      break;
    case wire::PacketType::kControl:
      (void)wire::decode_control(body);
      break;
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  const bool has_large_header = (input.byte() & 1) != 0;
  while (!input.empty()) {
    wire::Reader header_bytes(input.rest());
    const auto header = wire::decode_header(header_bytes, has_large_header, wire::kMaxPacketBytes);
    if (!header_bytes.ok() || header.length < wire::kHeaderBytes) return 0;
    wire::Reader body(input.take(header.length));
    body.skip(wire::kHeaderBytes);
    decode_body(header, body);
  }
  return 0;
}
