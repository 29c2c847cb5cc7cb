#include "server/login.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include "engine/error.h"
#include "wire/request.h"
#include "wire/response.h"

namespace orasim::server {

namespace {

using wire::AuthRequest;
using wire::Function;
using wire::KeyValue;
using wire::Message;

std::uint8_t field_version_of(Emulation emulation) {
  switch (emulation) {
    case Emulation::k12c:
      return 9;
    case Emulation::k19c:
      return 12;
    case Emulation::k23ai:
      return 24;
  }
  return 12;
}

// Unquoted names are upper case; a quoted one is taken as it is.
std::string account_name(std::string_view typed) {
  if (typed.size() >= 2 && typed.front() == '"' && typed.back() == '"') {
    return std::string(typed.substr(1, typed.size() - 2));
  }
  std::string name(typed);
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

// "19.22.0.0.0" as AUTH_VERSION_NO; the packing changed with field version 11 (18c).
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

std::string without_nul(std::string text) {
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

class LoginTalk {
 public:
  LoginTalk(Channel& channel, const Shared& shared, const ConnectOutcome& connect,
            std::uint32_t session_id)
      : channel_(channel), shared_(shared), session_id_(session_id) {
    profile_.field_version = field_version_of(shared.options.emulation);
    profile_.end_of_response =
        shared.options.emulation == Emulation::k23ai && connect.version >= 319;
    if (shared.options.verifier == wire::Verifier::k11gPlain) profile_.logon_types &= ~0x20;
  }

  Login run() {
    while (!login_.session) answer_one();
    return std::move(login_);
  }

 private:
  void answer_one() {
    wire::Bytes buffer;
    wire::Reader in(buffer, channel_);
    const std::uint8_t type = in.peek();
    if (type == (wire::kAnoMagic >> 24)) {
      wire::skip_ano_request(in);
      wire::encode_ano_nothing_offered(channel_.out());
      channel_.finish(0);
      return;
    }
    in.skip(1);
    switch (static_cast<Message>(type)) {
      case Message::kProtocol:
        wire::decode_protocol(in);
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

  void settle(const wire::DataTypesRequest& request) {
    wire::Dialect& dialect = login_.dialect;
    const std::uint8_t client = request.capability(7);
    if (client < 7) throw wire::BadMessage("clients older than 12.1 are not served");
    dialect.field_version = std::min(client, profile_.field_version);
    dialect.text_is_clr = (request.encoding_flags & 0x02) != 0;
    dialect.scale_is_sb2 = request.representation_of(27) == 1;
    dialect.end_of_response = profile_.end_of_response && (request.capability(40) & 0x20) != 0;
    wire::encode_data_types(channel_.out(), request);
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
    if (header.function != Function::kAuthOne) {
      throw wire::BadMessage("fast auth holds no authentication request");
    }
    phase_one(wire::decode_auth(in, inner));
  }

  void authenticate(wire::Reader& in) {
    const wire::FunctionHeader header = wire::decode_function_header(in, login_.dialect);
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
    attributes_ = request;
    name_ = account_name(request.user);
    account_ = shared_.database.find_user(name_);
    // Unknown users get a challenge like anybody else; it just cannot be met.
    challenge_.emplace(shared_.options.verifier,
                       account_ ? account_->password : wire::to_hex(wire::random_bytes(16)),
                       wire::random_bytes);
    std::vector<KeyValue> pairs{
        {"AUTH_SESSKEY", challenge_->session_key_hex(), 0},
        {"AUTH_VFR_DATA", challenge_->salt_hex(), wire::verifier_number(challenge_->verifier())}};
    if (challenge_->verifier() != wire::Verifier::k11gPlain) {
      pairs.push_back({"AUTH_PBKDF2_CSK_SALT", challenge_->key_salt_hex(), 0});
      pairs.push_back({"AUTH_PBKDF2_VGEN_COUNT", std::to_string(challenge_->kVerifierRounds), 0});
      pairs.push_back({"AUTH_PBKDF2_SDER_COUNT", std::to_string(challenge_->kKeyRounds), 0});
    }
    pairs.push_back({std::string("AUTH_GLOBALLY_UNIQUE_DBID\0", 26),
                     "A3D9C1F05E7B42688B1D60F2C4E79A15", 0});
    wire::encode_auth_pairs(channel_.out(), pairs);
    finish(0, {});
  }

  void phase_two(const AuthRequest& request) {
    if (account_ && account_->locked) throw OraError(28000, "The account is locked.");
    check_password(request);
    const bool as_administrator = (request.mode & 0x60) != 0;
    if (name_ == "SYS" && !as_administrator) {
      throw OraError(28009, "connection as SYS should be as SYSDBA or SYSOPER");
    }
    if (request.find("PROXY_CLIENT_NAME") != nullptr) {
      throw OraError(28150, "proxy not authorized to connect as client");
    }
    if (!account_->can_create_session) {
      throw OraError(1045, "user " + name_ + " lacks CREATE SESSION privilege; logon denied");
    }
    renew_password(request);
    open_session(request);
    wire::encode_auth_pairs(channel_.out(), session_pairs());
    finish(0, {});
  }

  void check_password(const AuthRequest& request) {
    const std::string* session_key = request.find("AUTH_SESSKEY");
    const std::string* password = request.find("AUTH_PASSWORD");
    if (!challenge_ || session_key == nullptr || password == nullptr) deny();
    login_.key = challenge_->combined_key(*session_key);
    const std::optional<std::string> given = wire::decrypt_password(login_.key, *password);
    if (!account_ || !given || !wire::same_secret(*given, account_->password)) deny();
  }

  [[noreturn]] static void deny() {
    throw OraError(1017, "invalid username/password; logon denied");
  }

  void renew_password(const AuthRequest& request) {
    const std::string* renewed = request.find("AUTH_NEWPASSWORD");
    if (renewed == nullptr) {
      if (account_->expired) throw OraError(28001, "the account has expired");
      return;
    }
    const std::optional<std::string> clear = wire::decrypt_password(login_.key, *renewed);
    if (!clear || clear->empty()) throw OraError(988, "missing or invalid password(s)");
    shared_.database.change_password(name_, *clear);
  }

  [[nodiscard]] std::string attribute(std::string_view key) const {
    const std::string* value = attributes_.find(key);
    return value == nullptr ? std::string() : *value;
  }

  void open_session(const AuthRequest& request) {
    SessionIdentity identity;
    identity.user = name_;
    identity.program = attribute("AUTH_PROGRAM_NM");
    identity.machine = attribute("AUTH_MACHINE");
    identity.os_user = attribute("AUTH_SID");
    identity.terminal = attribute("AUTH_TERMINAL");
    identity.process = attribute("AUTH_PID");
    identity.session_id = session_id_;
    identity.serial_number = serial_number();
    login_.user = name_;
    login_.session = shared_.database.connect(std::move(identity));
    if (const std::string* alter = request.find("AUTH_ALTER_SESSION")) {
      const std::string text = without_nul(*alter);
      if (!text.empty()) login_.session->prepare(text)->execute({}, {});
    }
  }

  [[nodiscard]] std::uint32_t serial_number() const { return 10000 + session_id_ * 7 % 50000; }

  [[nodiscard]] std::vector<KeyValue> session_pairs() const {
    const DatabaseOptions& database = shared_.database.options();
    const std::string& service = shared_.options.service;
    const bool long_names = login_.dialect.field_version >= 8;
    return {
        {"AUTH_VERSION_STRING", "- Production", 0},
        {"AUTH_VERSION_SQL", "24", 0},
        {"AUTH_XACTION_TRAITS", "3", 0},
        {"AUTH_VERSION_NO",
         std::to_string(version_number(database.version, login_.dialect.field_version)), 0},
        {"AUTH_VERSION_STATUS", "0", 0},
        {"AUTH_DBNAME", service, 0},
        {"AUTH_USER_ID", "100", 0},
        {"AUTH_SESSION_ID", std::to_string(session_id_), 0},
        {"AUTH_SERIAL_NUM", std::to_string(serial_number()), 0},
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
        {"AUTH_SVR_RESPONSE", wire::server_response(login_.key, wire::random_bytes(16)), 0},
        {"AUTH_MAX_OPEN_CURSORS", "300", 0},
        {"AUTH_MAX_IDEN_LENGTH", long_names ? "128" : "30", 0},
    };
  }

  void finish(int code, std::string_view text) {
    wire::CallStatus status;
    status.ora_code = code;
    status.text = text;
    wire::encode_status(channel_.out(), login_.dialect, status);
    if (login_.dialect.end_of_response) {
      channel_.out().u8(static_cast<std::uint8_t>(Message::kEndOfResponse));
    }
    channel_.finish(login_.dialect.end_of_response ? wire::kFlagEndOfResponse : 0);
  }

  Channel& channel_;
  const Shared& shared_;
  std::uint32_t session_id_;
  wire::ServerProfile profile_;
  Login login_;
  std::string name_;
  AuthRequest attributes_;
  std::optional<UserInfo> account_;
  std::optional<wire::Challenge> challenge_;
};

}  // namespace

Login log_in(Channel& channel, const Shared& shared, const ConnectOutcome& connect,
             std::uint32_t session_id) {
  return LoginTalk(channel, shared, connect, session_id).run();
}

}  // namespace orasim::server
