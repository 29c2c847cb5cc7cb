#include "server/login.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include "engine/containers.h"
#include "engine/error.h"
#include "server/authenticator.h"
#include "wire/ano.h"
#include "wire/request.h"
#include "wire/response.h"

namespace orasim::server {

namespace {

using wire::AuthRequest;
using wire::Function;
using wire::KeyValue;
using wire::Message;

std::string without_nul(std::string text) {
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

constexpr std::uint8_t kBigChunks = 0x20;  // of compile capability 37
constexpr std::uint16_t kEndOfResponseVersion = 319;

class LoginTalk {
 public:
  LoginTalk(Channel& channel, const Shared& shared, const ConnectOutcome& connect,
            std::uint32_t session_id)
      : channel_(channel),
        shared_(shared),
        session_id_(session_id),
        sdu_(connect.sdu),
        native_services_(connect.native_services),
        at_root_(connect.at_root),
        tns_version_(connect.version),
        authenticator_(shared.options.effective_verifier(), shared.database),
        profile_(shared.options.generation->profile) {
    const bool plain = shared.options.effective_verifier() == wire::Verifier::k11gPlain;
    profile_.set_pbkdf2_key_mixing(!plain);
  }

  Login run() {
    while (!login_.session) answer_one();
    return std::move(login_);
  }

 private:
  void answer_one() {
    wire::Bytes buffer;
    wire::Reader in(buffer, channel_);
    in.use_small_chunks(login_.dialect.small_chunks);
    const std::uint8_t type = in.peek();
    if (type == (wire::kAnoMagic >> 24)) return native_services(in);
    in.skip(1);
    switch (static_cast<Message>(type)) {
      case Message::kProtocol:
        wire::decode_protocol(in);
        if (in.buffered() > 0) return resume_by_cookie(in);
        wire::encode_protocol(channel_.out(), profile_);
        return channel_.finish(0);
      case Message::kDataTypes:
        settle(wire::decode_data_types(in));
        return channel_.finish(0);
      case Message::kFastAuth:
        return fast_auth(in);
      case Message::kFunction:
        return authenticate(in);
      default:
        throw wire::BadMessage("message " + std::to_string(type) + " before log-in");
    }
  }

  // Some clients ask although ACCEPT said no: they get nothing.
  void native_services(wire::Reader& in) {
    const wire::AnoOffer offer = wire::decode_ano_offer(in);
    wire::AnoChoice encryption, integrity;
    if (native_services_) {
      encryption = wire::choose(offer.encryption, shared_.options.ano.encryption);
      integrity = wire::choose(offer.integrity, shared_.options.ano.integrity);
    }
    if (encryption.error != 0 || integrity.error != 0) {
      wire::encode_ano_answer(channel_.out(), encryption, integrity, nullptr);
      channel_.finish(0);
      throw Closed("native services: client and server do not match");
    }
    if (encryption.algorithm == 0 && integrity.algorithm == 0) {
      wire::encode_ano_answer(channel_.out(), encryption, integrity, nullptr);
      return channel_.finish(0);
    }
    const wire::AnoKey key;
    wire::encode_ano_answer(channel_.out(), encryption, integrity, &key);
    channel_.finish(0);
    wire::Bytes buffer;
    wire::Reader reply(buffer, channel_);
    const wire::Bytes shared_key = key.shared_with(wire::decode_ano_key(reply));
    channel_.use_sealing(std::make_unique<wire::Sealing>(encryption.algorithm, integrity.algorithm,
                                                         shared_key, key.iv()));
  }

  void settle(const wire::DataTypesRequest& request) {
    wire::Dialect& dialect = login_.dialect;
    const std::uint8_t client = request.capability(7);
    if (client < 6) throw wire::BadMessage("clients older than 11.2 are not served");
    dialect.field_version = std::min(client, profile_.field_version());
    dialect.client_version = client;
    dialect.small_chunks = (profile_.compile.at(37) & kBigChunks) == 0;
    channel_.out().use_small_chunks(dialect.small_chunks);
    dialect.text_is_clr = (request.encoding_flags & 0x02) != 0;
    dialect.scale_is_sb2 = request.representation_of(27) == 1;
    constexpr std::uint8_t kFirstJson = 14, kFirstVector = 24, kVectorBit = 0x08;
    dialect.local_zones = shared_.options.local_zones;
    dialect.takes_json = dialect.field_version >= kFirstJson;
    dialect.takes_vector =
        dialect.field_version >= kFirstVector && (request.capability(44) & kVectorBit) != 0;
    dialect.end_of_response =
        tns_version_ >= kEndOfResponseVersion &&
        (profile_.compile.size() > 40 ? profile_.compile[40] : 0) & request.capability(40) & 0x20;
    wire::encode_data_types(channel_.out(), request, sdu_ - wire::kDataHeader);
  }

  void fast_auth(wire::Reader& in) {
    const wire::FastAuthHead head = wire::decode_fast_auth(in);
    wire::encode_protocol(channel_.out(), profile_);
    settle(head.data_types);
    // The request inside is laid out for an older field version: it has no token.
    wire::Dialect inner = login_.dialect;
    inner.field_version = head.field_version;
    if (in.u8() != static_cast<std::uint8_t>(Message::kFunction)) {
      throw wire::BadMessage("fast auth holds no authentication request");
    }
    const wire::FunctionHeader header = wire::decode_function_header(in, inner);
    sequence_ = header.sequence;
    if (header.function != Function::kAuthOne) {
      throw wire::BadMessage("fast auth holds no authentication request");
    }
    phase_one(wire::decode_auth(in, inner));
  }

  // From its second session on JDBC sends all it knows at once and waits for the rest. A client
  // takes the protocol reply too, which tells it that the server is another one by now.
  void resume_by_cookie(wire::Reader& in) {
    if (in.u8() != static_cast<std::uint8_t>(Message::kCookie)) {
      throw wire::BadMessage("a protocol request is followed by something else than a cookie");
    }
    const wire::SessionCookie cookie = wire::decode_cookie(in);
    if (in.u8() != static_cast<std::uint8_t>(Message::kDataTypes)) {
      throw wire::BadMessage("a session cookie is not followed by data types");
    }
    if (!cookie.is_of(profile_)) wire::encode_protocol(channel_.out(), profile_);
    settle(wire::decode_data_types(in));
    if (in.u8() != static_cast<std::uint8_t>(Message::kFunction)) {
      throw wire::BadMessage("a session cookie is not followed by authentication");
    }
    authenticate(in);
  }

  void authenticate(wire::Reader& in) {
    const wire::FunctionHeader header = wire::decode_function_header(in, login_.dialect);
    sequence_ = header.sequence;
    const bool one = header.function == Function::kAuthOne;
    if (!one && header.function != Function::kAuthTwo) {
      throw wire::BadMessage("function " + std::to_string(static_cast<int>(header.function)) +
                             " before log-in");
    }
    const AuthRequest request = wire::decode_auth(in, login_.dialect);
    if (one) return phase_one(request);
    try {
      phase_two(request);
    } catch (const OraError& error) {
      login_.session.reset();
      finish(error.code(), error.what());
    }
  }

  void phase_one(const AuthRequest& request) {
    // Only from here on: clients read each of the replies before from one packet.
    channel_.set_payload_limit(shared_.options.packet_payload);
    attributes_ = request;
    wire::encode_auth_pairs(channel_.out(), authenticator_.challenge(request.user));
    finish(0, {});
  }

  void phase_two(const AuthRequest& request) {
    authenticator_.check(request);
    const std::string& name = authenticator_.name();
    const bool as_administrator = (request.mode & 0x60) != 0;
    if (name == "SYS" && !as_administrator) {
      throw OraError(28009, "connection as SYS should be as SYSDBA or SYSOPER");
    }
    if (!authenticator_.account().can_create_session) {
      throw OraError(1045, "user " + name + " lacks CREATE SESSION privilege; logon denied");
    }
    authenticator_.renew(request);
    // Every database has this edition; no other can be made here.
    if (const std::string* edition = request.find("AUTH_ORA_EDITION");
        edition != nullptr && account_name(*edition) != "ORA$BASE") {
      throw OraError(38802, "edition does not exist");
    }
    open_session(request);
    wire::encode_auth_pairs(channel_.out(),
                            session_pairs(shared_, login_.dialect, *login_.session, login_.key));
    finish(0, {});
  }

  // Whose session it becomes: the user that logged in, or the one it stands for.
  std::string session_user(const AuthRequest& request) {
    const std::string* client = request.find("PROXY_CLIENT_NAME");
    if (client == nullptr) return authenticator_.name();
    std::string name = account_name(*client);
    const std::optional<UserInfo> account = shared_.database.find_user(name);
    if (!account || shared_.options.proxies.count({authenticator_.name(), name}) == 0) {
      throw OraError(28150, "proxy not authorized to connect as client");
    }
    if (account->locked) throw OraError(28000, "The account is locked.");
    return name;
  }

  [[nodiscard]] std::string attribute(std::string_view key) const {
    const std::string* value = attributes_.find(key);
    return value == nullptr ? std::string() : *value;
  }

  void open_session(const AuthRequest& request) {
    SessionIdentity identity;
    identity.user = session_user(request);
    identity.program = attribute("AUTH_PROGRAM_NM");
    identity.machine = attribute("AUTH_MACHINE");
    identity.os_user = attribute("AUTH_SID");
    identity.terminal = attribute("AUTH_TERMINAL");
    identity.process = attribute("AUTH_PID");
    identity.session_id = session_id_;
    identity.at_root = at_root_;
    if (at_root_ && !containers::is_common(identity.user)) {
      throw OraError(1017, "invalid username/password; logon denied");
    }
    identity.serial_number = 10000 + session_id_ * 7 % 50000;
    login_.user = authenticator_.name();
    login_.key = authenticator_.key();
    login_.session = shared_.database.connect(std::move(identity));
    if (const std::string* alter = request.find("AUTH_ALTER_SESSION")) {
      const std::string text = without_nul(*alter);
      if (!text.empty()) login_.session->prepare(text)->execute({}, {});
    }
  }

  void finish(int code, std::string_view text) {
    wire::CallStatus status;
    status.ora_code = code;
    status.text = text;
    status.call_number = sequence_;
    wire::encode_status(channel_.out(), login_.dialect, status);
    if (login_.dialect.end_of_response) {
      channel_.out().u8(static_cast<std::uint8_t>(Message::kEndOfResponse));
    }
    channel_.finish(login_.dialect.end_of_response ? wire::kFlagEndOfResponse : 0);
  }

  Channel& channel_;
  const Shared& shared_;
  std::uint32_t session_id_;
  std::uint32_t sdu_;
  bool native_services_;
  bool at_root_;
  std::uint16_t tns_version_;
  std::uint8_t sequence_ = 0;
  Login login_;
  Authenticator authenticator_;
  wire::ServerProfile profile_;
  AuthRequest attributes_;
};

}  // namespace

std::uint32_t version_number(std::string_view text, std::uint8_t field_version) {
  std::array<std::uint32_t, 5> parts{};
  const char* at = text.data();
  const char* end = at + text.size();
  for (std::uint32_t& part : parts) {
    const auto result = std::from_chars(at, end, part);
    at = result.ptr < end ? result.ptr + 1 : end;
  }
  if (field_version >= 11) {
    return parts[0] << 24 | parts[1] << 16 | parts[2] << 12 | parts[3] << 4 | parts[4];
  }
  return parts[0] << 24 | parts[1] << 20 | parts[2] << 12 | parts[3] << 8 | parts[4];
}

std::vector<KeyValue> session_pairs(const Shared& shared, const wire::Dialect& dialect,
                                    const Session& session, const wire::Bytes& key) {
  const SessionIdentity& identity = session.identity();
  const std::string& service = shared.options.service;
  const std::uint32_t version =
      version_number(shared.database.options().version, dialect.field_version);
  return {
      {"AUTH_VERSION_STRING", "- Production", 0},
      {"AUTH_VERSION_SQL", "24", 0},
      {"AUTH_XACTION_TRAITS", "3", 0},
      {"AUTH_VERSION_NO", std::to_string(version), 0},
      {"AUTH_VERSION_STATUS", "0", 0},
      {"AUTH_DBNAME", service, 0},
      {"AUTH_USER_ID", "100", 0},
      {"AUTH_SESSION_ID", std::to_string(identity.session_id), 0},
      {"AUTH_SERIAL_NUM", std::to_string(identity.serial_number), 0},
      {"AUTH_INSTANCE_NO", "1", 0},
      {"AUTH_SC_SERVER_HOST", "orasim", 0},
      {"AUTH_SC_DBUNIQUE_NAME", service, 0},
      {"AUTH_SC_REAL_DBUNIQUE_NAME", service, 0},
      {"AUTH_SC_INSTANCE_NAME", service, 0},
      {"AUTH_SC_DB_DOMAIN", "", 0},
      {"AUTH_SC_SERVICE_NAME", service, 0},
      {"AUTH_INSTANCENAME", service, 0},
      {"AUTH_NLS_LXLAN", "AMERICAN", 0},
      {"AUTH_NLS_LXCTERRITORY", "AMERICA", 0},
      {"AUTH_SVR_RESPONSE", wire::server_response(key, wire::random_bytes(16)), 0},
      {"AUTH_MAX_OPEN_CURSORS", "300", 0},
      {"AUTH_MAX_IDEN_LENGTH", dialect.field_version >= 8 ? "128" : "30", 0},
  };
}

Login log_in(Channel& channel, const Shared& shared, const ConnectOutcome& connect,
             std::uint32_t session_id) {
  return LoginTalk(channel, shared, connect, session_id).run();
}

}  // namespace orasim::server
