// Decodes a pcap or pcapng file: frames to TCP connections, connections to messages.
#pragma once

#include <array>
#include <cstdint>
#include <istream>
#include <map>
#include <memory>
#include <string>

#include "connect/oracle/trace/decode_capture.h"
#include "connect/oracle/trace/line_output.h"
#include "connect/oracle/trace/oracle_connection.h"
#include "connect/oracle/trace/tcp_connection.h"

namespace wherry::oracle::trace {

class PacketDecoder {
 public:
  PacketDecoder(LineOutput& output, const DecodeOptions& options)
      : output_(output), options_(options) {}

  /// Reads the file to its end, or to where it is damaged. `head` is what was read of it before.
  void run(std::istream& in, std::string head);

 private:
  struct Connection {
    Connection(std::uint64_t number, const std::array<Endpoint, 2>& ends, TcpConnection connection,
               std::uint64_t& place, MessageSink sink, std::size_t max_turn_bytes)
        : flow(number),
          endpoints(ends),
          tcp(std::move(connection)),
          oracle(number, ends, place, std::move(sink), max_turn_bytes) {}

    std::uint64_t flow;
    std::array<Endpoint, 2> endpoints;
    TcpConnection tcp;
    OracleConnection oracle;
    std::uint64_t first_frame = 0;
    std::uint64_t last_frame = 0;
    std::uint64_t counted_bytes = 0;  ///< its part of gathered_bytes_
  };
  /// The two ends, the lower one first.
  using Key = std::array<Endpoint, 2>;

  void add(const TcpSegment& segment, std::uint64_t frame);
  Connection& connection_of(const TcpSegment& segment, std::uint64_t frame, bool& is_new);
  void finish(Connection& connection);
  void finish_longest_idle();
  void write_known_lines();
  void note(std::uint64_t frame, const std::string& what, std::uint64_t count,
            const std::string& reason);
  void report_skipped();
  [[nodiscard]] std::size_t turn_bytes() const;
  [[nodiscard]] std::size_t max_connections() const;

  LineOutput& output_;
  DecodeOptions options_;
  std::map<Key, std::unique_ptr<Connection>> connections_;
  std::uint64_t place_ = 0;
  std::uint64_t flow_count_ = 0;
  std::uint64_t gathered_bytes_ = 0;
  /// Frames that were not read: how many, the first one, and why.
  struct Skipped {
    std::uint64_t count = 0;
    std::uint64_t first_frame = 0;
  };
  std::map<std::string, Skipped> skipped_;
};

}  // namespace wherry::oracle::trace
