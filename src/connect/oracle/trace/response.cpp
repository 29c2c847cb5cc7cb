#include "connect/oracle/trace/response.h"

#include <algorithm>

#include "connect/oracle/trace/description.h"
#include "connect/oracle/trace/execute_request.h"
#include "connect/oracle/trace/lob_values.h"
#include "connect/oracle/trace/message_text.h"
#include "connect/oracle/trace/old_status.h"
#include "connect/oracle/trace/response_fields.h"
#include "connect/oracle/trace/row_values.h"
#include "connect/oracle/trace/scalar_text.h"

namespace wherry::oracle::trace {
namespace {

using wire::Message;

constexpr std::uint8_t kExecute = 94;
constexpr std::uint8_t kLobOperation = 96;
constexpr std::uint8_t kVersion = 59;
constexpr std::uint8_t kTransactionSwitch = 103;
constexpr std::uint8_t kTransactionChange = 104;
/// 9i returns numbers only.
constexpr std::uint8_t kListsVersion = 3;
constexpr std::uint8_t kModernStatusVersion = 7;
constexpr std::uint8_t kChecksumVersion = 14;
constexpr std::size_t kCapTtc1 = 15, kCapOci1 = 16, kCapTtc3 = 37;

bool is_auth(std::uint8_t function) {
  return function == 115 || function == 118;
}

class ResponseDecoder {
 public:
  ResponseDecoder(Session& session, ByteView bytes)
      : session_(session), in_(bytes, session.dialect.chunks), bytes_(bytes) {}

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
  void one_message(std::size_t start);

  void add(std::size_t start, Json fields) {
    if (in_.ok()) result_.messages.push_back({start, std::move(fields)});
  }

  Call& call() { return session_.current_call(); }
  Cursor& cursor() { return call().cursor; }

  void protocol(std::size_t start) {
    const wire::ProtocolReply reply = wire::decode_protocol(in_);
    if (!in_.ok()) return;
    const wire::Bytes& compile = reply.compile_capabilities;
    session_.server_capabilities = compile;
    session_.server_runtime = reply.runtime_capabilities;
    wire::Dialect& dialect = session_.dialect;
    dialect.database_charset = reply.charset;
    dialect.national_charset = reply.national_charset;
    dialect.chunks = (wire::capability(compile, kCapTtc3) & 0x20) != 0 ? wire::ChunkLength::kUb4
                                                                       : wire::ChunkLength::kUb1;
    dialect.long_strings = (wire::capability(reply.runtime_capabilities, 6) & 0x04) != 0;
    dialect.has_call_status = (wire::capability(compile, kCapTtc1) & 1) != 0;
    dialect.has_call_sequence = (wire::capability(compile, kCapOci1) & 1) != 0;
    settle_field_version();
    // The chunk form holds from the next message on.
    const std::size_t at = in_.position();
    in_ = Reader(bytes_, dialect.chunks);
    in_.skip(at);
    add(start, protocol_json(reply));
  }

  /// After a fast log-in the server's capabilities come when the client's are known.
  void settle_field_version() {
    if (session_.client_capabilities.empty()) return;
    session_.dialect.field_version =
        std::min(wire::capability(session_.client_capabilities, wire::kCapFieldVersion),
                 wire::capability(session_.server_capabilities, wire::kCapFieldVersion));
  }

  void data_types(std::size_t start) {
    constexpr std::uint8_t kZoneStart = 0x80;
    const bool zone = session_.is_negotiated
                          ? (wire::capability(session_.client_runtime, 1) & 1) != 0 &&
                                (wire::capability(session_.server_runtime, 1) & 1) != 0
                          : in_.remaining() > 0 && in_.peek() == kZoneStart;
    // The zone rules' version is all that follows when the list of types was sent before.
    constexpr std::size_t kZoneAndVersionBytes = 15;
    const bool zone_version =
        zone && ((wire::capability(session_.client_capabilities, kCapTtc3) & 0x02) != 0 ||
                 (!session_.is_negotiated && in_.remaining() == kZoneAndVersionBytes));
    const Reader begin = in_;
    wire::DataTypesReply reply = wire::decode_data_types(in_, zone, zone_version);
    if (in_.ok() && reply.types.empty() && in_.remaining() != 0 && !session_.is_negotiated) {
      return in_.fail("a list of data types that is empty");
    }
    if (!in_.ok()) {  // a list of single bytes: nothing follows it
      in_ = begin;
      in_.skip(in_.remaining());
    }
    add(start, Json{{"message", "data types"}, {"types", reply.types.size()}});
  }

