// One captured TCP connection: finds out whether it speaks Oracle Net, which end is the client, and
// cuts its byte streams into TNS packets for a Flow. Behind bytes that are missing it looks for the
// next place where a packet begins.
// Facts: reference oracle-wire 1.1, 1.6; TLS records: RFC 8446 5.1.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "connect/oracle/trace/flow.h"
#include "connect/oracle/trace/tcp_connection.h"

namespace wherry::oracle::trace {

enum class Protocol : std::uint8_t { kUnknown, kOracle, kTls, kOther };

class OracleConnection : public TcpEvents {
 public:
  /// `endpoints[side]` are the two ends; `place` is counted up for whatever is given out, over all
  /// connections of a file; both sinks must outlive this.
  OracleConnection(std::uint64_t flow, std::array<Endpoint, 2> endpoints, std::uint64_t& place,
                   MessageSink sink, std::size_t max_message_bytes);

  void set_opener(std::optional<Side> opener);
  void on_bytes(Side side, std::uint64_t frame, wire::ByteView bytes) override;
  void on_urgent(Side side, std::uint64_t frame, std::uint8_t byte) override;
  void on_missing(Side side, std::uint64_t frame, std::uint64_t bytes, bool was_cut) override;
  void finish();

  [[nodiscard]] Protocol protocol() const { return protocol_; }
  [[nodiscard]] Side client() const { return client_; }
  [[nodiscard]] std::size_t gathered_bytes() const;
  /// The place of the earliest packet whose message was not given out yet.
  [[nodiscard]] std::uint64_t first_open_place() const;

 private:
  struct Origin {
    std::size_t offset = 0;
    std::uint64_t frame = 0;
    std::uint64_t place = 0;
  };
  struct Stream {
    std::string bytes;                 ///< not yet cut into packets
    std::deque<Origin> origins;        ///< where the pieces of `bytes` came from
    bool is_in_step = false;           ///< `bytes` begin with a packet
    std::uint64_t rest_of_packet = 0;  ///< bytes of a packet whose beginning was given out already
    std::uint64_t dark_bytes = 0;      ///< dropped in search of a packet
    Origin dark_origin;
  };

  void decide(Side side, std::uint64_t frame);
  void become_oracle(Side side);
  void become_tls(std::uint64_t frame, std::string_view record);
  void become_other();
  [[nodiscard]] Direction direction_of(Side side) const {
    return side == client_ ? Direction::kClient : Direction::kServer;
  }
  [[nodiscard]] Side guess_client(Side side, std::string_view packet) const;
  [[nodiscard]] std::optional<std::size_t> packet_bytes(wire::ByteView bytes) const;
  [[nodiscard]] std::optional<std::size_t> certain_packet_bytes(wire::ByteView bytes) const;
  [[nodiscard]] std::optional<std::size_t> find_packet(const Stream& stream) const;

  void append(Stream& stream, std::uint64_t frame, wire::ByteView bytes);
  void drop(Stream& stream, std::size_t count);
  void cut(Side side);
  void give(Side side, std::size_t start, std::size_t count);
  bool get_in_step(Side side);
  void report_dark(Side side);
  void emit(const Origin& origin, Direction direction, Json fields);

  std::uint64_t flow_number_;
  std::array<Endpoint, 2> endpoints_;
  std::uint64_t& place_;
  MessageSink sink_;
  Flow flow_;
  Protocol protocol_ = Protocol::kUnknown;
  std::optional<Side> opener_;
  Side client_ = 0;
  std::array<Stream, 2> streams_;
};

}  // namespace wherry::oracle::trace
