// pcap and pcapng files. The input is taken as a file, or, when it begins with a zero byte, as
// segments of a few TCP connections that are put into a pcap file first: order, lengths and numbers
// are the fuzzer's, headers are right.
#include <sstream>
#include <string>

#include "connect/oracle/trace/decode_capture.h"
#include "connect/oracle/trace/packet_writer.h"
#include "input.h"

namespace packets = wherry::oracle::trace::packets;

namespace {

std::string as_file(wherry::fuzz::Input& input) {
  const auto links = packets::links(true);
  const packets::Link& link = links[input.byte() % links.size()].second;
  std::vector<std::string> frames;
  std::uint32_t next[2] = {1, 1};
  while (!input.empty()) {
    packets::Segment segment;
    const std::uint8_t kind = input.byte();
    const std::size_t side = kind & 1;
    segment.from_client = side == 0;
    segment.flags = static_cast<std::uint8_t>((kind & 2) != 0 ? input.byte() : packets::kAck);
    segment.client_port = static_cast<std::uint16_t>(40000 + (kind >> 6));
    // Mostly in order; else a little before or behind.
    const auto shift = (kind & 4) != 0 ? static_cast<std::int8_t>(input.byte()) : 0;
    segment.sequence = next[side] + static_cast<std::uint32_t>(shift);
    segment.acknowledged = (kind & 8) != 0 ? next[1 - side] : 0;
    segment.urgent = static_cast<std::uint16_t>((kind & 16) != 0 ? 1 : 0);
    const auto payload = input.take(input.byte());
    segment.payload.assign(payload.begin(), payload.end());
    next[side] += static_cast<std::uint32_t>(payload.size());
    frames.push_back(link.frame(segment));
  }
  return packets::pcap(frames, link.type);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string file(reinterpret_cast<const char*>(data), size);
  if (size != 0 && data[0] == 0) {
    wherry::fuzz::Input input(data + 1, size - 1);
    file = as_file(input);
  }
  std::istringstream in(file);
  std::ostringstream out;
  wherry::oracle::DecodeOptions options;
  options.memory_bytes = 1 << 20;
  options.lists_connections = true;
  (void)wherry::oracle::decode_capture(in, out, "fuzz", options);
  return 0;
}
