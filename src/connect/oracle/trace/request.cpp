#include "connect/oracle/trace/request.h"

#include "connect/oracle/trace/execute_request.h"
#include "connect/oracle/trace/handshake_request.h"
#include "connect/oracle/trace/lob_values.h"
#include "connect/oracle/trace/message_text.h"
#include "connect/oracle/trace/names.h"
#include "connect/oracle/trace/piggyback.h"
#include "connect/oracle/trace/scalar_text.h"

namespace wherry::oracle::trace {
namespace {

constexpr std::uint8_t kPipelineBegin = 199;
constexpr std::uint8_t kPipelineEnd = 200;

/// From here on LOB offsets and amounts have 64 bits.
constexpr std::uint8_t kWideLobVersion = 3;
constexpr std::uint8_t kLobArrayVersion = 4;
constexpr std::uint8_t kLobDataByte = 0x0E;

void apply_data_types(Session& session, const wire::DataTypesRequest& request) {
  session.client_charset = request.charset;
  session.client_capabilities = request.compile_capabilities;
  session.client_runtime = request.runtime_capabilities;
  wire::ProtocolReply server;
  server.compile_capabilities = session.server_capabilities;
  server.runtime_capabilities = session.server_runtime;
  server.charset = session.dialect.database_charset;
  server.national_charset = session.dialect.national_charset;
  // The server's half is not known yet in a fast log-in; its own reply settles it again.
  if (server.compile_capabilities.empty()) {
    server.compile_capabilities = request.compile_capabilities;
  }
  const wire::Dialect before = session.dialect;
  session.dialect = wire::negotiate(server, request, before.tns_version, before.end_of_response);
  session.dialect.has_call_status = before.has_call_status;
  session.dialect.has_call_sequence = before.has_call_sequence;
  if (request.types.empty()) session.dialect.wide_scale = true;
  session.is_negotiated = true;
}

class RequestDecoder {
 public:
  RequestDecoder(Session& session, ByteView bytes)
      : session_(session), in_(bytes, session.dialect.chunks) {}

  Decoded run() {
    while (in_.ok() && in_.remaining() > 0) {
      const std::size_t start = in_.position();
      one_message(start);
      if (in_.ok()) result_.used_bytes = in_.position();
    }
    finish();
    return std::move(result_);
  }

 private:
  void one_message(std::size_t start) {
    const std::uint8_t type = in_.u8();
    switch (static_cast<wire::Message>(type)) {
      case wire::Message::kProtocol:
        return protocol(start);
      case wire::Message::kDataTypes:
        return data_types(start);
      case wire::Message::kFastAuth:
        return fast_auth(start);
      case wire::Message::kCookie:
        return cookie(start);
      case wire::Message::kFunction:
        return function(start, "");
      case wire::Message::kOneWay:
        return function(start, "one-way ");
      case wire::Message::kPiggyback:
        return piggyback(start);
      case wire::Message::kFlushOutBinds:
        return add(start, Json{{"message", "flush out binds"}});
      default:
        in_.fail("a request cannot start with this message type");
    }
  }

  void add(std::size_t start, Json fields) {
    if (in_.ok()) result_.messages.push_back({start, std::move(fields)});
  }

  void protocol(std::size_t start) {
    const wire::ProtocolRequest request = decode_protocol_request(in_);
    add(start, Json{{"message", "protocol"}, {"driver", to_json_text(request.driver_name)}});
  }

  void data_types(std::size_t start) {
    const wire::DataTypesRequest request =
        decode_data_types_request(in_, session_.server_capabilities);
    if (!in_.ok()) return;
    apply_data_types(session_, request);
    add(start, Json{{"message", "data types"},
                    {"charset", request.charset},
                    {"field_version",
                     wire::capability(request.compile_capabilities, wire::kCapFieldVersion)},
                    {"types", request.types.size()}});
  }

  /// Stands between protocol and data types, which follow without waiting for an answer.
  void cookie(std::size_t start) {
    ConnectionCookie cookie = decode_cookie(in_);
    if (!in_.ok()) return;
    Json fields{
        {"message", "connection cookie"},
        {"banner", to_json_text(cookie.banner)},
        {"charset", cookie.charset},
        {"national_charset", cookie.national_charset},
        {"field_version", wire::capability(cookie.compile_capabilities, wire::kCapFieldVersion)}};
    session_.dialect.database_charset = cookie.charset;
    session_.dialect.national_charset = cookie.national_charset;
    session_.server_capabilities = std::move(cookie.compile_capabilities);
    session_.server_runtime = std::move(cookie.runtime_capabilities);
    add(start, std::move(fields));
  }

  /// Several messages in one: they are taken apart, so that none is read twice when bytes lack.
  void fast_auth(std::size_t start) {
    in_.skip(3);
    if (in_.u8() != static_cast<std::uint8_t>(wire::Message::kProtocol)) in_.fail("no protocol");
    const std::size_t protocol_start = in_.position() - 1;
    const wire::ProtocolRequest protocol_request = decode_protocol_request(in_);
    in_.skip(5);
    const std::uint8_t inner_version = in_.u8();
    const std::size_t types_start = in_.position();
    if (in_.u8() != static_cast<std::uint8_t>(wire::Message::kDataTypes)) in_.fail("no types");
    const wire::DataTypesRequest types = decode_data_types_request(in_, {});
    const std::size_t auth_start = in_.position();
    in_.skip(2);
    const std::uint8_t sequence = in_.u8();
    if (inner_version >= 18) in_.ub8();
    const bool is_clr = (types.encoding_flags & 0x02) != 0;
    const wire::AuthMessage auth = decode_auth_request(in_, wire::AuthPhase::kOne, is_clr);
    if (!in_.ok()) return;
    apply_data_types(session_, types);
    Call call;
    call.function = static_cast<std::uint8_t>(wire::AuthPhase::kOne);
    session_.calls.push_back(std::move(call));
    add(start, Json{{"message", "fast auth"}});
    add(protocol_start,
        Json{{"message", "protocol"}, {"driver", to_json_text(protocol_request.driver_name)}});
    add(types_start, Json{{"message", "data types"},
                          {"charset", types.charset},
                          {"field_version",
                           wire::capability(types.compile_capabilities, wire::kCapFieldVersion)},
                          {"types", types.types.size()}});
    Json fields{{"message", "auth phase one"}, {"sequence", sequence}};
    add_auth_fields(auth, fields);
    add(auth_start, std::move(fields));
  }

