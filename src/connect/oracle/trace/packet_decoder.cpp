#include "connect/oracle/trace/packet_decoder.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "connect/oracle/trace/link_layer.h"
#include "connect/oracle/trace/packet_file.h"

namespace wherry::oracle::trace {
namespace {

/// Capture tools cut at 262144 bytes unless told otherwise.
constexpr std::uint32_t kMaxFrameBytes = 1 << 20;
constexpr std::size_t kFewestConnections = 64, kMostConnections = 16384;
/// What an idle connection is remembered by, roughly: its cursors and their columns.
constexpr std::size_t kConnectionBytes = 64 * 1024;
constexpr std::uint64_t kFramesBetweenWrites = 512;
constexpr std::uint64_t kEverything = std::numeric_limits<std::uint64_t>::max();

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::kOracle:
      return "oracle";
    case Protocol::kTls:
      return "tls";
    case Protocol::kOther:
      return "other";
    default:
      return "unknown";
  }
}

}  // namespace

void PacketDecoder::run(std::istream& in, std::string head) {
  PacketFile file(in, std::move(head));
  IpFragments::Limits limits;
  limits.max_bytes = turn_bytes() / 4;
  FrameReader reader(limits);
  TcpSegment segment;
  while (const auto frame = file.next(kMaxFrameBytes)) {
    const auto skip = [&](const std::string& reason) {
      Skipped& skipped = skipped_[reason];
      if (skipped.count++ == 0) skipped.first_frame = frame->number;
    };
    switch (reader.read(*frame, segment)) {
      case FrameContent::kTcp:
        add(segment, frame->number);
        break;
      case FrameContent::kCut:
        skip("their headers are cut short or contradict themselves");
        break;
      case FrameContent::kUnknownLink:
        skip(frame->link_type == kNoLinkType
                 ? "the file does not describe their interface"
                 : "link type " + std::to_string(frame->link_type) + " is not read");
        break;
      default:
        break;
    }
    if (frame->number % kFramesBetweenWrites == 0) write_known_lines();
  }
  for (auto& [key, connection] : connections_) finish(*connection);
  if (const std::uint64_t lost = reader.lost_fragments(); lost != 0) {
    skipped_["they are fragments of IP packets whose other parts are missing"] = {
        lost, file.frame_count()};
  }
  report_skipped();
  if (!file.problem().empty()) note(file.frame_count(), "damaged file", 0, file.problem());
  output_.write_before(kEverything);
}

std::size_t PacketDecoder::turn_bytes() const {
  return std::max<std::size_t>(options_.memory_bytes / 16, 65536);
}

std::size_t PacketDecoder::max_connections() const {
  return std::clamp(options_.memory_bytes / kConnectionBytes, kFewestConnections, kMostConnections);
}

PacketDecoder::Connection& PacketDecoder::connection_of(const TcpSegment& segment,
                                                        std::uint64_t frame, bool& is_new) {
  Key key{segment.source, segment.destination};
  if (key[1] < key[0]) std::swap(key[0], key[1]);
  std::unique_ptr<Connection>& connection = connections_[key];
  is_new = connection == nullptr;
  if (connection && !connection->tcp.owns(segment)) {
    finish(*connection);
    is_new = true;
  }
  if (!is_new) return *connection;
  const std::uint64_t flow = flow_count_++;
  TcpConnection::Limits limits;
  limits.max_waiting_bytes = turn_bytes() / 4;
  connection = std::make_unique<Connection>(
      flow, std::array<Endpoint, 2>{segment.source, segment.destination},
      TcpConnection(segment.source, limits), place_,
      [this, flow](std::uint64_t number, std::uint64_t place, Direction direction,
                   const Json& fields) { output_.add(place, number, flow, direction, fields); },
      turn_bytes());
  connection->first_frame = frame;
  return *connection;
}

void PacketDecoder::add(const TcpSegment& segment, std::uint64_t frame) {
  bool is_new = false;
  Connection& connection = connection_of(segment, frame, is_new);
  connection.last_frame = frame;
  connection.tcp.add(segment, frame, connection.oracle);
  connection.oracle.set_opener(connection.tcp.opener());
  const std::uint64_t bytes = connection.tcp.waiting_bytes() + connection.oracle.gathered_bytes();
  gathered_bytes_ += bytes - connection.counted_bytes;
  connection.counted_bytes = bytes;
  while (connections_.size() > max_connections() || gathered_bytes_ > options_.memory_bytes / 4) {
    finish_longest_idle();
  }
}

void PacketDecoder::finish(Connection& connection) {
  connection.oracle.set_opener(connection.tcp.opener());
  connection.tcp.finish(connection.oracle);
  connection.oracle.finish();
  gathered_bytes_ -= connection.counted_bytes;
  connection.counted_bytes = 0;
  if (!options_.lists_connections) return;
  const Side client = connection.oracle.client();
  output_.add(++place_, connection.first_frame, connection.flow, Direction::kUnknown,
              Json{{"message", "connection"},
                   {"protocol", name_of(connection.oracle.protocol())},
                   {"client", connection.endpoints[client].text()},
                   {"server", connection.endpoints[1 - client].text()}});
}

void PacketDecoder::finish_longest_idle() {
  const auto longest = std::min_element(
      connections_.begin(), connections_.end(),
      [](const auto& a, const auto& b) { return a.second->last_frame < b.second->last_frame; });
  finish(*longest->second);
  connections_.erase(longest);
}

void PacketDecoder::write_known_lines() {
  const bool is_full = output_.waiting_bytes() > options_.memory_bytes / 4;
  std::uint64_t open = kEverything;
  for (const auto& [key, connection] : connections_) {
    if (is_full) break;
    open = std::min(open, connection->oracle.first_open_place());
  }
  output_.write_before(open);
}

void PacketDecoder::report_skipped() {
  for (const auto& [reason, skipped] : skipped_) {
    note(skipped.first_frame, "skipped frames", skipped.count, reason);
  }
}

/// About the file, not one of its connections.
void PacketDecoder::note(std::uint64_t frame, const std::string& what, std::uint64_t count,
                         const std::string& reason) {
  Json fields{{"message", what}};
  if (count != 0) fields["frames"] = count;
  fields["reason"] = reason;
  output_.add(++place_, frame, nullptr, Direction::kUnknown, fields);
}

}  // namespace wherry::oracle::trace