  void end_of_call(std::size_t start) {
    const wire::CallResult result = read_call_result();
    if (!in_.ok()) return;
    const std::uint32_t id = result.cursor_id != 0 ? result.cursor_id : call().cursor_id;
    if (id != 0) session_.cursors[id] = cursor();
    if ((result.call_status & wire::kCallSessionReleased) != 0) session_.cursors.clear();
    add(start, call_result_json(result, session_));
    end_without_mark();
  }

  wire::CallResult read_call_result() {
    if (session_.dialect.field_version < kModernStatusVersion) {
      return decode_old_call_result(in_, session_.dialect);
    }
    if (session_.dialect.field_version < kChecksumVersion) {
      return wire::decode_call_result(in_, session_.dialect);
    }
    const Reader begin = in_;
    wire::CallResult result = read_call_result(session_.dialect.has_checksum);
    if (is_plausible_end(result)) return result;
    const Reader first = in_;
    in_ = begin;
    wire::CallResult other = read_call_result(!session_.dialect.has_checksum);
    if (is_plausible_end(other)) {
      session_.dialect.has_checksum = !session_.dialect.has_checksum;
      return other;
    }
    if (session_.is_negotiated) {
      in_ = begin;
      wire::CallResult longer = read_longer_call_result();
      if (is_plausible_end(longer)) return longer;
    }
    in_ = first;
    return result;
  }

  /// Newer servers may have more fields than are known: they are zero in all but rare cases.
  wire::CallResult read_longer_call_result() {
    constexpr int kMaxUnknownBytes = 8;
    wire::CallResult result = read_call_result(true);
    for (int i = 0; i < kMaxUnknownBytes && in_.ok() && in_.remaining() > 0 && in_.peek() == 0;
         ++i) {
      in_.skip(1);
    }
    if (in_.ok() && result.code != 0 && result.text.empty()) {
      result.text = in_.clr_text();
      while (!result.text.empty() && result.text.back() == '\n') result.text.pop_back();
    }
    return result;
  }

  wire::CallResult read_call_result(bool has_checksum) {
    wire::Dialect dialect = session_.dialect;
    dialect.has_checksum = has_checksum;
    return wire::decode_call_result(in_, dialect);
  }

  /// Nothing but the mark of the end, or the next response of a pipeline, follows a status.
  bool is_plausible_end(const wire::CallResult& result) {
    if (!in_.ok()) return false;
    if (result.code != 0 && result.text.empty()) return false;
    return session_.is_pipelined || in_.remaining() == 0 ||
           in_.peek() == static_cast<std::uint8_t>(Message::kEndOfResponse);
  }

  void status(std::size_t start) {
    const wire::CallStatus status = wire::decode_call_status(in_, session_.dialect);
    if (!in_.ok()) return;
    add(start, status_json(status));
    end_without_mark();
  }

  void end_without_mark() {
    if (!session_.dialect.end_of_response) end_response();
  }

  void end_response() {
    if (!session_.calls.empty()) session_.calls.pop_front();
  }

  void describe(std::size_t start) {
    wire::Description description = read_description(in_, session_);
    if (!in_.ok()) return;
    Json fields{{"message", "describe"}, {"columns", columns_json(description.columns)}};
    // Defines of an earlier statement do not fit another list of columns.
    if (cursor().defines.size() != description.columns.size()) cursor().defines.clear();
    cursor().columns = std::move(description.columns);
    add(start, std::move(fields));
  }

