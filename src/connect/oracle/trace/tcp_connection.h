// Puts the two byte streams of one TCP connection together again from captured segments, whatever
// their order in the file: retransmissions and overlaps are dropped, later segments wait for
// earlier ones, and a side's bytes wait for those of the other side that it acknowledges, so that
// requests come before their answers. Waiting is bounded: what does not come within
// `max_waiting_segments` or `max_waiting_bytes` is reported as missing. Sequence numbers wrap;
// offsets here are 64 bits from the first byte of a side. Facts: RFC 9293.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connect/oracle/trace/link_layer.h"

namespace wherry::oracle::trace {

/// The two ends of a connection: 0 is the one whose segment was seen first.
using Side = std::size_t;

/// Receives what a connection carried, in order.
class TcpEvents {
 public:
  virtual ~TcpEvents() = default;
  virtual void on_bytes(Side side, std::uint64_t frame, wire::ByteView bytes) = 0;
  /// One byte out of band: not part of the stream.
  virtual void on_urgent(Side side, std::uint64_t frame, std::uint8_t byte) = 0;
  virtual void on_missing(Side side, std::uint64_t frame, std::uint64_t bytes, bool was_cut) = 0;

 protected:
  TcpEvents() = default;
  TcpEvents(const TcpEvents&) = default;
  TcpEvents& operator=(const TcpEvents&) = default;
};

class TcpConnection {
 public:
  struct Limits {
    std::size_t max_waiting_segments = 256;
    std::size_t max_waiting_bytes = std::size_t{4} << 20;
  };

  TcpConnection(const Endpoint& first, Limits limits) : first_(first), limits_(limits) {}

  /// False when the segment belongs to a later connection of the same addresses and ports.
  [[nodiscard]] bool owns(const TcpSegment& segment) const;
  void add(const TcpSegment& segment, std::uint64_t frame, TcpEvents& events);
  /// No more segments: gives out what waits.
  void finish(TcpEvents& events);

  /// The side that opened the connection; nullopt when the capture began later.
  [[nodiscard]] std::optional<Side> opener() const { return opener_; }
  [[nodiscard]] std::size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  struct Segment {
    std::uint64_t frame = 0;
    std::string bytes;
    std::uint64_t lost_bytes = 0;
    std::optional<std::int64_t> acknowledged;  ///< offset in the other side's stream
    std::optional<std::size_t> urgent;         ///< place of the urgent byte
    [[nodiscard]] std::int64_t length() const {
      return static_cast<std::int64_t>(bytes.size() + lost_bytes);
    }
  };
  struct Stream {
    bool has_base = false;
    bool has_syn = false;
    std::uint32_t base = 0;         ///< sequence number of offset 0
    std::int64_t next = 0;          ///< offset of the next byte to give out
    std::int64_t assumed_sent = 0;  ///< acknowledged, but given up waiting for
    bool is_ended = false;
    std::int64_t end = 0;
    std::multimap<std::int64_t, Segment> waiting;  ///< by offset
  };
  struct Held {
    TcpSegment segment;
    std::string bytes;
    std::uint64_t frame = 0;
  };

  [[nodiscard]] Side side_of(const TcpSegment& segment) const {
    return segment.source == first_ ? 0 : 1;
  }
  [[nodiscard]] static std::int64_t offset_of(const Stream& stream, std::uint32_t sequence);
  [[nodiscard]] bool is_closed() const {
    return is_reset_ || (has_reached_end(streams_[0]) && has_reached_end(streams_[1]));
  }
  [[nodiscard]] static bool has_reached_end(const Stream& stream) {
    return stream.is_ended && stream.next >= stream.end;
  }

  void note_syn(const TcpSegment& segment, Side side);
  void hold(const TcpSegment& segment, std::uint64_t frame);
  void start(TcpEvents& events);
  void accept(const TcpSegment& segment, wire::ByteView bytes, std::uint64_t frame,
              TcpEvents& events);
  void drain(TcpEvents& events);
  bool deliver_next(Side side, TcpEvents& events);
  void deliver(Side side, std::int64_t start, const Segment& segment, TcpEvents& events);
  void force(TcpEvents& events);
  void skip_to(Side side, std::int64_t offset, std::uint64_t frame, TcpEvents& events);
  [[nodiscard]] std::size_t waiting_segments() const {
    return streams_[0].waiting.size() + streams_[1].waiting.size();
  }

  Endpoint first_;
  Limits limits_;
  std::array<Stream, 2> streams_;
  std::optional<Side> opener_;
  std::vector<Held> held_;  ///< until it is known where the streams begin
  bool is_started_ = false;
  bool is_reset_ = false;
  bool trusts_acknowledgments_ = true;
  int unfulfilled_acknowledgments_ = 0;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace wherry::oracle::trace
