#include "connect/oracle/trace/tcp_connection.h"

#include <algorithm>
#include <utility>

namespace wherry::oracle::trace {
namespace {

/// Segments that wait for a SYN, or for an earlier one, before a stream is taken to begin with the
/// lowest of them.
constexpr std::size_t kMaxHeldSegments = 16;
/// A segment of a closed connection that lies further ahead belongs to the next one.
constexpr std::int64_t kNewConnectionGap = 1 << 20;
/// After so many acknowledgments of bytes that never came they order nothing any more.
constexpr int kMaxUnfulfilled = 3;

}  // namespace

std::int64_t TcpConnection::offset_of(const Stream& stream, std::uint32_t sequence) {
  const auto next =
      static_cast<std::uint32_t>(stream.base + static_cast<std::uint64_t>(stream.next));
  return stream.next + static_cast<std::int32_t>(sequence - next);
}

bool TcpConnection::owns(const TcpSegment& segment) const {
  const Stream& stream = streams_[side_of(segment)];
  if (segment.is_syn) {
    if (stream.has_syn) return stream.base == segment.sequence + 1;
    // A connection that was joined in its middle has its SYN far behind it.
    return !is_started_ || !stream.has_base;
  }
  if (segment.payload.empty() || !is_closed() || !stream.has_base) return true;
  const std::int64_t start = offset_of(stream, segment.sequence);
  return start <= (stream.is_ended ? stream.end - 1 : stream.next + kNewConnectionGap);
}

void TcpConnection::add(const TcpSegment& segment, std::uint64_t frame, TcpEvents& events) {
  const Side side = side_of(segment);
  if (segment.is_reset) is_reset_ = true;
  if (segment.is_syn) note_syn(segment, side);
  if (is_started_) {
    accept(segment, segment.payload, frame, events);
  } else {
    hold(segment, frame);
    if (segment.is_syn || held_.size() >= kMaxHeldSegments || segment.is_reset) start(events);
  }
  while (waiting_segments() > limits_.max_waiting_segments ||
         waiting_bytes_ > limits_.max_waiting_bytes) {
    force(events);
  }
}

void TcpConnection::note_syn(const TcpSegment& segment, Side side) {
  Stream& stream = streams_[side];
  if (stream.has_syn || (is_started_ && stream.has_base)) return;
  stream.has_syn = true;
  stream.has_base = true;
  stream.base = segment.sequence + 1;
  if (!segment.has_acknowledgment) {
    opener_ = side;
    return;
  }
  opener_ = 1 - side;
  Stream& other = streams_[1 - side];
  if (!other.has_base) {
    other.has_base = true;
    other.base = segment.acknowledged;
  }
}

void TcpConnection::hold(const TcpSegment& segment, std::uint64_t frame) {
  if (segment.payload.empty() && !segment.is_fin) return;
  Held held{segment, std::string(wire::text_of(segment.payload)), frame};
  waiting_bytes_ += held.bytes.size();
  held_.push_back(std::move(held));
}

/// A side without a SYN begins with the lowest sequence number that was seen.
void TcpConnection::start(TcpEvents& events) {
  is_started_ = true;
  for (Side side = 0; side < 2; ++side) {
    Stream& stream = streams_[side];
    if (stream.has_base) continue;
    for (const Held& held : held_) {
      if (side_of(held.segment) != side) continue;
      const bool is_earlier = static_cast<std::int32_t>(held.segment.sequence - stream.base) < 0;
      if (!stream.has_base || is_earlier) stream.base = held.segment.sequence;
      stream.has_base = true;
    }
  }
  for (Held& held : std::exchange(held_, {})) {
    waiting_bytes_ -= held.bytes.size();
    accept(held.segment, wire::bytes_of(held.bytes), held.frame, events);
  }
}

void TcpConnection::accept(const TcpSegment& segment, wire::ByteView bytes, std::uint64_t frame,
                           TcpEvents& events) {
  const Side side = side_of(segment);
  Stream& stream = streams_[side];
  const Stream& other = streams_[1 - side];
  const std::uint32_t sequence = segment.sequence + (segment.is_syn ? 1 : 0);
  if (!stream.has_base) {
    if (bytes.empty()) return;
    stream.has_base = true;
    stream.base = sequence;
  }
  const std::int64_t start = offset_of(stream, sequence);
  Segment waiting;
  waiting.frame = frame;
  waiting.bytes = std::string(wire::text_of(bytes));
  waiting.lost_bytes = segment.lost_bytes;
  const std::int64_t end = start + waiting.length();
  if (segment.is_fin) {
    stream.is_ended = true;
    stream.end = end;
  }
  const auto same = stream.waiting.find(start);
  const bool is_repeated =
      same != stream.waiting.end() && same->second.length() >= waiting.length();
  if (end <= stream.next || is_repeated) return;
  if (segment.has_acknowledgment && other.has_base) {
    waiting.acknowledged = offset_of(other, segment.acknowledged);
  }
  if (segment.urgent_end && *segment.urgent_end <= bytes.size()) {
    waiting.urgent = *segment.urgent_end - 1U;
  }
  waiting_bytes_ += waiting.bytes.size();
  stream.waiting.emplace(start, std::move(waiting));
  drain(events);
}

void TcpConnection::drain(TcpEvents& events) {
  for (bool has_moved = true; has_moved;) {
    has_moved = false;
    for (Side side = 0; side < 2; ++side) {
      while (deliver_next(side, events)) has_moved = true;
    }
  }
}

/// False when the side's next segment has to wait, or there is none.
bool TcpConnection::deliver_next(Side side, TcpEvents& events) {
  Stream& stream = streams_[side];
  const Stream& other = streams_[1 - side];
  const auto first = stream.waiting.begin();
  if (first == stream.waiting.end() || first->first > stream.next) return false;
  const std::int64_t start = first->first;
  Segment& segment = first->second;
  const bool is_old = start + segment.length() <= stream.next;
  if (!is_old && trusts_acknowledgments_ && segment.acknowledged) {
    // The FIN of a side takes a number too.
    const std::int64_t sent = std::max(other.next, other.assumed_sent) + (other.is_ended ? 1 : 0);
    if (*segment.acknowledged > sent) return false;
  }
  const Segment taken = std::move(segment);
  stream.waiting.erase(first);
  waiting_bytes_ -= taken.bytes.size();
  if (!is_old) deliver(side, start, taken, events);
  return true;
}

void TcpConnection::deliver(Side side, std::int64_t start, const Segment& segment,
                            TcpEvents& events) {
  Stream& stream = streams_[side];
  const auto known = static_cast<std::size_t>(stream.next - start);
  const wire::ByteView all = wire::bytes_of(segment.bytes);
  const wire::ByteView bytes = all.subspan(std::min(known, all.size()));
  if (segment.urgent && *segment.urgent >= known) {
    const std::size_t at = *segment.urgent - known;
    if (at != 0) events.on_bytes(side, segment.frame, bytes.first(at));
    events.on_urgent(side, segment.frame, bytes[at]);
    if (at + 1 < bytes.size()) events.on_bytes(side, segment.frame, bytes.subspan(at + 1));
  } else if (!bytes.empty()) {
    events.on_bytes(side, segment.frame, bytes);
  }
  stream.next += static_cast<std::int64_t>(bytes.size());
  if (segment.lost_bytes != 0) {
    const std::int64_t end = start + segment.length();
    events.on_missing(side, segment.frame, static_cast<std::uint64_t>(end - stream.next), true);
    stream.next = end;
  }
}

/// Gives up waiting for what the earliest waiting segment waits for.
void TcpConnection::force(TcpEvents& events) {
  Side side = 0;
  if (streams_[0].waiting.empty()) {
    side = 1;
  } else if (!streams_[1].waiting.empty()) {
    const std::uint64_t frame_of_second = streams_[1].waiting.begin()->second.frame;
    side = frame_of_second < streams_[0].waiting.begin()->second.frame ? 1 : 0;
  }
  Stream& stream = streams_[side];
  if (stream.waiting.empty()) return;
  const auto& [start, segment] = *stream.waiting.begin();
  if (start > stream.next) {
    skip_to(side, start, segment.frame, events);
  } else {
    Stream& other = streams_[1 - side];
    const std::int64_t acknowledged = segment.acknowledged.value_or(0);
    const auto first = other.waiting.begin();
    const bool has_gap =
        first != other.waiting.end() && first->first > other.next && first->first <= acknowledged;
    if (has_gap) {
      skip_to(1 - side, first->first, first->second.frame, events);
    } else {
      other.assumed_sent = std::max(other.assumed_sent, acknowledged);
      if (++unfulfilled_acknowledgments_ >= kMaxUnfulfilled) trusts_acknowledgments_ = false;
    }
  }
  drain(events);
}

void TcpConnection::skip_to(Side side, std::int64_t offset, std::uint64_t frame,
                            TcpEvents& events) {
  Stream& stream = streams_[side];
  events.on_missing(side, frame, static_cast<std::uint64_t>(offset - stream.next), false);
  stream.next = offset;
}

void TcpConnection::finish(TcpEvents& events) {
  if (!is_started_) start(events);
  while (waiting_segments() != 0) force(events);
}

}  // namespace wherry::oracle::trace
