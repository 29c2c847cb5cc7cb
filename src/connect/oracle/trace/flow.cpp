#include "connect/oracle/trace/flow.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "connect/oracle/trace/guess.h"
#include "connect/oracle/trace/message_text.h"
#include "connect/oracle/trace/names.h"
#include "connect/oracle/trace/native_services.h"
#include "connect/oracle/trace/resync.h"
#include "connect/oracle/wire/tns.h"

namespace wherry::oracle::trace {
namespace {

constexpr std::uint16_t kDataCompressed = 0x0400;
constexpr std::uint8_t kMaxPacketType = 15;

std::string_view marker_name(wire::MarkerKind kind) {
  switch (kind) {
    case wire::MarkerKind::kBreak:
      return "break";
    case wire::MarkerKind::kReset:
      return "reset";
    case wire::MarkerKind::kInterrupt:
      return "interrupt";
    default:
      return "unknown";
  }
}

std::size_t mac_bytes(std::string_view integrity) {
  if (integrity == "MD5") return 16;
  if (integrity == "SHA1") return 20;
  if (integrity == "SHA256") return 32;
  if (integrity == "SHA384") return 48;
  return integrity == "SHA512" ? 64 : 0;
}

std::size_t announced_services_bytes(std::string_view bytes) {
  Reader in(wire::bytes_of(bytes));
  in.skip(4);
  const std::uint16_t length = in.u16();
  return in.ok() ? length : bytes.size() + 1;
}

}  // namespace

struct Flow::Packet {
  wire::PacketHeader header;
  ByteView body;        ///< behind the header
  bool is_cut = false;  ///< the block ends before the packet does
};

void Flow::add(const Block& block) {
  const ByteView bytes = wire::bytes_of(block.bytes);
  // A block of its own may hold a payload without a packet around it.
  if (block.is_payload || (block.is_alone && !next_packet(bytes))) return add_payload(block);
  add_packets(block);
}

void Flow::add_packets(const Block& block) {
  ByteView bytes = wire::bytes_of(block.bytes);
  while (!bytes.empty()) {
    const auto packet = next_packet(bytes);
    if (!packet) {
      end_turn("bytes that are no packet follow");
      return emit(block, undecoded("no TNS packet header", bytes));
    }
    handle(block, *packet);
    bytes = bytes.subspan(std::min<std::size_t>(packet->header.length, bytes.size()));
  }
}

void Flow::add_payload(const Block& block) {
  const ByteView payload = wire::bytes_of(block.bytes);
  if (block.direction != turn_) end_turn("the other side spoke before it ended");
  if (is_native_services(payload)) {
    handle_special_data(block, payload);
    return;
  }
  gather(block, payload);
}

void Flow::lose(std::uint64_t number, std::uint64_t place, Direction direction, Json fields) {
  end_services();
  end_turn("bytes that were not captured follow");
  inflaters_.at(static_cast<std::size_t>(direction)).forget();
  // Whether a lost request had an answer is not known.
  session_.calls.clear();
  session_.is_pipelined = false;
  sink_(number, place, direction, std::move(fields));
}

/// The length tells the form of the header: a 32-bit one starts with two zero bytes.
std::optional<Flow::Packet> Flow::next_packet(ByteView bytes) const {
  std::optional<Packet> cut;
  for (const bool is_large : {has_large_header_, !has_large_header_}) {
    Reader in(bytes);
    Packet packet;
    packet.header = wire::decode_header(in, is_large, wire::kMaxPacketBytes);
    const auto type = static_cast<std::uint8_t>(packet.header.type);
    if (!in.ok() || type == 0 || type > kMaxPacketType) continue;
    packet.is_cut = packet.header.length > bytes.size();
    packet.body = packet.is_cut ? in.rest() : in.raw(packet.header.length - wire::kHeaderBytes);
    if (!packet.is_cut) return packet;
    if (!cut) cut = packet;
  }
  return cut;
}

void Flow::handle(const Block& block, const Packet& packet) {
  using wire::PacketType;
  if (block.direction != services_.direction) end_services();
  if (block.direction == Direction::kUnknown) return handle_unknown(block, packet);
  if (packet.header.type == PacketType::kData) return data(block, packet);
  end_turn(packet.header.type == PacketType::kMarker ? "cut off by a marker"
                                                     : "another packet follows");
  switch (packet.header.type) {
    case PacketType::kConnect:
      return connect(block, packet);
    case PacketType::kAccept:
      return accept(block, packet);
    case PacketType::kRefuse:
      return refuse(block, packet);
    case PacketType::kRedirect:
      return redirect(block, packet);
    case PacketType::kMarker:
      return marker(block, packet);
    case PacketType::kControl:
      return control(block, packet);
    default:
      return emit(block,
                  Json{{"message", packet_name(static_cast<std::uint8_t>(packet.header.type))}});
  }
}

/// Some packets only one side sends.
void Flow::handle_unknown(const Block& block, const Packet& packet) {
  using wire::PacketType;
  Block known = block;
  switch (packet.header.type) {
    case PacketType::kConnect:
      known.direction = Direction::kClient;
      return handle(known, packet);
    case PacketType::kAccept:
    case PacketType::kRefuse:
    case PacketType::kRedirect:
    case PacketType::kResend:
    case PacketType::kControl:
      known.direction = Direction::kServer;
      return handle(known, packet);
    case PacketType::kMarker:
      return marker(block, packet);
    case PacketType::kData:
      return data(block, packet);
    default:
      return emit(block,
                  Json{{"message", packet_name(static_cast<std::uint8_t>(packet.header.type))}});
  }
}

void Flow::connect(const Block& block, const Packet& packet) {
  Reader in(packet.body);
  const wire::DecodedConnect decoded = wire::decode_connect(in, packet.header);
  if (!in.ok()) return emit(block, undecoded("damaged CONNECT packet", packet.body));
  // The same flow connects again after RESEND and, in some captures, after REDIRECT.
  session_ = {};
  has_seen_connect_ = true;
  has_large_header_ = false;
  is_protected_ = false;
  inflaters_ = {};
  encryption_.clear();
  integrity_.clear();
  expected_connect_data_ = decoded.overflow_bytes;
  Json fields{{"message", "connect"},
              {"version", decoded.request.version},
              {"lowest_version", decoded.request.lowest_version},
              {"sdu_bytes", decoded.request.sdu_bytes}};
  if (!decoded.request.connect_data.empty()) {
    fields["connect_data"] = to_json_text(decoded.request.connect_data);
  }
  emit(block, std::move(fields));
}

void Flow::accept(const Block& block, const Packet& packet) {
  Reader in(packet.body);
  const wire::Accept accept = wire::decode_accept(in);
  if (!in.ok()) return emit(block, undecoded("damaged ACCEPT packet", packet.body));
  has_seen_connect_ = true;
  has_large_header_ = accept.has_large_header();
  session_.dialect.tns_version = accept.version;
  session_.dialect.end_of_response = accept.has_end_of_response();
  emit(block, Json{{"message", "accept"},
                   {"version", accept.version},
                   {"sdu_bytes", accept.sdu_bytes},
                   {"flags2", accept.flags2}});
}

void Flow::refuse(const Block& block, const Packet& packet) {
  Reader in(packet.body);
  const wire::Refuse refuse = wire::decode_refuse(in);
  if (!in.ok()) return emit(block, undecoded("damaged REFUSE packet", packet.body));
  if (refuse.text_follows) awaited_text_of_ = "refuse text";
  Json fields{{"message", "refuse"},
              {"user_reason", refuse.user_reason},
              {"system_reason", refuse.system_reason}};
  if (!refuse.text_follows) {
    fields["error"] =
        Json{{"code", wire::refuse_code(refuse.text)}, {"text", to_json_text(refuse.text)}};
  }
  emit(block, std::move(fields));
}

void Flow::redirect(const Block& block, const Packet& packet) {
  Reader in(packet.body);
  const wire::Redirect redirect = wire::decode_redirect(in);
  if (!in.ok()) return emit(block, undecoded("damaged REDIRECT packet", packet.body));
  Json fields{{"message", "redirect"}};
  if (redirect.data_follows) {
    awaited_text_of_ = "redirect data";
  } else {
    fields["redirect_data"] = to_json_text(redirect.data);
  }
  emit(block, std::move(fields));
}

void Flow::marker(const Block& block, const Packet& packet) {
  Reader in(packet.body);
  const wire::MarkerKind kind = wire::decode_marker(in);
  if (!in.ok()) return emit(block, undecoded("damaged MARKER packet", packet.body));
  emit(block, Json{{"message", "marker"}, {"marker", marker_name(kind)}});
}

void Flow::control(const Block& block, const Packet& packet) {
  Reader in(packet.body);
  const wire::Control control = wire::decode_control(in);
  if (!in.ok()) return emit(block, undecoded("damaged CONTROL packet", packet.body));
  Json fields{{"message", "control"}, {"command", control.command}};
  if (control.command == wire::kControlNotification) {
    fields["error"] = Json{{"code", control.code}, {"text", to_json_text(control.text)}};
  }
  emit(block, std::move(fields));
}

void Flow::data(const Block& block, const Packet& packet) {
  Reader in(packet.body);
  const std::uint16_t flags = in.u16();
  const ByteView payload = in.rest();
  if (block.direction != turn_) end_turn("the other side spoke before it ended");
  if (!in.ok()) return emit(block, undecoded("DATA packet without flags", packet.body));
  if (payload.empty()) {
    if ((flags & wire::kDataEof) != 0) {
      end_turn("the connection was closed");
      emit(block, Json{{"message", "close"}});
    } else if ((flags & wire::kDataEndOfResponse) == 0) {
      emit(block, Json{{"message", "empty data"}, {"data_flags", flags}});
    }
  } else if ((flags & kDataCompressed) != 0) {
    compressed_data(block, payload);
  } else if (!handle_special_data(block, payload)) {
    gather(block, payload);
  }
  if (packet.is_cut) end_turn("the packet is cut short");
  if ((flags & wire::kDataEndOfResponse) != 0) end_turn("the response was declared to end");
}

/// Encryption comes after compression, so that protected bytes stay what they are.
void Flow::compressed_data(const Block& block, ByteView payload) {
  if (is_protected_ && handle_special_data(block, payload)) return;
  auto& inflater = inflaters_.at(static_cast<std::size_t>(block.direction));
  const auto text = inflater.inflate(payload, max_turn_bytes_);
  if (text) return gather(block, wire::bytes_of(*text));
  end_turn("a compressed packet follows");
  emit(block, undecoded("a compressed DATA packet that does not inflate", payload));
}

bool Flow::handle_special_data(const Block& block, ByteView payload) {
  if (expected_connect_data_ != 0 && block.direction == Direction::kClient) {
    expected_connect_data_ = 0;
    emit(block,
         Json{{"message", "connect data"}, {"connect_data", to_json_text(wire::text_of(payload))}});
    return true;
  }
  if (!awaited_text_of_.empty() && block.direction == Direction::kServer) {
    emit(block,
         Json{{"message", awaited_text_of_}, {"text", to_json_text(wire::text_of(payload))}});
    awaited_text_of_.clear();
    return true;
  }
  if (is_protected_) return handle_protected(block, payload);
  if (services_.bytes.empty() && !is_native_services(payload)) return false;
  if (services_.bytes.empty()) {
    services_.number = block.number;
    services_.place = block.place;
    services_.direction = block.direction;
  }
  services_.bytes += wire::text_of(payload);
  // A small packet size may cut the negotiation.
  if (services_.bytes.size() >= announced_services_bytes(services_.bytes)) end_services();
  return true;
}

void Flow::end_services() {
  if (services_.bytes.empty()) return;
  const Block block = std::exchange(services_, {});
  const ByteView payload = wire::bytes_of(block.bytes);
  const bool is_server = block.direction == Direction::kServer;
  NativeServices services = decode_native_services(payload, is_server);
  if (is_server && services.is_readable) {
    encryption_ = services.encryption;
    integrity_ = services.integrity;
  } else if (services.is_readable) {
    // The client's second packet carries its public key; all after it is protected.
    is_protected_ = !encryption_.empty() || !integrity_.empty();
  }
  emit(block, std::move(services.fields));
}

/// Encrypted bytes stay what they are; a checksum alone can be cut off.
bool Flow::handle_protected(const Block& block, ByteView payload) {
  if (payload.size() <= 1) return false;
  if (encryption_.empty()) {
    const std::size_t trailer = mac_bytes(integrity_) + 1;
    if (payload.size() <= trailer) return false;
    if (block.direction != turn_) end_turn("the other side spoke before it ended");
    gather(block, payload.first(payload.size() - trailer));
    return true;
  }
  Json fields = undecoded("encrypted by native network encryption (" + encryption_ + ")", payload);
  fields["encrypted"] = true;
  emit(block, std::move(fields));
  return true;
}

void Flow::finish() {
  end_services();
  end_turn("the capture ends");
}

std::uint64_t Flow::first_open_place() const {
  std::uint64_t place = std::numeric_limits<std::uint64_t>::max();
  if (!turn_packets_.empty()) place = turn_packets_.front().place;
  if (!services_.bytes.empty()) place = std::min(place, services_.place);
  return place;
}

Flow::Start Flow::start_at(std::size_t offset) const {
  Start found;
  for (const Start& start : turn_packets_) {
    if (start.offset > offset) break;
    found = start;
  }
  return found;
}

void Flow::gather(const Block& block, ByteView payload) {
  turn_ = block.direction;
  turn_packets_.push_back({turn_bytes_.size(), block.number, block.place});
  turn_bytes_ += wire::text_of(payload);
  if (turn_bytes_.size() > max_turn_bytes_) decode_beginning();
}

void Flow::decode_beginning() {
  if (turn_dropped_bytes_ == 0) {
    const Decoded decoded = decode_beginning_of_turn(session_, wire::bytes_of(turn_bytes_), turn_);
    give_out(decoded);
    // What could not be understood shows at the turn's end; a message that goes on may be kept.
    const std::size_t rest = turn_bytes_.size() - decoded.used_bytes;
    const bool goes_on = decoded.ending != Ending::kFailed && rest <= max_turn_bytes_ / 2;
    const Start start = start_at(decoded.used_bytes);
    turn_packets_ = {{0, start.number, start.place}};
    if (goes_on) {
      turn_bytes_.erase(0, decoded.used_bytes);
      return;
    }
    turn_dropped_bytes_ = rest;
  } else {
    turn_dropped_bytes_ += turn_bytes_.size();
    turn_packets_.resize(1);
  }
  turn_bytes_.clear();
}

void Flow::give_out(const Decoded& decoded) {
  for (const DecodedMessage& message : decoded.messages) {
    const Start start = start_at(message.offset);
    sink_(start.number, start.place, turn_, message.fields);
  }
}

void Flow::end_turn(std::string_view reason) {
  if (turn_dropped_bytes_ != 0) {
    Json fields = undecoded("a message, or bytes that are none, larger than is kept in memory", {});
    fields["bytes"] = turn_dropped_bytes_ + turn_bytes_.size();
    sink_(turn_packets_.front().number, turn_packets_.front().place, turn_, std::move(fields));
    session_.calls.clear();
  } else if (!turn_bytes_.empty()) {
    const Decoded decoded = decode_turn(session_, wire::bytes_of(turn_bytes_), turn_);
    give_out(decoded);
    if (decoded.ending != Ending::kComplete) emit_rest(decoded, reason);
  }
  turn_dropped_bytes_ = 0;
  // A capture may hold thousands of connections: an idle one is to take no room.
  std::string().swap(turn_bytes_);
  std::vector<Start>().swap(turn_packets_);
  turn_ = Direction::kUnknown;
}

void Flow::emit_rest(const Decoded& decoded, std::string_view reason) {
  const ByteView rest = wire::bytes_of(turn_bytes_).subspan(decoded.used_bytes);
  std::string text = decoded.problem;
  if (decoded.ending == Ending::kPartial) text += ": " + std::string(reason);
  if (decoded.used_bytes == 0 && !session_.is_negotiated) {
    text +=
        "; no thin client's dialect from 8i to 26ai fits: fixed-width integers of a thick "
        "client, a part of a message, or none";
  }
  Json fields = undecoded(text, rest);
  fields["type"] = describe_start(rest, turn_);
  const Start start = start_at(decoded.used_bytes);
  sink_(start.number, start.place, turn_, std::move(fields));
}

}  // namespace wherry::oracle::trace