  void row_header(std::size_t start) {
    wire::RowHeader header = wire::decode_row_header(in_);
    if (!in_.ok()) return;
    call().bit_vector = std::move(header.bit_vector);
    Json fields{{"message", "row header"}};
    if (call().cursor_id != 0) fields["cursor"] = call().cursor_id;
    add(start, std::move(fields));
  }

  void bit_vector(std::size_t) {
    wire::BitVector vector = wire::decode_bit_vector(in_, cursor().columns.size());
    if (in_.ok()) call().bit_vector = std::move(vector.bits);
  }

  void row_data(std::size_t start) {
    if (is_out_data()) return out_data(start);
    if (cursor().columns.empty()) return in_.fail("rows of a cursor whose columns are not known");
    std::vector<Json> row = read_row(in_, session_, cursor(), call().bit_vector);
    if (!in_.ok()) return;
    call().bit_vector.clear();
    cursor().last_row = row;
    if (!joins_last_rows()) {
      Json fields{{"message", "row data"}};
      if (call().cursor_id != 0) fields["cursor"] = call().cursor_id;
      fields["rows"] = Json::array();
      add(start, std::move(fields));
    }
    result_.messages.back().fields["rows"].push_back(std::move(row));
  }

  bool joins_last_rows() const {
    return !result_.messages.empty() && result_.messages.back().fields["message"] == "row data";
  }

  /// Row data that carries OUT binds or RETURNING values, not a query's row.
  bool is_out_data() {
    if (!cursor().columns.empty()) return false;
    const auto is_out = [](wire::BindDirection d) { return d != wire::BindDirection::kIn; };
    const std::vector<wire::BindDirection>& directions = cursor().directions;
    const bool any_out = std::any_of(directions.begin(), directions.end(), is_out);
    return any_out || shape_of(cursor().sql).returning != 0;
  }

  void out_data(std::size_t start) {
    const std::size_t returning = shape_of(cursor().sql).returning;
    Json values = Json::array();
    const std::vector<Variable> binds = cursor().binds;
    const std::vector<wire::BindDirection> directions = cursor().directions;
    for (std::size_t i = 0; i < directions.size() || i < binds.size(); ++i) {
      const bool is_out = i < directions.size() ? directions[i] != wire::BindDirection::kIn
                                                : i + returning >= binds.size();
      if (!is_out || !in_.ok()) continue;
      if (i >= binds.size()) {
        values.push_back(out_cursor());
        continue;
      }
      values.push_back(returning != 0 ? out_values(binds[i], true)
                                      : out_values(binds[i], binds[i].is_array()));
    }
    add(start, Json{{"message", "out binds"}, {"out_binds", std::move(values)}});
  }

  /// Of values whose binds are not known only REF CURSORs say what they are.
  Json out_cursor() {
    Variable bind;
    bind.type = static_cast<std::uint8_t>(OracleType::kCursor);
    const Reader begin = in_;
    Json value = out_value(bind);
    if (in_.ok() && !value.is_null()) return value;
    in_ = begin;
    in_.fail("OUT values of binds that are not known");
    return nullptr;
  }

  Json out_values(const Variable& bind, bool is_list) {
    if (!is_list) return out_value(bind);
    Json list = Json::array();
    const std::uint32_t count = in_.ub4();
    for (std::uint32_t i = 0; i < count && in_.ok(); ++i) list.push_back(out_value(bind));
    return list;
  }

  Json out_value(const Variable& bind) {
    Json value = read_out_value(in_, session_, bind);
    const std::int32_t actual = in_.sb4();
    const bool is_null = actual == -1 && static_cast<OracleType>(bind.type) == OracleType::kBoolean;
    return is_null ? Json(nullptr) : value;
  }

