#include "connect/oracle/dialer.h"

#include <sys/stat.h>

#include <condition_variable>
#include <mutex>
#include <random>

#include "connect/oracle/certificate_name.h"
#include "connect/oracle/errors.h"
#include "connect/oracle/https_proxy.h"
#include "connect/oracle/ora_file.h"
#include "connect/oracle/sqlnet.h"
#include "connect/oracle/tnsnames.h"
#include "core/op_context.h"

namespace wherry::oracle {

using wire::PacketType;

namespace {

constexpr int kMaxRedirects = 3;
constexpr int kMaxResends = 10;
constexpr const char* kWalletFile = "ewallet.pem";

std::string place_of(const Address& address) {
  const bool is_v6 = address.host.find(':') != address.host.npos;
  return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

/// False when the wait was broken off.
bool sleep_for(std::chrono::milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

/// "TLSv1.2", "1.3"; "1.2 or 1.3", and what is not known, leave it to the two sides.
net::TlsVersion tls_version_of(std::string_view text) {
  const bool has_12 = text.find("1.2") != text.npos, has_13 = text.find("1.3") != text.npos;
  if (has_12 == has_13) return net::TlsVersion::kAny;
  return has_12 ? net::TlsVersion::kTls12 : net::TlsVersion::kTls13;
}

Result<net::TlsContext> tls_context(const Security& security, const ConnectOptions& options) {
  net::TlsOptions tls;
  std::string location =
      options.wallet_location.empty() ? security.wallet_location : options.wallet_location;
  if (location == "SYSTEM") location.clear();
  struct stat status {};
  if (!location.empty() && stat(location.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    location += std::string("/") + kWalletFile;
  }
  tls.pem_file = location;
  tls.key_password = options.wallet_password;
  tls.version = tls_version_of(security.ssl_version);
  return net::TlsContext::make(tls);
}

Error name_mismatch(const net::PeerCertificate& peer, const std::string& wanted) {
  Error error = make_error(
      ErrorKind::kConfig, "oracle.certificate_name",
      "The server's certificate is for another server: it names " + peer.subject_text + ", not " +
          wanted,
      "Check the host name, give the certificate's name with ssl_server_cert_dn, or switch the "
      "check off with ssl_server_dn_match=off");
  return error;
}

/// One address: from the socket to an ACCEPT, redirects included.
class Dialer {
 public:
  Dialer(const OpContext& context, const ConnectOptions& options, const ClientId& id,
         const Attempt& attempt)
      : context_(context),
        options_(options),
        description_(*attempt.description),
        address_(attempt.address),
        original_host_(attempt.address.host),
        wait_(net::Wait::of(context, description_.connect_timeout)) {
    request_.connect_data = connect_data_text(description_, address_, id);
    request_.sdu_bytes = description_.sdu_bytes.value_or(options.sdu_bytes);
    security_ = description_.security.over(options.network_security);
    if (address_.protocol == Protocol::kTcp && !security_.is_rejected()) {
      request_.native_service_flags = wire::kNativeServicesWanted;
    }
  }

  Result<Connection> run() {
    WHERRY_TRY(open());
    int redirects = 0, resends = 0;
    WHERRY_TRY(send_connect());
    while (true) {
      WHERRY_ASSIGN(Channel::Packet packet, channel_->read_packet(answer_wait()));
      wire::Reader body(packet.body);
      switch (packet.header.type) {
        case PacketType::kAccept:
          return accepted(body);
        case PacketType::kRefuse:
          return refused(body);
        case PacketType::kRedirect:
          if (++redirects > kMaxRedirects) return protocol_error("redirects do not end");
          WHERRY_TRY(follow_redirect(body, packet.header.flags));
          break;
        case PacketType::kResend:
          if (++resends > kMaxResends) return protocol_error("resend requests do not end");
          if ((packet.header.flags & wire::kFlagTlsAgain) != 0) WHERRY_TRY(secure());
          WHERRY_TRY(send_connect());
          break;
        case PacketType::kControl:
        case PacketType::kNull:
          break;
        default:
          return protocol_error("the listener answered with a packet of type " +
                                std::to_string(static_cast<int>(packet.header.type)));
      }
    }
  }

  [[nodiscard]] const Address& address() const { return address_; }

 private:
  Result<void> open() {
    net::DialOptions dial;
    dial.connect_timeout = time_left(description_.transport_connect_timeout);
    if (description_.expire_time.count() != 0) dial.keep_alive_idle = description_.expire_time;
    dial.receive_buffer_bytes = description_.receive_buffer_bytes;
    dial.send_buffer_bytes = description_.send_buffer_bytes;
    const bool has_proxy = !address_.proxy_host.empty();
    WHERRY_ASSIGN(auto stream,
                  net::Stream::dial(context_, has_proxy ? address_.proxy_host : address_.host,
                                    has_proxy ? address_.proxy_port : address_.port, dial));
    if (has_proxy) {
      WHERRY_TRY(open_tunnel(*stream, address_.host, address_.port, answer_wait()));
    }
    channel_ = std::make_unique<Channel>(std::move(stream));
    return secure();
  }

  Result<void> secure() {
    if (address_.protocol != Protocol::kTcps) return {};
    WHERRY_ASSIGN(const net::TlsContext tls, tls_context(description_.security, options_));
    WHERRY_TRY(channel_->stream().start_tls(tls, sni_name(description_), answer_wait()));
    if (!description_.security.dn_match) return {};
    const net::PeerCertificate peer = channel_->stream().peer_certificate();
    const std::string& dn = description_.security.certificate_dn;
    if (!dn.empty()) {
      if (!has_subject(peer, dn)) return name_mismatch(peer, dn);
      return {};
    }
    const std::string hosts[] = {address_.host, original_host_};
    if (!has_host_name(peer, hosts)) return name_mismatch(peer, address_.host);
    return {};
  }

  Result<void> send_connect() {
    return channel_->send_raw(wire::encode_connect(request_), answer_wait());
  }

  /// `limit`, or what is left of the description's connect timeout.
  std::chrono::milliseconds time_left(std::chrono::milliseconds limit) const {
    constexpr std::chrono::milliseconds kShortest{1};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(wait_.until - net::Clock::now());
    return std::max(kShortest, std::min(limit, left));
  }

  /// A listener that says nothing is given as long as the transport.
  net::Wait answer_wait() const {
    net::Wait wait = wait_;
    wait.until = std::min(wait.until, net::Clock::now() + description_.transport_connect_timeout);
    return wait;
  }

  Result<Connection> accepted(wire::Reader& body) {
    const wire::Accept accept = decode_accept(body);
    if (!body.ok()) return protocol_error("the ACCEPT packet is cut off");
    if (accept.version < wire::kOldestVersion) {
      return make_error(ErrorKind::kUnsupported, "oracle.server_too_old",
                        "The server speaks version " + std::to_string(accept.version) +
                            " of Oracle Net, which is that of Oracle 11.1 or older; Wherry needs "
                            "Oracle 11.2 (version 314) or newer",
                        "Upgrade the source, or move its data to a newer database first");
    }
    channel_->accept(accept);
    Connection connection;
    WHERRY_ASSIGN(connection.security, native_services(accept));
    connection.channel = std::move(channel_);
    connection.accept = accept;
    connection.address = address_;
    connection.listener_text = request_.connect_data;
    connection.wait = wait_;
    return connection;
  }

  Result<AgreedSecurity> native_services(const wire::Accept& accept) {
    const bool is_wanted = request_.native_service_flags == wire::kNativeServicesWanted;
    if (is_wanted && accept.negotiates_native_services()) {
      return negotiate_security(*channel_, security_, answer_wait());
    }
    const bool is_missed = is_wanted && security_.is_required();
    if (is_missed || accept.requires_native_services()) return security_mismatch_error();
    return AgreedSecurity();
  }

  Error refused(wire::Reader& body) {
    wire::Refuse refuse = decode_refuse(body);
    if (refuse.text_follows) {
      auto text = data_text();
      if (text.ok()) refuse.text = std::move(text).value();
    }
    return refuse_error(refuse.text);
  }

  /// Text that comes in a DATA packet of its own.
  Result<std::string> data_text() {
    WHERRY_ASSIGN(const Channel::Packet packet, channel_->read_packet(answer_wait()));
    constexpr std::size_t kDataFlags = 2;
    if (packet.header.type != PacketType::kData || packet.body.size() < kDataFlags) {
      return protocol_error("the text of a listener's answer is missing");
    }
    return std::string(wire::text_of(wire::ByteView(packet.body).subspan(kDataFlags)));
  }

  Result<void> follow_redirect(wire::Reader& body, std::uint8_t flags) {
    wire::Redirect redirect = decode_redirect(body);
    if (!body.ok()) return protocol_error("the REDIRECT packet is cut off");
    if (redirect.data_follows) {
      WHERRY_ASSIGN(redirect.data, data_text());
    }
    const wire::RedirectTarget target = wire::parse_redirect(redirect.data, flags);
    WHERRY_ASSIGN(Address next, parse_redirect_address(target.address, address_.protocol));
    next.proxy_host = address_.proxy_host;
    next.proxy_port = address_.proxy_port;
    address_ = std::move(next);
    if (target.connect_data) request_.connect_data = *target.connect_data;
    request_.after_redirect = true;
    WHERRY_TRY(open());
    return send_connect();
  }

  const OpContext& context_;
  const ConnectOptions& options_;
  const Description& description_;
  Address address_;
  std::string original_host_;
  net::Wait wait_;
  wire::ConnectRequest request_;
  wire::NetworkSecurity security_;
  std::unique_ptr<Channel> channel_;
};

/// "Connecting to h:1 failed" becomes "no listener at h:1" for the one case everybody meets.
Error explained(Error error, const Address& address) {
  if (error.code == "net.refused") {
    error.code = "oracle.no_listener";
    error.message = "There is no listener at " + place_of(address);
    error.hint = "Check host and port, and that the listener is running (lsnrctl status)";
  }
  return std::move(error).with("address", place_of(address));
}

/// Each place once, as long as a reader would read them.
void add_place(std::string& tried, const std::string& place) {
  constexpr std::size_t kMaxBytes = 500;
  if ((tried + " ").find(place + " ") != tried.npos || tried.size() > kMaxBytes) return;
  tried += (tried.empty() ? "" : " ") + place;
}

bool moves_on(const Error& error) {
  if (error.kind == ErrorKind::kCancelled || error.code == "net.tls_files") return false;
  if (error.code == "oracle.server_too_old" || error.code == "oracle.native_encryption") {
    return false;
  }
  return true;
}

}  // namespace

Result<Connection> open_connection(const OpContext& context, const ConnectOptions& options,
                                   const ClientId& id) {
  const std::string directory = ora_directory(options.tns_admin);
  WHERRY_ASSIGN(const SqlnetOra sqlnet, read_sqlnet(directory));
  WHERRY_ASSIGN(const ConnectTarget target,
                resolve_connect_string(options.connect_string, directory, sqlnet));
  std::minstd_rand random(std::random_device{}());
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Error last = make_error(ErrorKind::kConfig, "oracle.connect_string",
                          "The connect string has no address", "");
  std::string tried;
  for (const Attempt& attempt : order_attempts(target, pick)) {
    if (attempt.delay.count() != 0 && !sleep_for(attempt.delay, context.stop)) {
      return cancelled_error();
    }
    Dialer dialer(context, options, id, attempt);
    auto connection = dialer.run();
    if (connection.ok()) {
      connection->receive_timeout = sqlnet.receive_timeout.value_or(std::chrono::milliseconds(0));
      return connection;
    }
    last = explained(std::move(connection).error(), dialer.address());
    add_place(tried, place_of(dialer.address()));
    if (!moves_on(last)) break;
  }
  if (tried.find(' ') != tried.npos) last.with("tried", tried);
  return last;
}

}  // namespace wherry::oracle
