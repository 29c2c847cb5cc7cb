// The listener's part of a connection: CONNECT to ACCEPT, REFUSE or REDIRECT.
#include <algorithm>
#include <cctype>

#include "server/login.h"

namespace orasim::server {

namespace {

wire::ConnectRequest read_connect(Channel& channel) {
  const PacketView packet = channel.read_packet();
  if (packet.header.type != wire::PacketType::kConnect) {
    throw wire::BadMessage("the first packet is not CONNECT");
  }
  wire::ConnectRequest request = wire::decode_connect(packet.bytes);
  if (request.data.empty() && request.data_length > 0) {
    wire::Bytes data;
    while (data.size() < request.data_length) channel.more(data);
    request.data = wire::as_text(wire::ByteView(data).first(request.data_length));
  }
  return request;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::toupper(static_cast<unsigned char>(x)) ==
           std::toupper(static_cast<unsigned char>(y));
  });
}

// 0: served here; else the listener's error. A SID names the instance, here called like the
// service.
int listener_error(const std::string& connect_data, const std::string& service) {
  const std::string wanted = wire::connect_value(connect_data, "SERVICE_NAME");
  if (!wanted.empty()) return same_name(wanted, service) ? 0 : 12514;
  const std::string sid = wire::connect_value(connect_data, "SID");
  if (!sid.empty()) return same_name(sid, service) ? 0 : 12505;
  return 12514;
}

std::uint16_t highest_version(Emulation emulation) {
  switch (emulation) {
    case Emulation::k12c:
      return 316;
    case Emulation::k19c:
      return 318;
    case Emulation::k23ai:
      return 319;
  }
  return 318;
}

void refuse(Channel& channel, int code, bool separate) {
  channel.send_raw(wire::encode_refuse(wire::refuse_text(code), separate));
}

void resend(Channel& channel, const Shared& shared, wire::ConnectRequest& request) {
  channel.send_raw(wire::encode_resend(shared.tls != nullptr));
  if (shared.tls != nullptr) channel.stream().start_tls(*shared.tls);
  request = read_connect(channel);
}

std::string redirect_address(const Shared& shared, std::uint16_t port) {
  return std::string("(DESCRIPTION=(ADDRESS=(PROTOCOL=") +
         (shared.tls != nullptr ? "tcps" : "tcp") + ")(HOST=" + shared.options.host +
         ")(PORT=" + std::to_string(port) + ")))";
}

}  // namespace

bool accept_connect(Channel& channel, const Shared& shared, std::uint16_t redirect_to,
                    ConnectOutcome& outcome) {
  wire::ConnectRequest request = read_connect(channel);
  if (const int code = listener_error(request.data, shared.options.service)) {
    refuse(channel, code, shared.options.separate_refuse);
    return false;
  }
  if (redirect_to != 0) {
    channel.send_raw(wire::encode_redirect(redirect_address(shared, redirect_to), request.data));
    return false;
  }
  if (shared.options.resend) resend(channel, shared, request);
  outcome.version = std::min(request.version, highest_version(shared.options.emulation));
  if (outcome.version < 315) {  // TNS-12618: versions are incompatible
    refuse(channel, 12618, shared.options.separate_refuse);
    return false;
  }
  outcome.sdu =
      std::clamp(std::min(request.sdu, shared.options.max_sdu), wire::kMinSdu, wire::kMaxPacket);
  const bool client_has_native_services =
      ((request.flags_0 | request.flags_1) & wire::kNoNativeServices) == 0;
  const bool may_negotiate = shared.tls == nullptr && !shared.options.ano.off();
  outcome.native_services = may_negotiate && client_has_native_services;
  if (may_negotiate && shared.options.ano.required() && !client_has_native_services) {
    refuse(channel, 12660, shared.options.separate_refuse);
    return false;
  }
  wire::AcceptReply reply;
  reply.native_services = outcome.native_services;
  reply.version = outcome.version;
  reply.sdu = outcome.sdu;
  if (shared.options.emulation == Emulation::k23ai) {
    reply.flags_2 = wire::kAcceptFastAuth | wire::kAcceptEndOfResponse;
  }
  channel.send_raw(wire::encode_accept(reply));
  channel.use_sdu(outcome.sdu);
  return true;
}

}  // namespace orasim::server