  void io_vector(std::size_t start) {
    std::vector<wire::BindDirection> directions = wire::decode_io_vector(in_);
    if (in_.ok() && directions.empty()) in_.fail("directions of no binds");
    if (!in_.ok()) return;
    Json names = Json::array();
    for (const wire::BindDirection direction : directions) {
      names.push_back(direction == wire::BindDirection::kIn    ? "in"
                      : direction == wire::BindDirection::kOut ? "out"
                                                               : "in out");
    }
    cursor().directions = std::move(directions);
    add(start, Json{{"message", "bind directions"}, {"directions", std::move(names)}});
  }

  void parameters(std::size_t start) {
    const std::uint8_t function = call().function;
    if (function == 0) return parameters_of_unseen_call(start);
    if (is_auth(function)) return auth_parameters(start);
    if (function == kVersion) return version(start);
    if (function == kLobOperation) return lob_parameters(start);
    if (function == kTransactionSwitch) return transaction_context(start);
    if (function == kTransactionChange) return transaction_state(start);
    const bool counts = function == kExecute && call().wants_row_counts;
    add(start, return_parameters_json(read_return_parameters(counts)));
  }

  /// The request may lie before the capture's beginning: the first form is taken behind which the
  /// response goes on.
  void parameters_of_unseen_call(std::size_t start) {
    const Reader begin = in_;
    const std::vector<wire::KeyValue> pairs = wire::decode_key_values(in_);
    if (in_.ok() && !pairs.empty() && !pairs[0].key.empty()) {
      Json fields{{"message", "auth parameters"}};
      add_pairs(pairs, fields);
      return add(start, std::move(fields));
    }
    in_ = begin;
    const wire::ReturnParameters values = read_return_parameters(false);
    if (is_followed_by_message()) return add(start, return_parameters_json(values));
    in_ = begin;
    if (read_unseen_locator(start)) return;
    in_ = begin;
    add(start, return_parameters_json(read_return_parameters(false)));
  }

  bool is_followed_by_message() {
    if (!in_.ok() || in_.remaining() == 0) return in_.ok();
    const auto next = static_cast<Message>(in_.peek());
    return next == Message::kError || next == Message::kStatus ||
           next == Message::kServerPiggyback || next == Message::kWarning ||
           next == Message::kEndOfResponse;
  }

  /// A locator tells its own length, less the two bytes that do so.
  bool read_unseen_locator(std::size_t start) {
    const Reader begin = in_;
    const std::size_t bytes = std::size_t{in_.u16()} + 2;
    for (const bool has_amount : {true, false}) {
      in_ = begin;
      Json fields{{"message", "lob parameters"}};
      fields["locator"] = hex_text(wire::text_of(in_.raw(bytes)));
      if (has_amount) fields["amount"] = in_.sb8();
      if (!is_followed_by_message()) continue;
      add(start, std::move(fields));
      return true;
    }
    return false;
  }

  void transaction_context(std::size_t start) {
    Json fields{{"message", "transaction context"}, {"application_value", in_.ub4()}};
    fields["context"] = hex_text(wire::text_of(in_.raw(in_.ub2())));
    add(start, std::move(fields));
  }

  void transaction_state(std::size_t start) {
    add(start, Json{{"message", "transaction state"}, {"state", in_.ub4()}});
  }

  wire::ReturnParameters read_return_parameters(bool with_row_counts) {
    if (session_.dialect.field_version >= kListsVersion) {
      return wire::decode_return_parameters(in_, session_.dialect, with_row_counts);
    }
    wire::ReturnParameters result;
    const std::uint16_t count = in_.ub2();
    for (int i = 0; i < count && in_.ok(); ++i) result.values.push_back(in_.ub4());
    return result;
  }

  void auth_parameters(std::size_t start) {
    Json fields{{"message", "auth parameters"}};
    add_pairs(wire::decode_key_values(in_), fields);
    add(start, std::move(fields));
  }

  /// The banner has a length of its own where the client's texts have one.
  void version(std::size_t start) {
    const Reader begin = in_;
    const bool is_clr = session_.dialect.text_is_clr;
    Json fields = read_version(is_clr);
    if (!is_followed_by_message()) {
      in_ = begin;
      fields = read_version(!is_clr);
    }
    add(start, std::move(fields));
  }

