#include "connect/oracle/login.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "connect/oracle/errors.h"
#include "connect/oracle/wire/zone_rules.h"

namespace wherry::oracle {

using wire::Message;
using wire::Reader;

namespace {

constexpr const char* kDriverName = "wherry : 0.1.0";
constexpr std::uint32_t kDriverVersion = 1U << 20;

std::uint32_t mode_of(LoginRole role) {
  switch (role) {
    case LoginRole::kSysdba:
      return 0x20;
    case LoginRole::kSysoper:
      return 0x40;
    case LoginRole::kSysbackup:
      return 0x01000000;
    case LoginRole::kSysdg:
      return 0x02000000;
    case LoginRole::kSyskm:
      return 0x04000000;
    case LoginRole::kNormal:
      break;
  }
  return 0;
}

std::uint32_t number_of(std::string_view text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "user[target]": the proxy user and the user to become.
struct LoginName {
  std::string user, proxy_target;
};
LoginName parse_name(const std::string& text) {
  const std::size_t open = text.find('[');
  if (open == text.npos || open == 0 || text.back() != ']') return {text, ""};
  return {text.substr(0, open), text.substr(open + 1, text.size() - open - 2)};
}

Error too_old(std::string_view banner, std::uint8_t field_version) {
  return make_error(ErrorKind::kUnsupported, "oracle.server_too_old",
                    "The server (" + std::string(banner) + ") speaks field version " +
                        std::to_string(field_version) +
                        ", which is that of Oracle 11.1 or older; Wherry needs Oracle 11.2 "
                        "(field version 6) or newer",
                    "Upgrade the source, or move its data to a newer database first");
}

class Login {
 public:
  Login(const OpContext& context, Connection& connection, const ConnectOptions& options,
        const wire::ClientIdentity& identity, const wire::LoginRandom& random,
        const Announcement* announced)
      : context_(context),
        connection_(connection),
        options_(options),
        identity_(identity),
        random_(random),
        name_(parse_name(options.user)) {
    const bool has_own = options.call_timeout.count() != 0;
    caller_ = std::make_unique<Caller>(std::move(connection.channel),
                                       has_own ? options.call_timeout : connection.receive_timeout);
    if (announced != nullptr) {
      types_ = announced->types;
      has_checksum_ = announced->has_checksum;
      return;
    }
    types_.compile_capabilities = wire::client_compile_capabilities(
        wire::kMaxFieldVersion, connection.accept.has_end_of_response());
    types_.runtime_capabilities = wire::client_runtime_capabilities();
    types_.time_zone = wire::kUtcImage;
    types_.types = wire::modern_types();
  }

  Result<LoggedIn> run() {
    if (connection_.accept.has_fast_auth()) {
      WHERRY_TRY(fast_auth());
    } else {
      WHERRY_TRY(negotiate_protocol());
      WHERRY_TRY(negotiate_types());
      WHERRY_TRY(phase_one());
    }
    WHERRY_TRY(phase_two());
    LoggedIn result;
    result.server = server_info();
    result.database_zone = zone_;
    caller_->set_logged_in(dialect_);
    result.caller = std::move(caller_);
    return result;
  }

 private:
  // Messages. Each handler takes one message's body.

  Result<void> take_protocol() {
    WHERRY_ASSIGN(auto reply,
                  caller_->take(context_, [](Reader& in) { return decode_protocol(in); }));
    if (!reply) return {};
    protocol_ = *std::move(reply);
    const std::uint8_t server_version =
        wire::capability(protocol_.compile_capabilities, wire::kCapFieldVersion);
    if (server_version < wire::kMinFieldVersion) return too_old(protocol_.banner, server_version);
    has_zone_ = types_.time_zone &&
                (wire::capability(protocol_.runtime_capabilities, 1) & wire::kRuntimeTimeZone) != 0;
    dialect_ = wire::negotiate(protocol_, types_, connection_.accept.version,
                               connection_.accept.has_end_of_response());
    dialect_.has_checksum = has_checksum_;
    // Servers before 23.4 announced the mark without keeping to it.
    if (dialect_.field_version < wire::kMaxFieldVersion) dialect_.end_of_response = false;
    return {};
  }

  Result<void> take_types() {
    WHERRY_ASSIGN(const auto reply, caller_->take(context_, [this](Reader& in) {
      return decode_data_types(in, has_zone_, types_.zone_file_version.has_value());
    }));
    if (reply && reply->time_zone) zone_ = zone_of_image(*reply->time_zone);
    return {};
  }

  Result<void> take_pairs(std::vector<wire::KeyValue>& pairs) {
    WHERRY_ASSIGN(auto reply,
                  caller_->take(context_, [](Reader& in) { return decode_key_values(in); }));
    if (reply) pairs = *std::move(reply);
    return {};
  }

  Error unexpected(Message message) const {
    return protocol_error("message " + std::to_string(static_cast<int>(message)) +
                          " came during log-in");
  }

  // Steps.

  /// The protocol and data types replies have no status: they are complete when parsed.
  Result<void> negotiate_protocol() {
    wire::Writer out;
    encode_protocol(out, protocol_request());
    WHERRY_TRY(caller_->send(context_, out.bytes()));
    WHERRY_ASSIGN(const auto message, caller_->next(context_));
    if (message != Message::kProtocol) return unexpected(message.value_or(Message::kError));
    return take_protocol();
  }

  Result<void> negotiate_types() {
    std::uint8_t& version = types_.compile_capabilities[wire::kCapFieldVersion];
    version = std::min(version, dialect_.field_version);
    if (!dialect_.has_array_results()) types_.types = wire::types_of_11g();
    wire::Writer out;
    encode_data_types(out, types_);
    WHERRY_TRY(caller_->send(context_, out.bytes()));
    WHERRY_ASSIGN(const auto message, caller_->next(context_));
    if (message != Message::kDataTypes) return unexpected(message.value_or(Message::kError));
    return take_types();
  }

  Result<void> phase_one() {
    caller_->set_dialect(dialect_);
    caller_->expect_end_of_response(dialect_.end_of_response);
    WHERRY_TRY(caller_->send(context_, encode_auth(phase_one_message(), dialect_)));
    return read_pairs(challenge_pairs_);
  }

  /// Responses of both phases, and of fast auth, which holds the earlier ones too.
  Result<void> read_pairs(std::vector<wire::KeyValue>& pairs) {
    while (true) {
      WHERRY_ASSIGN(const auto message, caller_->next(context_));
      if (!message) return {};
      switch (*message) {
        case Message::kProtocol:
          WHERRY_TRY(take_protocol());
          caller_->set_dialect(dialect_);
          break;
        case Message::kDataTypes:
          WHERRY_TRY(take_types());
          break;
        case Message::kParameters:
          WHERRY_TRY(take_pairs(pairs));
          break;
        case Message::kRenegotiate:
          renegotiate_ = true;
          break;
        default:
          return unexpected(*message);
      }
      if (renegotiate_ && *message == Message::kRenegotiate) return {};
    }
  }

  Result<void> fast_auth() {
    wire::Dialect inner;
    inner.field_version = wire::kFastAuthFieldVersion;
    const wire::Bytes phase_one_bytes = encode_auth(phase_one_message(), inner);
    caller_->expect_end_of_response(connection_.accept.has_end_of_response());
    WHERRY_TRY(
        caller_->send(context_, encode_fast_auth(protocol_request(), types_, phase_one_bytes)));
    WHERRY_TRY(read_pairs(challenge_pairs_));
    if (!renegotiate_) return {};
    // The server cannot do it in one step; it has told its protocol already or is asked again.
    renegotiate_ = false;
    caller_->expect_end_of_response(false);
    if (protocol_.compile_capabilities.empty()) WHERRY_TRY(negotiate_protocol());
    WHERRY_TRY(negotiate_types());
    return phase_one();
  }

  Result<void> phase_two() {
    WHERRY_ASSIGN(const wire::Challenge challenge, wire::read_challenge(challenge_pairs_));
    const wire::LoginProof proof = answer_challenge(challenge, options_.password.reveal(), random_,
                                                    options_.new_password.reveal());
    wire::AuthMessage message;
    message.phase = wire::AuthPhase::kTwo;
    message.sequence = 2;
    message.user = name_.user;
    message.mode = mode() | wire::kModeWithPassword;
    message.pairs = phase_two_pairs(identity_, proof, {name_.proxy_target, options_.edition, ""});
    caller_->set_dialect(dialect_);
    caller_->expect_end_of_response(dialect_.end_of_response);
    WHERRY_TRY(caller_->send(context_, encode_auth(message, dialect_)));
    WHERRY_TRY(read_pairs(session_pairs_));
    if (!wire::is_genuine_response(proof.combined_key, session_value("AUTH_SVR_RESPONSE"))) {
      return make_error(ErrorKind::kAuth, "oracle.server_not_genuine",
                        "The server did not prove that it knows the password",
                        "Something between may be posing as the server: check host, port and the "
                        "network path, and prefer TLS");
    }
    return {};
  }

  [[nodiscard]] wire::ProtocolRequest protocol_request() const {
    wire::ProtocolRequest request;
    request.driver_name = "wherry";
    return request;
  }

  [[nodiscard]] std::uint32_t mode() const {
    return mode_of(options_.role) |
           (options_.new_password.empty() ? wire::kModeLogon : wire::kModeNewPassword);
  }

  [[nodiscard]] wire::AuthMessage phase_one_message() const {
    wire::AuthMessage message;
    message.user = name_.user;
    message.mode = mode();
    message.pairs = phase_one_pairs(identity_);
    return message;
  }

  [[nodiscard]] std::string session_value(std::string_view key) const {
    const wire::KeyValue* pair = find_key(session_pairs_, key);
    return pair != nullptr ? pair->value : std::string();
  }

  ServerInfo server_info() {
    ServerInfo info;
    const std::uint32_t number = number_of(session_value("AUTH_VERSION_NO"));
    info.version = version_text(number, dialect_.field_version);
    info.major_version = static_cast<int>(number >> 24);
    info.banner = protocol_.banner;
    info.database_name = session_value("AUTH_SC_DBUNIQUE_NAME");
    info.instance_name = session_value("AUTH_SC_INSTANCE_NAME");
    info.service_name = session_value("AUTH_SC_SERVICE_NAME");
    info.session_id = number_of(session_value("AUTH_SESSION_ID"));
    info.serial_number = number_of(session_value("AUTH_SERIAL_NUM"));
    info.max_open_cursors = number_of(session_value("AUTH_MAX_OPEN_CURSORS"));
    if (const std::uint32_t max = number_of(session_value("AUTH_MAX_IDEN_LENGTH"))) {
      info.max_identifier_bytes = max;
    }
    info.tns_version = dialect_.tns_version;
    info.field_version = dialect_.field_version;
    info.sdu_bytes = caller_->channel().sdu_bytes();
    info.database_charset = dialect_.database_charset;
    info.national_charset = dialect_.national_charset;
    info.native_encryption = connection_.security.encryption;
    info.native_integrity = connection_.security.integrity;
    info.is_encrypted =
        caller_->channel().stream().is_encrypted() || !info.native_encryption.empty();
    info.warnings = caller_->take_warnings();
    return info;
  }

  const OpContext& context_;
  Connection& connection_;
  const ConnectOptions& options_;
  const wire::ClientIdentity& identity_;
  const wire::LoginRandom& random_;
  LoginName name_;
  std::unique_ptr<Caller> caller_;
  wire::DataTypesRequest types_;
  wire::ProtocolReply protocol_;
  wire::Dialect dialect_;
  bool has_checksum_ = true;
  bool has_zone_ = false;
  bool renegotiate_ = false;
  std::optional<wire::ZoneField> zone_;
  std::vector<wire::KeyValue> challenge_pairs_, session_pairs_;
};

}  // namespace

wire::ClientIdentity local_identity(const ConnectOptions& options) {
  wire::ClientIdentity identity;
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) == 0) identity.machine = host;
  char buffer[1024];
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) {
    identity.os_user = found->pw_name;
  }
  identity.program = options.program;
  identity.process_id = std::to_string(getpid());
  identity.driver_name = kDriverName;
  identity.driver_version = kDriverVersion;
  return identity;
}

