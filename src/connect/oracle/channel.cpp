#include "connect/oracle/channel.h"

#include <algorithm>
#include <cstring>

#include "connect/oracle/errors.h"

namespace wherry::oracle {

using wire::ByteView;
using wire::MarkerKind;
using wire::PacketType;

namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr std::size_t kMinReadBytes = 64 * 1024;
/// No message but a row stream comes near this, and row streams are consumed as they come.
constexpr std::size_t kMaxBufferBytes = 64 * 1024 * 1024;
constexpr std::uint32_t kSessionShutdown = 12572;
constexpr std::uint32_t kMessageText = 12573;

Error damaged_packet_error() {
  return make_error(ErrorKind::kTransient, "oracle.integrity",
                    "A packet of the server does not have the checksum it should have",
                    "Something between changes packets, or the connection is out of step; the "
                    "operation can be repeated");
}

}  // namespace

Channel::Channel(std::unique_ptr<net::Stream> stream)
    : stream_(std::move(stream)), buffer_(kBufferBytes) {}

Error Channel::protocol_error(std::string_view what) const {
  return oracle::protocol_error(what);
}

Result<void> Channel::send_raw(ByteView bytes, const net::Wait& wait) {
  return stream_->write_all(bytes, wait);
}

void Channel::make_room() {
  if (payload_begin_ != 0) {
    const std::size_t payload = payload_end_ - payload_begin_;
    const std::size_t raw = raw_end_ - raw_begin_;
    std::memmove(buffer_.data(), buffer_.data() + payload_begin_, payload);
    std::memmove(buffer_.data() + payload, buffer_.data() + raw_begin_, raw);
    payload_begin_ = 0;
    payload_end_ = payload;
    raw_begin_ = payload;
    raw_end_ = payload + raw;
  }
  if (buffer_.size() - raw_end_ < kMinReadBytes) buffer_.resize(buffer_.size() * 2);
}

Result<void> Channel::fill(const net::Wait& wait) {
  if (payload_begin_ == payload_end_ && raw_begin_ == raw_end_) {
    payload_begin_ = payload_end_ = raw_begin_ = raw_end_ = 0;
  } else if (buffer_.size() - raw_end_ < kMinReadBytes) {
    make_room();
    if (buffer_.size() > kMaxBufferBytes) return protocol_error("a message has no end");
  }
  WHERRY_ASSIGN(const std::size_t got,
                stream_->read_some({buffer_.data() + raw_end_, buffer_.size() - raw_end_}, wait));
  raw_end_ += got;
  return {};
}

Result<Channel::Packet> Channel::read_packet(const net::Wait& wait) {
  while (true) {
    wire::Reader in(ByteView(buffer_.data() + raw_begin_, raw_end_ - raw_begin_));
    Packet packet;
    packet.header = decode_header(in, large_length_, wire::kMaxPacketBytes);
    if (in.state() == wire::ParseState::kMalformed) return protocol_error(in.problem());
    if (in.ok()) {
      const ByteView body = in.raw(packet.header.length - wire::kHeaderBytes);
      if (in.ok()) {
        packet.body.assign(body.begin(), body.end());
        raw_begin_ += packet.header.length;
        payload_begin_ = payload_end_ = raw_begin_;
        return packet;
      }
    }
    WHERRY_TRY(fill(wait));
  }
}

void Channel::accept(const wire::Accept& accept) {
  large_length_ = accept.has_large_header();
  end_of_response_ = accept.has_end_of_response();
  sdu_bytes_ = std::clamp(accept.sdu_bytes, wire::kMinSduBytes, wire::kMaxSduBytes);
}

Result<void> Channel::send_message(ByteView message, const net::Wait& wait) {
  const std::size_t payload_max =
      sdu_bytes_ - wire::kDataHeaderBytes - (guard_ ? wire::PacketGuard::kMaxOverhead : 0);
  wire::Writer out;
  do {
    ByteView payload = message.first(std::min(message.size(), payload_max));
    message = message.subspan(payload.size());
    if (guard_) {
      opened_.assign(payload.begin(), payload.end());
      guard_->protect(opened_);
      payload = opened_;
    }
    encode_header(
        out,
        {static_cast<std::uint32_t>(payload.size() + wire::kDataHeaderBytes), PacketType::kData, 0},
        large_length_);
    out.u16(0);
    out.raw(payload);
  } while (!message.empty());
  response_end_ = false;
  break_ = Break::kNone;
  reset_reported_ = true;
  payload_begin_ = payload_end_;
  return stream_->write_all(out.bytes(), wait);
}

Result<Received> Channel::receive(const net::Wait& wait) {
  while (true) {
    WHERRY_ASSIGN(const bool has_news, unpack(wait));
    if (has_news) {
      if (reset_reported_) return Received::kData;
      reset_reported_ = true;
      return Received::kReset;
    }
    WHERRY_TRY(fill(wait));
  }
}

Result<bool> Channel::unpack(const net::Wait& wait) {
  bool has_news = false;
  while (raw_begin_ < raw_end_ || packet_left_ == 0) {
    if (packet_left_ == 0) {
      WHERRY_ASSIGN(const bool begun, begin_packet(wait));
      if (!begun) break;
      // An empty packet may still be the one that ends the response.
      if (packet_left_ == 0 && response_end_ && break_ == Break::kNone) has_news = true;
      continue;
    }
    const std::size_t size = std::min(packet_left_, raw_end_ - raw_begin_);
    if (!packet_is_void_) {
      std::memmove(buffer_.data() + payload_end_, buffer_.data() + raw_begin_, size);
      payload_end_ += size;
      has_news = true;
    }
    raw_begin_ += size;
    packet_left_ -= size;
  }
  return has_news;
}