  Json read_version(bool is_clr) {
    const std::uint16_t bytes = in_.ub2();
    const std::string banner = is_clr ? in_.clr_text() : std::string(wire::text_of(in_.raw(bytes)));
    return Json{{"message", "version"}, {"banner", to_json_text(banner)}, {"number", in_.ub4()}};
  }

  void lob_parameters(std::size_t start) {
    const LobCall& lob = call().lob;
    Json fields{{"message", "lob parameters"}};
    fields["locator"] = hex_text(wire::text_of(in_.raw(lob.locator.size())));
    if (lob.has_charset) fields["charset"] = in_.ub2();
    if (lob.has_amount) fields["amount"] = in_.sb8();
    if (lob.has_flag) fields["flag"] = lob_flag();
    add(start, std::move(fields));
  }

  /// One byte, or an integer with its length: 0 looks the same, and no message follows that has
  /// the number 1.
  bool lob_flag() {
    const bool is_set = in_.u8() != 0;
    if (is_set && in_.remaining() > 0 && in_.peek() == 1) in_.skip(1);
    return is_set;
  }

  void lob_data(std::size_t start) {
    const std::string data = in_.clr_text();
    add(start, Json{{"message", "lob data"},
                    {"bytes", data.size()},
                    {"data", lob_data_text(session_, call().lob.locator, data)}});
  }

  void implicit_results(std::size_t start) {
    const std::vector<wire::ImplicitResult> results =
        wire::decode_implicit_results(in_, session_.dialect);
    if (!in_.ok()) return;
    Json list = Json::array();
    for (const wire::ImplicitResult& result : results) {
      Cursor& opened = session_.cursors[result.cursor_id];
      opened = {};
      opened.columns = result.description.columns;
      list.push_back(Json{{"cursor", result.cursor_id},
                          {"columns", columns_json(result.description.columns)}});
    }
    add(start, Json{{"message", "implicit results"}, {"results", std::move(list)}});
  }

  void finish() {
    if (in_.ok()) return;
    const bool ran_out = in_.state() == wire::ParseState::kNeedMore;
    result_.ending = ran_out ? Ending::kPartial : Ending::kFailed;
    result_.problem = ran_out ? "the message ends early" : std::string(in_.problem());
  }

  Session& session_;
  Reader in_;
  ByteView bytes_;
  Decoded result_;
};

void ResponseDecoder::one_message(std::size_t start) {
  switch (static_cast<Message>(in_.u8())) {
    case Message::kProtocol:
      return protocol(start);
    case Message::kDataTypes:
      return data_types(start);
    case Message::kError:
      return end_of_call(start);
    case Message::kRowHeader:
      return row_header(start);
    case Message::kRowData:
      return row_data(start);
    case Message::kParameters:
      return parameters(start);
    case Message::kStatus:
      return status(start);
    case Message::kIoVector:
      return io_vector(start);
    case Message::kLobData:
      return lob_data(start);
    case Message::kWarning:
      return add(start, warning_json(wire::decode_warning(in_)));
    case Message::kDescribe:
      return describe(start);
    case Message::kFlushOutBinds:
      return add(start, Json{{"message", "flush out binds"}});
    case Message::kBitVector:
      return bit_vector(start);
    case Message::kServerPiggyback:
      return add(start, server_piggyback_json(wire::decode_server_piggyback(in_)));
    case Message::kImplicitResults:
      return implicit_results(start);
    case Message::kRenegotiate:
      return add(start, Json{{"message", "renegotiate"}});
    case Message::kEndOfResponse:
      end_response();
      return add(start, Json{{"message", "end of response"}});
    case Message::kToken:
      return add(start, Json{{"message", "token"}, {"token", in_.ub8()}});
    default:
      in_.fail("a response cannot hold this message type");
  }
}

}  // namespace

Decoded decode_response(Session& session, ByteView bytes) {
  return ResponseDecoder(session, bytes).run();
}

}  // namespace wherry::oracle::trace
