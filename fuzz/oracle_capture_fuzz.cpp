// Captured sessions: the text form, packet captures, raw packets. The first byte says how the rest
// becomes a file: as it is, as packets (direction, two bytes of length, bytes) of the text form, or
// as segments of a few TCP connections in a pcap file (order, lengths and numbers are the fuzzer's,
// headers are right).
#include <sstream>
#include <string>

#include "connect/oracle/trace/decode_capture.h"
#include "connect/oracle/trace/packet_writer.h"
#include "input.h"

namespace packets = wherry::oracle::trace::packets;
using wherry::fuzz::Input;

namespace {

void decode(const std::string& file) {
  std::istringstream in(file);
  std::ostringstream out;
  wherry::oracle::DecodeOptions options;
  options.memory_bytes = 1 << 20;
  options.lists_connections = true;
  (void)wherry::oracle::decode_capture(in, out, "fuzz", options);
}

void fuzz_file(Input& input) {
  decode(std::string(input.text()));
}

void fuzz_text(Input& input) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  while (!input.empty()) {
    text += (input.byte() & 1) != 0 ? "# direction=server flow=0\n" : "# direction=client flow=0\n";
    const std::size_t high = input.byte();
    for (const std::uint8_t byte : input.take((high & 3) << 8 | input.byte())) {
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
    text += "\n\n";
  }
  decode(text);
}

void fuzz_segments(Input& input) {
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
  decode(packets::pcap(frames, link.type));
}

constexpr wherry::fuzz::Part kParts[] = {fuzz_file, fuzz_text, fuzz_segments};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return wherry::fuzz::run_part(kParts, data, size);
}
