#include "server/channel.h"

#include <algorithm>

#include "wire/setup.h"

namespace orasim::server {

using wire::ByteView;
using wire::PacketType;

namespace {
constexpr std::size_t kReadBlock = 65536;
constexpr std::size_t kMaxRequest = 1u << 30;
constexpr auto kEndByte = static_cast<std::uint8_t>(wire::Message::kEndOfResponse);
}  // namespace

void Channel::use_sdu(std::uint32_t sdu, bool wide) {
  wide_ = wide;
  payload_ = sdu - wire::kDataHeader;
}

void Channel::use_sealing(std::unique_ptr<wire::Sealing> sealing) {
  sealing_ = std::move(sealing);
  payload_ -= wire::Sealing::kRoom;  // the smallest SDU leaves enough
}

void Channel::set_payload_limit(std::uint32_t bytes) {
  if (bytes > 0) payload_ = std::min<std::size_t>(payload_, bytes);
}

void Channel::fill(std::size_t wanted) {
  if (begin_ > 0 && begin_ == input_.size()) {
    input_.clear();
    begin_ = 0;
  } else if (begin_ > kReadBlock) {
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  while (input_.size() - begin_ < wanted) {
    const std::size_t old = input_.size();
    input_.resize(old + kReadBlock);
    try {
      input_.resize(old + stream_.read(std::span(input_).subspan(old)));
    } catch (...) {
      input_.resize(old);
      throw;
    }
  }
}

PacketView Channel::read_packet() {
  fill(wire::kPacketHeader);
  PacketView packet;
  packet.header = wire::decode_header(ByteView(input_).subspan(begin_, wire::kPacketHeader), wide_);
  fill(packet.header.length);
  packet.bytes = ByteView(input_).subspan(begin_, packet.header.length);
  begin_ += packet.header.length;
  return packet;
}

void Channel::send_raw(const wire::Bytes& packet) {
  iovec part{const_cast<std::uint8_t*>(packet.data()), packet.size()};
  stream_.write(std::span(&part, 1));
}

void Channel::send_marker(wire::Marker marker) {
  send_raw(wire::encode_marker(marker, wide_));
}

void Channel::more(wire::Bytes& buffer) {
  if (buffer.size() > kMaxRequest) throw wire::BadMessage("request is larger than 1 GiB");
  for (;;) {
    const PacketView packet = read_packet();
    switch (packet.header.type) {
      case PacketType::kData: {
        if (packet.bytes.size() < wire::kDataHeader) throw wire::BadMessage("DATA without flags");
        wire::Reader in(packet.bytes.subspan(wire::kPacketHeader));
        if ((in.u16() & wire::kFlagEof) != 0) throw Closed("end of session");
        const ByteView payload = packet.bytes.subspan(wire::kDataHeader);
        if (payload.empty()) continue;
        if (sealing_) {
          const wire::Bytes opened = sealing_->open(payload);
          buffer.insert(buffer.end(), opened.begin(), opened.end());
          if (opened.empty()) continue;
        } else {
          buffer.insert(buffer.end(), payload.begin(), payload.end());
        }
        return;
      }
      case PacketType::kMarker: {
        const wire::Marker marker = wire::decode_marker(packet.bytes);
        if (sealing_ && marker == wire::Marker::kReset) sealing_->restart();
        throw MarkerArrived{marker};
      }
      case PacketType::kNull:
      case PacketType::kControl:
        continue;
      default:
        throw wire::BadMessage("unexpected packet type " +
                               std::to_string(static_cast<int>(packet.header.type)));
    }
  }
}

void Channel::flush_full() {
  const std::size_t packets = (out_.size() - 1) / payload_;
  if (packets == 0) return;
  std::size_t bytes = packets * payload_;
  // See send_packets(): with one-byte packets the last one may look like an end of response.
  if (payload_ == 1 && out_.data()[bytes - 1] == kEndByte && --bytes == 0) return;
  send_packets(bytes, false, 0);
  out_.drop_front(bytes);
}

void Channel::finish(std::uint16_t flags) {
  send_packets(out_.size(), true, flags);
  out_.clear();
}

/// Where the packet that begins at `at` ends.
std::size_t Channel::next_cut(std::size_t at, std::size_t bytes) const {
  const std::size_t n = std::min(payload_, bytes - at);
  // A packet holding nothing but this byte would end the response for clients.
  return n == 1 && out_.data()[at] == kEndByte && at + 1 < bytes ? 2 : n;
}

void Channel::send_sealed(std::size_t bytes, bool last, std::uint16_t flags) {
  std::size_t at = 0;
  do {
    const std::size_t n = next_cut(at, bytes);
    const wire::Bytes payload = sealing_->seal(out_.view().subspan(at, n));
    at += n;
    wire::Bytes packet(wire::kDataHeader);
    wire::encode_header(packet.data(), static_cast<std::uint32_t>(packet.size() + payload.size()),
                        PacketType::kData, wide_);
    const std::uint16_t packet_flags = last && at == bytes ? flags : 0;
    packet[8] = static_cast<std::uint8_t>(packet_flags >> 8);
    packet[9] = static_cast<std::uint8_t>(packet_flags);
    packet.insert(packet.end(), payload.begin(), payload.end());
    send_raw(packet);
  } while (at < bytes);
}

void Channel::send_packets(std::size_t bytes, bool last, std::uint16_t flags) {
  if (sealing_) return send_sealed(bytes, last, flags);
  headers_.clear();
  parts_.clear();
  headers_.reserve((bytes / payload_ + 1) * wire::kDataHeader);  // parts_ point into it
  auto* data = const_cast<std::uint8_t*>(out_.data());
  std::size_t at = 0;
  do {
    const std::size_t n = next_cut(at, bytes);
    const std::size_t head = headers_.size();
    headers_.resize(head + wire::kDataHeader);
    wire::encode_header(&headers_[head], static_cast<std::uint32_t>(n + wire::kDataHeader),
                        PacketType::kData, wide_);
    const std::uint16_t packet_flags = last && at + n == bytes ? flags : 0;
    headers_[head + 8] = static_cast<std::uint8_t>(packet_flags >> 8);
    headers_[head + 9] = static_cast<std::uint8_t>(packet_flags);
    parts_.push_back({&headers_[head], wire::kDataHeader});
    if (n > 0) parts_.push_back({data + at, n});
    at += n;
  } while (at < bytes);
  stream_.write(parts_);
}

}  // namespace orasim::server
