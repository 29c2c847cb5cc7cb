// TNS packets over a stream: requests in, responses out. Incoming DATA payloads are handed to the
// decoders as a byte source; outgoing messages are gathered in one writer and cut into DATA packets
// at the SDU when they are sent. Used by the session's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "server/stream.h"
#include "wire/bytes.h"
#include "wire/packet.h"
#include "wire/sealing.h"

namespace orasim::server {

/// A MARKER arrived where a DATA packet was expected.
struct MarkerArrived {
  wire::Marker marker;
};

struct PacketView {
  wire::PacketHeader header;
  wire::ByteView bytes;  ///< header included; holds until the next read
};

class Channel : public wire::ByteSource {
 public:
  explicit Channel(Stream& stream) : stream_(stream) {}

  /// After ACCEPT: packets of at most `sdu` bytes, with 32-bit lengths when `wide`.
  void use_sdu(std::uint32_t sdu, bool wide = true);
  /// From here on payloads are sealed, both ways; a client's reset marker starts the seals afresh.
  void use_sealing(std::unique_ptr<wire::Sealing> sealing);
  /// Cuts DATA packets shorter than the SDU, a test aid; 0: no limit.
  void set_payload_limit(std::uint32_t bytes);

  PacketView read_packet();
  void send_raw(const wire::Bytes& packet);
  void send_marker(wire::Marker);

  /// Payload of the next DATA packet. Throws MarkerArrived, or Closed at an EOF packet.
  void more(wire::Bytes& buffer) override;
  [[nodiscard]] bool has_buffered_input() const {
    return begin_ < input_.size() || stream_.has_pending();
  }

  /// The response being built.
  wire::Writer& out() { return out_; }
  /// Sends the packets that are full once enough has gathered; the rest stays in out().
  void flush_if_large() {
    if (out_.size() >= kFlushBytes) flush_full();
  }
  /// Sends everything; `flags` go on the last packet.
  void finish(std::uint16_t flags);
  void discard_output() { out_.clear(); }
  Stream& stream() { return stream_; }

 private:
  static constexpr std::size_t kFlushBytes = 64 * 1024;
  void flush_full();
  void send_packets(std::size_t bytes, bool last, std::uint16_t flags);
  void send_sealed(std::size_t bytes, bool last, std::uint16_t flags);
  [[nodiscard]] std::size_t next_cut(std::size_t at, std::size_t bytes) const;
  void fill(std::size_t wanted);

  Stream& stream_;
  bool wide_ = false;
  std::size_t payload_ = 8192 - wire::kDataHeader;
  std::unique_ptr<wire::Sealing> sealing_;
  wire::Bytes input_;
  std::size_t begin_ = 0;
  wire::Writer out_;
  std::vector<std::uint8_t> headers_;
  std::vector<iovec> parts_;
};

}  // namespace orasim::server
