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
                                      std::string_view proxy_target,
                                      std::string_view connect_string) {
  // Instants must not depend on where Wherry runs. The NUL belongs to the value.
  static constexpr std::string_view kSetTimeZone("ALTER SESSION SET TIME_ZONE='+00:00'\0", 37);
  std::vector<KeyValue> pairs;
  if (!proxy_target.empty()) pairs.push_back({"PROXY_CLIENT_NAME", std::string(proxy_target), 0});
  pairs.push_back({"AUTH_SESSKEY", proof.session_key, 1});
  if (!proof.speedy_key.empty()) {
    pairs.push_back({"AUTH_PBKDF2_SPEEDY_KEY", proof.speedy_key, 0});
  }
  pairs.push_back({"AUTH_PASSWORD", proof.password, 0});
  pairs.push_back({"SESSION_CLIENT_CHARSET", std::to_string(kCharsetAl32Utf8), 0});
  pairs.push_back({"SESSION_CLIENT_DRIVER_NAME", identity.driver_name, 0});
  pairs.push_back({"SESSION_CLIENT_VERSION", std::to_string(identity.driver_version), 0});
  pairs.push_back({"AUTH_ALTER_SESSION", std::string(kSetTimeZone), 1});
  if (!connect_string.empty()) {
    pairs.push_back({"AUTH_CONNECT_STRING", std::string(connect_string), 0});
  }
  return pairs;
}

}  // namespace wherry::oracle::wire
