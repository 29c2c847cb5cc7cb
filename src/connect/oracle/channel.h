// The TNS connection of a session: cuts messages into packets, gives back the payload of packets as
// one contiguous run of bytes, and handles everything that is not payload (markers, notifications,
// keep-alives, the end of the session). Used by one thread at a time.
//
// Payload is made contiguous inside the receive buffer, so decoders read it in place; only the
// packet headers between are squeezed out.
// Facts: reference oracle-wire, 1.1 to 1.13.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/oracle/wire/packet_guard.h"
#include "connect/oracle/wire/tns.h"
#include "core/result.h"
#include "net/stream.h"

namespace wherry::oracle {

/// What one receive() brought.
enum class Received : std::uint8_t {
  kData,   ///< more payload in window()
  kReset,  ///< the server broke the call off: what came before is void, window() starts with the
           ///< error message of the call
};

class Channel {
 public:
  explicit Channel(std::unique_ptr<net::Stream> stream);

  // Connection phase, 16-bit headers.
  struct Packet {
    wire::PacketHeader header;
    std::vector<std::uint8_t> body;
  };
  Result<void> send_raw(wire::ByteView bytes, const net::Wait& wait);
  Result<Packet> read_packet(const net::Wait& wait);
  /// From here on packets have the accepted form and size.
  void accept(const wire::Accept& accept);
  /// Whether packets say where a response ends; ACCEPT only offers it.
  void expect_end_of_response(bool expected) { end_of_response_ = expected; }
  /// From here on payloads travel under native encryption or integrity, in both directions.
  void protect(std::unique_ptr<wire::PacketGuard> guard) { guard_ = std::move(guard); }

  // Calls.
  /// Sends one TTC request and gets ready for its response.
  Result<void> send_message(wire::ByteView message, const net::Wait& wait);
  /// Waits for more payload. REQUIRES: the response is not complete.
  Result<Received> receive(const net::Wait& wait);
  /// Payload not yet taken. Valid until the next receive().
  [[nodiscard]] wire::ByteView window() const {
    return {buffer_.data() + payload_begin_, payload_end_ - payload_begin_};
  }
  void consume(std::size_t count) { payload_begin_ += count; }
  /// The packet that ends the response has come and all its payload is in window().
  [[nodiscard]] bool has_response_end() const { return response_end_ && packet_left_ == 0; }

  /// Asks the server to break the running call off; it answers with a reset and an error.
  Result<void> send_interrupt(const net::Wait& wait);
  /// Drops what is left of a response, whatever it is; then the server answers with an error.
  Result<void> abandon(const net::Wait& wait);

  /// Says good-bye. Errors do not matter any more.
  void send_eof();

  [[nodiscard]] net::Stream& stream() { return *stream_; }
  [[nodiscard]] std::uint32_t sdu_bytes() const { return sdu_bytes_; }
  /// A notification announced that the server shuts the session down after the running call.
  [[nodiscard]] bool shutdown_announced() const { return shutdown_announced_; }

 private:
  enum class Break : std::uint8_t {
    kNone,
    kAwaitMarker,  ///< interrupt sent: everything up to a marker is void
    kAwaitReset,   ///< reset sent: everything up to the server's reset is void
    kAwaitData,    ///< level again: the next payload is the error message
  };
  Result<void> fill(const net::Wait& wait);
  void make_room();
  /// Squeezes packets out of the raw bytes; true when the caller has something to look at.
  Result<bool> unpack(const net::Wait& wait);
  Result<bool> begin_packet(const net::Wait& wait);
  /// `payload`: what of the packet's payload is there, its first byte at least.
  void begin_data(std::uint16_t flags, std::size_t payload_bytes, wire::ByteView payload);
  Result<bool> begin_protected(const wire::PacketHeader& header, wire::ByteView raw);
  Result<void> send_reset(const net::Wait& wait);
  Result<void> take_marker(wire::Reader& body, const net::Wait& wait);
  Result<void> take_control(wire::Reader& body);
  Error protocol_error(std::string_view what) const;

  std::unique_ptr<net::Stream> stream_;
  std::vector<std::uint8_t> buffer_;
  std::size_t payload_begin_ = 0, payload_end_ = 0;  ///< unpacked payload
  std::size_t raw_begin_ = 0, raw_end_ = 0;          ///< received, not yet unpacked
  std::size_t packet_left_ = 0;  ///< payload bytes of the current packet to come
  bool packet_is_void_ = false;
  bool large_length_ = false;
  std::uint32_t sdu_bytes_ = 8192;
  bool response_end_ = false;
  bool end_of_response_ = false;
  Break break_ = Break::kNone;
  bool reset_reported_ = true;
  bool shutdown_announced_ = false;
  std::unique_ptr<wire::PacketGuard> guard_;
  wire::Bytes opened_;  ///< the packet that the guard works on
};

}  // namespace wherry::oracle
