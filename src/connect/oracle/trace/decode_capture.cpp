#include "connect/oracle/trace/decode_capture.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/flow.h"
#include "connect/oracle/trace/line_output.h"
#include "connect/oracle/trace/message_text.h"
#include "connect/oracle/trace/packet_decoder.h"

namespace wherry::oracle {
namespace {

using trace::Block;
using trace::Direction;
using trace::Json;

constexpr std::uint64_t kEverything = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kBlocksBetweenWrites = 512;

/// The text form, block by block.
class TextDecoder {
 public:
  TextDecoder(trace::LineOutput& output, const DecodeOptions& options)
      : output_(output), options_(options) {}

  void add(Block block) {
    block.place = ++place_;
    if (!block.problem.empty()) report_damage(block);
    if (block.is_alone) {
      trace::Flow flow = make_flow(block.flow);
      flow.add(block);
      flow.finish();
    } else {
      flows_.try_emplace(block.flow, make_flow(block.flow)).first->second.add(block);
    }
    if (place_ % kBlocksBetweenWrites == 0) write_known_lines();
  }

  void finish() {
    for (auto& [id, flow] : flows_) flow.finish();
    output_.write_before(kEverything);
  }

 private:
  trace::Flow make_flow(std::uint64_t id) {
    return trace::Flow(
        [this, id](std::uint64_t number, std::uint64_t place, Direction direction,
                   const Json& fields) { output_.add(place, number, id, direction, fields); },
        std::max<std::size_t>(options_.memory_bytes / 16, 65536));
  }

  void write_known_lines() {
    const bool is_full = output_.waiting_bytes() > options_.memory_bytes / 4;
    std::uint64_t open = kEverything;
    for (const auto& [id, flow] : flows_) {
      if (!is_full) open = std::min(open, flow.first_open_place());
    }
    output_.write_before(open);
  }

  void report_damage(const Block& block) {
    output_.add(place_, block.number, block.flow, block.direction,
                trace::undecoded("the block's hex holds " + block.problem, {}));
  }

  trace::LineOutput& output_;
  const DecodeOptions& options_;
  std::map<std::uint64_t, trace::Flow> flows_;
  std::uint64_t place_ = 0;
};

std::string read_head(std::istream& in) {
  std::string head(4, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  return head;
}

bool is_compressed(std::string_view head) {
  return head.rfind("\x1f\x8b\x08", 0) == 0 || head.rfind("\x28\xb5\x2f\xfd", 0) == 0;
}

}  // namespace

Result<void> decode_capture(std::istream& in, std::ostream& out, const std::string& name,
                            const DecodeOptions& options) {
  trace::LineOutput output(out);
  std::string head = read_head(in);
  if (is_compressed(head)) {
    return make_error(ErrorKind::kConfig, "oracle.capture_compressed",
                      "the capture is compressed: " + name,
                      "decompress it first, with gunzip or zstd -d");
  }
  if (trace::is_packet_file(head)) {
    trace::PacketDecoder(output, options).run(in, std::move(head));
  } else {
    TextDecoder decoder(output, options);
    trace::read_capture(std::move(head), in, [&](Block block) { decoder.add(std::move(block)); });
    decoder.finish();
  }
  if (in.bad()) {
    return make_error(ErrorKind::kResource, "oracle.capture_unreadable",
                      "the capture cannot be read: " + name, "check the file and its disk");
  }
  if (output.line_count() == 0) {
    return make_error(ErrorKind::kConfig, "oracle.capture_empty",
                      "the capture holds no packet of Oracle Net: " + name,
                      "give a pcap or pcapng file with the traffic of a connection, or text of "
                      "blocks '# direction=client|server flow=F n=N' with hex");
  }
  out.flush();
  if (!out) {
    return make_error(ErrorKind::kResource, "oracle.output_failed",
                      "the decoded messages of " + name + " cannot be written",
                      "check the disk and the reader of the output");
  }
  return {};
}

}  // namespace wherry::oracle