  void function(std::size_t start, const char* prefix) {
    Call call;
    call.function = in_.u8();
    Json fields{{"message", prefix + function_name(call.function)}, {"sequence", in_.u8()}};
    if (session_.dialect.has_token()) in_.ub8();
    body(call, fields);
    if (!in_.ok()) return;
    if (call.function == kPipelineEnd) session_.is_pipelined = false;
    session_.calls.push_back(std::move(call));
    add(start, std::move(fields));
  }

  void body(Call& call, Json& fields) {
    switch (call.function) {
      case 4:
      case 78:
        return decode_reexecute(in_, session_, call, fields);
      case 5:
        return decode_fetch(in_, session_, call, fields);
      case 94:
        return decode_execute(in_, session_, call, fields);
      case 96:
        return lob_operation(call, fields);
      case 115:
      case 118:
        return auth(call, fields);
      case 59:
        return version_request();
      case 9:
      case 14:
      case 15:
      case 147:
        return;
      default:
        return unknown_body(fields);
    }
  }

  void auth(const Call& call, Json& fields) {
    add_auth_fields(decode_auth_request(in_, static_cast<wire::AuthPhase>(call.function),
                                        session_.dialect.text_is_clr),
                    fields);
  }

  void version_request() {
    in_.skip(1);
    in_.ub4();
    in_.skip(2);
    if (session_.dialect.field_version >= 11) in_.ub4();
  }

  /// The layout is not known, so neither is its end: the rest of the request belongs to it.
  void unknown_body(Json& fields) {
    const ByteView rest = in_.rest();
    if (!rest.empty()) fields["hex"] = hex_text(wire::text_of(rest));
    in_.skip(rest.size());
  }

  void lob_operation(Call& call, Json& fields) {
    const bool has_source = in_.u8() != 0;
    const std::uint32_t source_bytes = in_.ub4();
    const bool has_destination = in_.u8() != 0;
    const std::uint32_t destination_bytes = in_.ub4();
    std::uint64_t offset = in_.ub4();
    in_.ub4();
    call.lob.has_charset = in_.u8() != 0;
    call.lob.has_amount = in_.u8() != 0;
    call.lob.has_flag = in_.u8() != 0;
    call.lob.operation = in_.ub4();
    if (in_.ok() && call.lob.operation == 0) return in_.fail("a LOB operation without a number");
    in_.skip(1);
    const std::uint32_t scn_words = in_.ub4();
    if (session_.dialect.field_version >= kWideLobVersion) {
      offset = in_.ub8();
      in_.ub8();
      call.lob.has_amount = in_.u8() != 0;
    }
    if (session_.dialect.field_version >= kLobArrayVersion) in_.skip(6);
    if (has_source) call.lob.locator = wire::text_of(in_.raw(source_bytes));
    if (has_destination) call.lob.locator += wire::text_of(in_.raw(destination_bytes));
    const std::uint16_t charset = call.lob.has_charset ? in_.ub2() : std::uint16_t{0};
    for (std::uint32_t i = 0; i < scn_words && in_.ok(); ++i) in_.ub4();
    fields["operation"] = lob_operation_name(call.lob.operation);
    fields["locator"] = hex_text(call.lob.locator);
    if (offset != 0) fields["offset"] = offset;
    if (charset != 0) fields["charset"] = charset;
    written_lob_data(call, fields);
    if (call.lob.has_amount) fields["amount"] = in_.ub8();
    written_lob_data(call, fields);
  }

  /// Some drivers send the amount before the data.
  void written_lob_data(const Call& call, Json& fields) {
    if (!in_.ok() || in_.remaining() == 0 || in_.peek() != kLobDataByte) return;
    in_.skip(1);
    fields["data"] = lob_data_text(session_, call.lob.locator, in_.clr_text());
  }

  void piggyback(std::size_t start) {
    const std::uint8_t number = in_.u8();
    Json fields{{"message", "piggyback " + function_name(number)}, {"sequence", in_.u8()}};
    if (session_.dialect.has_token()) in_.ub8();
    decode_piggyback(in_, session_, number, fields);
    if (in_.ok() && number == kPipelineBegin) session_.is_pipelined = true;
    add(start, std::move(fields));
  }

  void finish() {
    if (in_.ok()) return;
    const bool ran_out = in_.state() == wire::ParseState::kNeedMore;
    result_.ending = ran_out ? Ending::kPartial : Ending::kFailed;
    result_.problem = ran_out ? "the message ends early" : std::string(in_.problem());
  }

  Session& session_;
  Reader in_;
  Decoded result_;
};

}  // namespace

Decoded decode_request(Session& session, ByteView bytes) {
  if (!session.is_pipelined) session.calls.clear();
  return RequestDecoder(session, bytes).run();
}

}  // namespace wherry::oracle::trace