/// Takes the next packet's header, and the whole packet if it is not payload. False: more raw bytes
/// are needed.
Result<bool> Channel::begin_packet(const net::Wait& wait) {
  const ByteView raw(buffer_.data() + raw_begin_, raw_end_ - raw_begin_);
  wire::Reader in(raw);
  const wire::PacketHeader header = decode_header(in, large_length_, wire::kMaxPacketBytes);
  if (in.state() == wire::ParseState::kMalformed) return protocol_error(in.problem());
  if (!in.ok()) return false;
  if (header.type == PacketType::kData) {
    // One byte of payload is waited for: alone it may be the end-of-response message.
    const std::size_t wanted = std::min<std::size_t>(header.length, wire::kDataHeaderBytes + 1);
    if (header.length < wire::kDataHeaderBytes) return protocol_error("a packet is too short");
    if (raw.size() < wanted) return false;
    const std::uint16_t flags = in.u16();
    if (header.length == wire::kDataHeaderBytes && (flags & wire::kDataEof) != 0) {
      return server_closed_error();
    }
    // A packet that says nothing may come unprotected.
    if (guard_ && header.length > wire::kDataHeaderBytes + 1) return begin_protected(header, raw);
    raw_begin_ += wire::kDataHeaderBytes;
    begin_data(flags, header.length - wire::kDataHeaderBytes, in.rest());
    return true;
  }
  const ByteView body = in.raw(header.length - wire::kHeaderBytes);
  if (!in.ok()) return false;
  raw_begin_ += header.length;
  wire::Reader content(body);
  switch (header.type) {
    case PacketType::kMarker:
      WHERRY_TRY(take_marker(content, wait));
      return true;
    case PacketType::kControl:
      WHERRY_TRY(take_control(content));
      return true;
    case PacketType::kNull:
      return true;
    case PacketType::kRefuse:
      return refuse_error(decode_refuse(content).text);
    default:
      return protocol_error("a packet of type " + std::to_string(static_cast<int>(header.type)) +
                            " came in the middle of a session");
  }
}

/// Checksums cover whole packets, so the packet is waited for. What it means is shorter than what
/// came, and takes the end of its place.
Result<bool> Channel::begin_protected(const wire::PacketHeader& header, ByteView raw) {
  if (raw.size() < header.length) return false;
  const ByteView body = raw.first(header.length).subspan(wire::kHeaderBytes);
  opened_.assign(body.begin() + 2, body.end());
  if (!guard_->unprotect(opened_)) return damaged_packet_error();
  raw_begin_ += header.length - opened_.size();
  std::copy(opened_.begin(), opened_.end(), buffer_.begin() + static_cast<long>(raw_begin_));
  begin_data(static_cast<std::uint16_t>(body[0] << 8 | body[1]), opened_.size(), opened_);
  return true;
}

void Channel::begin_data(std::uint16_t flags, std::size_t payload_bytes, ByteView payload) {
  packet_left_ = payload_bytes;
  packet_is_void_ = break_ == Break::kAwaitMarker || break_ == Break::kAwaitReset;
  if (packet_is_void_) return;
  if (break_ == Break::kAwaitData) {
    break_ = Break::kNone;
    reset_reported_ = false;
  }
  constexpr std::uint8_t kEndOfResponse = 29;
  const bool is_end_alone = payload_bytes == 1 && payload[0] == kEndOfResponse;
  if (end_of_response_ && ((flags & wire::kDataEndOfResponse) != 0 || is_end_alone)) {
    response_end_ = true;
  }
}

Result<void> Channel::send_reset(const net::Wait& wait) {
  if (guard_) guard_->restart_sending();
  return send_raw(encode_marker(MarkerKind::kReset, large_length_), wait);
}

Result<void> Channel::take_marker(wire::Reader& body, const net::Wait& wait) {
  const MarkerKind kind = decode_marker(body);
  if (!body.ok()) return protocol_error("a marker is cut off");
  payload_end_ = payload_begin_ = raw_begin_;
  response_end_ = false;
  if (break_ == Break::kNone || break_ == Break::kAwaitMarker) {
    break_ = Break::kAwaitReset;
    WHERRY_TRY(send_reset(wait));
  }
  if (kind == MarkerKind::kReset && break_ == Break::kAwaitReset) {
    break_ = Break::kAwaitData;
    if (guard_) guard_->restart_receiving();
  }
  return {};
}

Result<void> Channel::take_control(wire::Reader& body) {
  const wire::Control control = decode_control(body);
  if (!body.ok()) return protocol_error("a notification is cut off");
  if (control.command != wire::kControlNotification) return {};
  if (control.code == kSessionShutdown) {
    shutdown_announced_ = true;
    return {};
  }
  if (control.code == kMessageText) return {};
  return notification_error(control.code, control.text);
}

Result<void> Channel::send_interrupt(const net::Wait& wait) {
  break_ = Break::kAwaitMarker;
  payload_begin_ = payload_end_;
  packet_is_void_ = true;
  response_end_ = false;
  return send_raw(encode_marker(MarkerKind::kInterrupt, large_length_), wait);
}

Result<void> Channel::abandon(const net::Wait& wait) {
  break_ = Break::kAwaitReset;
  payload_begin_ = payload_end_;
  packet_is_void_ = true;
  response_end_ = false;
  WHERRY_TRY(send_raw(encode_marker(MarkerKind::kBreak, large_length_), wait));
  return send_reset(wait);
}

void Channel::send_eof() {
  constexpr std::chrono::milliseconds kPatience{500};
  const net::Wait wait{{}, net::Clock::now() + kPatience};
  (void)send_raw(wire::encode_eof(large_length_), wait);
}

}  // namespace wherry::oracle
