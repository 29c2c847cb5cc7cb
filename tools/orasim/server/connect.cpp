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

// Nothing older than 11.1 is answered: its session set-up is another.
constexpr std::uint16_t kLowestVersion = 313;

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::toupper(static_cast<unsigned char>(x)) ==
           std::toupper(static_cast<unsigned char>(y));
  });
}

// 0: served here; else the listener's error. A SID names the instance, here called like the
// service, which of a container database is the root's.
int listener_error(const std::string& connect_data, const ServerOptions& options, bool& at_root) {
  const bool has_root = !options.root_service.empty();
  const std::string wanted = wire::connect_value(connect_data, "SERVICE_NAME");
  at_root = has_root && (wanted.empty() || same_name(wanted, options.root_service));
  const std::string& known = at_root ? options.root_service : options.service;
  if (!wanted.empty()) return same_name(wanted, known) ? 0 : 12514;
  const std::string sid = wire::connect_value(connect_data, "SID");
  if (!sid.empty()) return same_name(sid, known) ? 0 : 12505;
  return 12514;
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
  if (const int code = listener_error(request.data, shared.options, outcome.at_root)) {
    refuse(channel, code, shared.options.separate_refuse);
    return false;
  }
  if (redirect_to != 0) {
    channel.send_raw(wire::encode_redirect(redirect_address(shared, redirect_to), request.data));
    return false;
  }
  if (shared.options.resend) resend(channel, shared, request);
  const Generation& generation = *shared.options.generation;
  outcome.version = std::min(request.version, generation.tns_version);
  const std::uint16_t lowest = std::max(request.lowest_version, kLowestVersion);
  if (outcome.version < lowest) {  // TNS-12618: versions are incompatible
    refuse(channel, 12618, shared.options.separate_refuse);
    return false;
  }
  const bool wide = outcome.version >= wire::kWideVersion;
  const std::uint32_t largest = std::min(shared.options.max_sdu, wide ? wire::kMaxPacket : 65535);
  outcome.sdu = std::clamp(request.sdu, wire::kMinSdu, largest);
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
  reply.flags_2 = generation.accept_flags;
  std::copy_n(kDatabaseId.begin(), reply.database_id.size(), reply.database_id.begin());
  channel.send_raw(wire::encode_accept(reply));
  channel.use_sdu(outcome.sdu, wide);
  return true;
}

}  // namespace orasim::server
