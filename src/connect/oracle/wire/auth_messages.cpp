// The two log-in requests and their key-value pairs.
#include "connect/oracle/wire/auth.h"

namespace wherry::oracle::wire {

Bytes encode_auth(const AuthMessage& message, const Dialect& dialect) {
  Writer out(dialect.chunks);
  out.u8(static_cast<std::uint8_t>(Message::kFunction));
  out.u8(static_cast<std::uint8_t>(message.phase));
  out.u8(message.sequence);
  if (dialect.has_token()) out.ub8(0);
  out.u8(message.user.empty() ? 0 : 1);
  out.ub4(static_cast<std::uint32_t>(message.user.size()));
  out.ub4(message.mode);
  out.u8(1);
  out.ub4(static_cast<std::uint32_t>(message.pairs.size()));
  out.u8(message.second_pointer);
  out.u8(1);
  if (!message.user.empty()) {
    if (dialect.text_is_clr) {
      out.clr(message.user);
    } else {
      out.raw(message.user);
    }
  }
  for (const KeyValue& pair : message.pairs) {
    out.dlc(pair.key);
    out.dlc(pair.value);
    out.ub4(pair.flags);
  }
  return out.take();
}

std::vector<KeyValue> phase_one_pairs(const ClientIdentity& identity) {
  return {{"AUTH_TERMINAL", identity.terminal, 0},
          {"AUTH_PROGRAM_NM", identity.program, 0},
          {"AUTH_MACHINE", identity.machine, 0},
          {"AUTH_PID", identity.process_id, 0},
          {"AUTH_SID", identity.os_user, 0}};
}

std::vector<KeyValue> phase_two_pairs(const ClientIdentity& identity, const LoginProof& proof,
                                      const LoginWishes& wishes) {
  // Results must not depend on where Wherry or the server runs. The NUL belongs to the value.
  static constexpr char kSetSession[] =
      "ALTER SESSION SET NLS_LANGUAGE='AMERICAN' NLS_TERRITORY='AMERICA' TIME_ZONE='+00:00'";
  std::vector<KeyValue> pairs;
  const auto add = [&](const char* key, const std::string& value, std::uint32_t flags = 0) {
    if (!value.empty()) pairs.push_back({key, value, flags});
  };
  add("PROXY_CLIENT_NAME", wishes.proxy_target);
  add("AUTH_SESSKEY", proof.session_key, 1);
  add("AUTH_PBKDF2_SPEEDY_KEY", proof.speedy_key);
  add("AUTH_PASSWORD", proof.password);
  add("AUTH_NEWPASSWORD", proof.new_password);
  add("SESSION_CLIENT_CHARSET", std::to_string(kCharsetAl32Utf8));
  add("SESSION_CLIENT_DRIVER_NAME", identity.driver_name);
  add("SESSION_CLIENT_VERSION", std::to_string(identity.driver_version));
  add("AUTH_ALTER_SESSION", std::string(kSetSession, sizeof kSetSession), 1);
  add("AUTH_ORA_EDITION", wishes.edition);
  add("AUTH_CONNECT_STRING", wishes.connect_string);
  return pairs;
}

}  // namespace wherry::oracle::wire
