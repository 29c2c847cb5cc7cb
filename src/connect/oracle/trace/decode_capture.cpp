#include "connect/oracle/trace/decode_capture.h"

#include <algorithm>
#include <map>
#include <vector>

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/flow.h"
#include "connect/oracle/trace/message_text.h"

namespace wherry::oracle {
namespace {

using trace::Block;
using trace::Direction;
using trace::Json;

std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::kClient:
      return "client";
    case Direction::kServer:
      return "server";
    default:
      return "unknown";
  }
}

/// Messages of one file. A message is known only when its last packet was read, other flows'
/// packets between: lines are put back into the order of the packets.
class Output {
 public:
  void add(std::size_t place, std::uint64_t number, std::uint64_t flow, Direction direction,
           const Json& fields) {
    Json line{{"n", number}, {"flow", flow}, {"direction", name_of(direction)}};
    line.update(fields);
    lines_.push_back({place, line.dump(-1, ' ', false, Json::error_handler_t::replace)});
  }

  void write(std::ostream& out) {
    std::stable_sort(lines_.begin(), lines_.end(),
                     [](const Line& a, const Line& b) { return a.place < b.place; });
    for (const Line& line : lines_) out << line.text << '\n';
  }

 private:
  struct Line {
    std::size_t place;
    std::string text;
  };
  std::vector<Line> lines_;
};

class FileDecoder {
 public:
  void add(const Block& block) {
    ++place_;
    if (!block.problem.empty()) report_damage(block);
    if (block.is_alone) {
      trace::Flow flow = make_flow(block.flow);
      places_[{block.flow, block.number}] = place_;
      flow.add(block);
      flow.finish();
      return;
    }
    places_[{block.flow, block.number}] = place_;
    const auto found = flows_.find(block.flow);
    trace::Flow& flow = found != flows_.end()
                            ? found->second
                            : flows_.emplace(block.flow, make_flow(block.flow)).first->second;
    flow.add(block);
  }

  void finish(std::ostream& out) {
    for (auto& [id, flow] : flows_) flow.finish();
    output_.write(out);
  }

 private:
  trace::Flow make_flow(std::uint64_t id) {
    return trace::Flow([this, id](std::uint64_t number, Direction direction, const Json& fields) {
      output_.add(places_[{id, number}], number, id, direction, fields);
    });
  }

  void report_damage(const Block& block) {
    output_.add(place_, block.number, block.flow, block.direction,
                trace::undecoded("the block's hex holds " + block.problem, {}));
  }

  std::map<std::uint64_t, trace::Flow> flows_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> places_;
  std::size_t place_ = 0;
  Output output_;
};

}  // namespace

Result<void> decode_capture(std::istream& in, std::ostream& out, const std::string& name) {
  const std::vector<Block> blocks = trace::read_capture(in);
  if (in.bad()) {
    return make_error(ErrorKind::kResource, "oracle.capture_unreadable",
                      "the capture cannot be read: " + name, "check the file and its disk");
  }
  if (blocks.empty()) {
    return make_error(ErrorKind::kConfig, "oracle.capture_empty",
                      "the capture holds no packet: " + name,
                      "give a file of blocks '# direction=client|server flow=F n=N' with hex");
  }
  FileDecoder decoder;
  for (const Block& block : blocks) decoder.add(block);
  decoder.finish(out);
  out.flush();
  if (!out) {
    return make_error(ErrorKind::kResource, "oracle.output_failed",
                      "the decoded messages of " + name + " cannot be written",
                      "check the disk and the reader of the output");
  }
  return {};
}

}  // namespace wherry::oracle
