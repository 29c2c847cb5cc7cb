#include "connect/oracle/trace/oracle_connection.h"

#include <algorithm>

#include "connect/oracle/trace/message_text.h"
#include "connect/oracle/wire/tns.h"

namespace wherry::oracle::trace {
namespace {

using wire::ByteView;
using wire::PacketType;

/// What a connection may send before it is given up as none of Oracle's.
constexpr std::size_t kMaxUndecidedBytes = 65536;
/// How far behind missing bytes a packet's beginning is looked for at once.
constexpr std::size_t kMaxResyncBytes = 65536;
constexpr std::uint16_t kUnusedDataFlags = 0xD080;
constexpr std::uint16_t kListenerPort = 1521;

bool is_packet_type(std::uint8_t type) {
  return type >= 1 && type <= 15 && type != 8 && type != 10;
}

/// Length of the packet whose header stands at the beginning, if it looks like one in this form.
std::optional<std::size_t> header_length(ByteView bytes, bool is_large) {
  wire::Reader in(bytes);
  const wire::PacketHeader header = wire::decode_header(in, is_large, wire::kMaxPacketBytes);
  if (!in.ok() || !is_packet_type(static_cast<std::uint8_t>(header.type))) return std::nullopt;
  const bool is_data = header.type == PacketType::kData;
  if (is_data && header.length < wire::kDataHeaderBytes) return std::nullopt;
  return header.length;
}

/// The same, and every field that is zero in practice is.
std::optional<std::size_t> strict_length(ByteView bytes, bool is_large) {
  const auto length = header_length(bytes, is_large);
  if (!length) return std::nullopt;
  const bool has_checksum =
      (!is_large && (bytes[2] != 0 || bytes[3] != 0)) || bytes[6] != 0 || bytes[7] != 0;
  if (has_checksum) return std::nullopt;
  if (static_cast<PacketType>(bytes[4]) == PacketType::kData) {
    if (bytes.size() < wire::kDataHeaderBytes) return std::nullopt;
    const unsigned flags = unsigned{bytes[8]} << 8U | bytes[9];
    if ((flags & kUnusedDataFlags) != 0) return std::nullopt;
  }
  return length;
}

/// Without an ACCEPT the header's form shows: lengths of 32 bits begin with zeros.
std::optional<std::size_t> strict_length(ByteView bytes) {
  const auto small = strict_length(bytes, false);
  return small ? small : strict_length(bytes, true);
}

bool is_tls_record(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  return bytes.size() >= 3 && at(0) >= 0x14 && at(0) <= 0x17 && at(1) == 3 && at(2) <= 4;
}

/// What only one side sends: functions from clients, results from servers.
std::optional<bool> is_from_client(std::string_view packet) {
  if (packet.size() <= wire::kDataHeaderBytes) return std::nullopt;
  switch (static_cast<PacketType>(packet[4])) {
    case PacketType::kConnect:
      return true;
    case PacketType::kAccept:
    case PacketType::kRefuse:
    case PacketType::kRedirect:
    case PacketType::kControl:
      return false;
    case PacketType::kData:
      break;
    default:
      return std::nullopt;
  }
  switch (packet[wire::kDataHeaderBytes]) {
    case 3:
    case 17:
    case 34:
      return true;
    case 4:
    case 6:
    case 8:
    case 9:
    case 11:
    case 14:
    case 15:
    case 16:
    case 23:
      return false;
    default:
      return std::nullopt;
  }
}

Json missing(std::uint64_t bytes, std::string_view reason) {
  return Json{{"message", "missing"}, {"bytes", bytes}, {"reason", reason}};
}

}  // namespace

OracleConnection::OracleConnection(std::uint64_t flow, std::array<Endpoint, 2> endpoints,
                                   std::uint64_t& place, MessageSink sink,
                                   std::size_t max_message_bytes)
    : flow_number_(flow),
      endpoints_(endpoints),
      place_(place),
      sink_(std::move(sink)),
      flow_(sink_, max_message_bytes) {
  streams_[0].is_in_step = streams_[1].is_in_step = true;
}

void OracleConnection::set_opener(std::optional<Side> opener) {
  if (!opener_ && opener && protocol_ == Protocol::kUnknown) client_ = *opener;
  opener_ = opener;
}

void OracleConnection::on_bytes(Side side, std::uint64_t frame, ByteView bytes) {
  if (protocol_ == Protocol::kTls || protocol_ == Protocol::kOther) return;
  Stream& stream = streams_[side];
  if (protocol_ == Protocol::kUnknown && !opener_) {
    // Joined in the middle: only what begins at the beginning of a segment is tried.
    const bool is_tried = stream.bytes.size() >= wire::kDataHeaderBytes;
    if (is_tried) {
      if (stream.dark_bytes == 0) stream.dark_origin = stream.origins.front();
      stream.dark_bytes += stream.bytes.size();
      drop(stream, stream.bytes.size());
    }
  }
  append(stream, frame, bytes);
  if (protocol_ == Protocol::kUnknown) decide(side, frame);
  if (protocol_ == Protocol::kOracle) cut(side);
}

void OracleConnection::decide(Side side, std::uint64_t frame) {
  Stream& stream = streams_[side];
  if (stream.bytes.size() < 3) return;
  if (is_tls_record(stream.bytes)) return become_tls(frame, stream.bytes);
  if (stream.bytes.size() < wire::kDataHeaderBytes) return;
  const auto length = strict_length(wire::bytes_of(stream.bytes));
  if (opener_) return length ? become_oracle(side) : become_other();
  // A packet that ends with the segment, or leads to another one, is no accident.
  if (length) {
    const ByteView bytes = wire::bytes_of(stream.bytes);
    const bool is_whole = *length == bytes.size();
    const bool is_cut = *length > bytes.size();
    if (is_whole || is_cut || strict_length(bytes.subspan(*length))) return become_oracle(side);
  }
  if (streams_[0].dark_bytes + streams_[1].dark_bytes > kMaxUndecidedBytes) become_other();
}

void OracleConnection::become_oracle(Side side) {
  protocol_ = Protocol::kOracle;
  if (!opener_) client_ = guess_client(side, streams_[side].bytes);
  for (Side each = 0; each < 2; ++each) {
    if (streams_[each].dark_bytes != 0) report_dark(each);
  }
  cut(1 - side);
}

Side OracleConnection::guess_client(Side side, std::string_view packet) const {
  const auto is_client = is_from_client(packet);
  if (is_client) return *is_client ? side : 1 - side;
  if (endpoints_[0].port == kListenerPort) return 1;
  if (endpoints_[1].port == kListenerPort) return 0;
  return endpoints_[0].port > endpoints_[1].port ? 0 : 1;
}

void OracleConnection::become_tls(std::uint64_t frame, std::string_view record) {
  protocol_ = Protocol::kTls;
  constexpr std::uint8_t kHandshake = 22;
  Json fields{{"message", "tls"},
              {"reason", "encrypted by TLS: it cannot be decoded without the session's keys"}};
  fields["is_handshake"] = static_cast<std::uint8_t>(record[0]) == kHandshake;
  emit({0, frame, ++place_}, Direction::kUnknown, std::move(fields));
  for (Stream& stream : streams_) stream = {};
}

void OracleConnection::become_other() {
  protocol_ = Protocol::kOther;
  for (Stream& stream : streams_) stream = {};
}

void OracleConnection::append(Stream& stream, std::uint64_t frame, ByteView bytes) {
  const auto known =
      static_cast<std::size_t>(std::min<std::uint64_t>(stream.rest_of_packet, bytes.size()));
  stream.rest_of_packet -= known;
  bytes = bytes.subspan(known);
  if (bytes.empty()) return;
  stream.origins.push_back({stream.bytes.size(), frame, ++place_});
  stream.bytes += wire::text_of(bytes);
}

void OracleConnection::drop(Stream& stream, std::size_t count) {
  stream.bytes.erase(0, count);
  while (stream.origins.size() > 1 && stream.origins[1].offset <= count) {
    stream.origins.pop_front();
  }
  if (stream.bytes.empty()) {
    stream.origins.clear();
    // An idle connection is to take no room.
    constexpr std::size_t kKeptBytes = 4096;
    if (stream.bytes.capacity() > kKeptBytes) std::string().swap(stream.bytes);
  }
  for (Origin& origin : stream.origins) {
    origin.offset = origin.offset > count ? origin.offset - count : 0;
  }
}

std::optional<std::size_t> OracleConnection::packet_bytes(ByteView bytes) const {
  if (!flow_.knows_header_form()) return strict_length(bytes);
  const auto length = header_length(bytes, flow_.has_large_header());
  return length ? length : strict_length(bytes, !flow_.has_large_header());
}

/// Less than packet_bytes() accepts: what is found here begins with a packet there too.
std::optional<std::size_t> OracleConnection::certain_packet_bytes(ByteView bytes) const {
  if (!flow_.knows_header_form()) return strict_length(bytes);
  const auto length = strict_length(bytes, flow_.has_large_header());
  return length ? length : strict_length(bytes, !flow_.has_large_header());
}

/// Takes every whole packet off the side's stream.
void OracleConnection::cut(Side side) {
  Stream& stream = streams_[side];
  while (stream.is_in_step || get_in_step(side)) {
    std::size_t used = 0;
    while (true) {
      const ByteView bytes = wire::bytes_of(stream.bytes).subspan(used);
      if (bytes.size() < wire::kHeaderBytes) break;
      const auto length = packet_bytes(bytes);
      if (!length && bytes.size() >= wire::kDataHeaderBytes) stream.is_in_step = false;
      if (!length || *length > bytes.size()) break;
      give(side, used, *length);
      used += *length;
    }
    drop(stream, used);
    if (stream.is_in_step) return;
  }
}

/// Gives a packet, or what there is of it, to the flow.
void OracleConnection::give(Side side, std::size_t start, std::size_t count) {
  const Stream& stream = streams_[side];
  const auto behind =
      std::upper_bound(stream.origins.begin(), stream.origins.end(), start,
                       [](std::size_t at, const Origin& origin) { return at < origin.offset; });
  const Origin& origin = *std::prev(behind);
  Block block;
  block.number = origin.frame;
  block.place = origin.place;
  block.flow = flow_number_;
  block.direction = direction_of(side);
  block.bytes = stream.bytes.substr(start, count);
  flow_.add(block);
}

std::optional<std::size_t> OracleConnection::find_packet(const Stream& stream) const {
  const ByteView bytes = wire::bytes_of(stream.bytes);
  std::size_t segment = 0;
  for (std::size_t at = 0; at + wire::kDataHeaderBytes <= bytes.size(); ++at) {
    while (segment < stream.origins.size() && stream.origins[segment].offset < at) ++segment;
    const bool begins_segment =
        segment < stream.origins.size() && stream.origins[segment].offset == at;
    const ByteView rest = bytes.subspan(at);
    const auto length = certain_packet_bytes(rest);
    if (!length) continue;
    const bool is_whole = *length == rest.size();
    const bool is_cut = *length > rest.size();
    if (is_whole || (is_cut && begins_segment)) return at;
    if (!is_cut && certain_packet_bytes(rest.subspan(*length))) return at;
  }
  return std::nullopt;
}

/// Looks for the next packet; true when the stream begins with one.
bool OracleConnection::get_in_step(Side side) {
  Stream& stream = streams_[side];
  const auto found = find_packet(stream);
  const std::size_t dark = found                                   ? *found
                           : stream.bytes.size() > kMaxResyncBytes ? stream.bytes.size() / 2
                                                                   : 0;
  if (dark != 0) {
    if (stream.dark_bytes == 0) stream.dark_origin = stream.origins.front();
    stream.dark_bytes += dark;
    drop(stream, dark);
  }
  if (!found) return false;
  stream.is_in_step = true;
  if (stream.dark_bytes != 0) report_dark(side);
  return true;
}

void OracleConnection::report_dark(Side side) {
  Stream& stream = streams_[side];
  flow_.lose(stream.dark_origin.frame, stream.dark_origin.place, direction_of(side),
             missing(stream.dark_bytes, "captured, but no packet begins there"));
  stream.dark_bytes = 0;
}

void OracleConnection::on_urgent(Side side, std::uint64_t frame, std::uint8_t byte) {
  if (protocol_ != Protocol::kOracle || byte != '!') return;
  emit({0, frame, ++place_}, direction_of(side),
       Json{{"message", "marker"}, {"marker", "interrupt"}, {"urgent", true}});
}

void OracleConnection::on_missing(Side side, std::uint64_t frame, std::uint64_t bytes,
                                  bool was_cut) {
  if (protocol_ == Protocol::kTls || protocol_ == Protocol::kOther) return;
  Stream& stream = streams_[side];
  const std::uint64_t rest = std::min(stream.rest_of_packet, bytes);
  stream.rest_of_packet -= rest;
  const std::string_view reason = was_cut ? "cut off by the capture's snapshot length"
                                          : "their segments are not in the capture";
  if (protocol_ == Protocol::kUnknown) {
    for (Stream& each : streams_) each = {};
    // What follows is joined in its middle.
    opener_.reset();
    return;
  }
  const auto length = stream.is_in_step && stream.bytes.size() >= wire::kHeaderBytes
                          ? packet_bytes(wire::bytes_of(stream.bytes))
                          : std::nullopt;
  const std::uint64_t known = stream.bytes.size() + (bytes - rest);
  if (length && *length >= known) {
    // The hole lies within one packet: what is behind it is in step.
    stream.rest_of_packet = *length - known;
    give(side, 0, stream.bytes.size());
    drop(stream, stream.bytes.size());
  } else if (!stream.bytes.empty()) {
    if (length) {
      give(side, 0, stream.bytes.size());
    } else {
      if (stream.dark_bytes == 0) stream.dark_origin = stream.origins.front();
      stream.dark_bytes += stream.bytes.size();
    }
    drop(stream, stream.bytes.size());
    stream.is_in_step = false;
  } else if (bytes != rest) {
    stream.is_in_step = false;
  }
  flow_.lose(frame, ++place_, direction_of(side), missing(bytes, reason));
}

void OracleConnection::finish() {
  if (protocol_ != Protocol::kOracle) return;
  for (Side side = 0; side < 2; ++side) {
    Stream& stream = streams_[side];
    if (stream.is_in_step && stream.bytes.size() >= wire::kHeaderBytes) {
      give(side, 0, stream.bytes.size());
    } else if (!stream.bytes.empty()) {
      if (stream.dark_bytes == 0) stream.dark_origin = stream.origins.front();
      stream.dark_bytes += stream.bytes.size();
    }
    if (stream.dark_bytes != 0) report_dark(side);
  }
  flow_.finish();
}

std::size_t OracleConnection::gathered_bytes() const {
  return streams_[0].bytes.size() + streams_[1].bytes.size() + flow_.gathered_bytes();
}

std::uint64_t OracleConnection::first_open_place() const {
  std::uint64_t place = flow_.first_open_place();
  for (const Stream& stream : streams_) {
    if (!stream.origins.empty()) place = std::min(place, stream.origins.front().place);
  }
  return place;
}

void OracleConnection::emit(const Origin& origin, Direction direction, Json fields) {
  sink_(origin.frame, origin.place, direction, std::move(fields));
}

}  // namespace wherry::oracle::trace