std::string version_text(std::uint32_t number, std::uint8_t field_version) {
  const auto part = [number](int shift, std::uint32_t mask) {
    return std::to_string(number >> shift & mask);
  };
  constexpr std::uint8_t kNewNumbers = 11;
  if (field_version >= kNewNumbers) {
    return part(24, 0xFF) + "." + part(16, 0xFF) + "." + part(12, 0xF) + "." + part(4, 0xFF) + "." +
           part(0, 0xF);
  }
  return part(24, 0xFF) + "." + part(20, 0xF) + "." + part(12, 0xF) + "." + part(8, 0xF) + "." +
         part(0, 0xF);
}

wire::ZoneField zone_of_image(const wire::ZoneImage& image) {
  constexpr std::uint8_t kNamedZone = 120;
  wire::ZoneField zone;
  if (image[4] > kNamedZone) {
    zone.kind = wire::ZoneField::Kind::kRegion;
    zone.region_id = static_cast<std::uint16_t>(image[2] << 8 | image[3]);
  } else {
    zone.offset_minutes = (image[4] - 60) * 60 + (image[5] - 60);
  }
  return zone;
}

std::optional<wire::ZoneField> zone_of_text(std::string_view text) {
  wire::ZoneField zone;
  if (text.size() >= 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':') {
    const int minutes =
        static_cast<int>(number_of(text.substr(1, 2)) * 60 + number_of(text.substr(4, 2)));
    zone.offset_minutes = text[0] == '-' ? -minutes : minutes;
    return zone;
  }
  constexpr std::uint16_t kMaxRegionId = 8191;
  for (std::uint16_t id = 1; id <= kMaxRegionId; ++id) {
    if (wire::region_name(id) != text) continue;
    zone.kind = wire::ZoneField::Kind::kRegion;
    zone.region_id = id;
    return zone;
  }
  return std::nullopt;
}

Result<LoggedIn> log_in(const OpContext& context, Connection connection,
                        const ConnectOptions& options, const wire::ClientIdentity& identity,
                        const wire::LoginRandom& random, const Announcement* announced) {
  OpContext limited = context;
  limited.deadline = std::min(limited.deadline, connection.wait.until);
  return Login(limited, connection, options, identity, random, announced).run();
}

}  // namespace wherry::oracle
