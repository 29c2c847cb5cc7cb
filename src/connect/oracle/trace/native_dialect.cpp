#include "connect/oracle/trace/native_dialect.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/guess.h"
#include "connect/oracle/trace/message_text.h"
#include "connect/oracle/trace/names.h"

namespace wherry::oracle::trace {
namespace {

using wire::Message;

/// A pointer that is present.
constexpr std::array<std::uint8_t, 8> kPointer = {0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
constexpr std::size_t kPointerBytes = kPointer.size();
constexpr std::size_t kMaxPairs = 1000;
/// Servers and clients of this dialect count the bytes of text as if each character took three.
constexpr std::uint32_t kMaxCharacterBytes = 4;

std::uint64_t u64_le(Reader& in) {
  const std::uint64_t low = in.u32_le();
  return low | std::uint64_t{in.u32_le()} << 32;
}

std::string counted(Reader& in) {
  return in.u32_le() != 0 ? in.clr_text() : std::string();
}

std::vector<wire::KeyValue> read_pairs(Reader& in, std::uint64_t count) {
  std::vector<wire::KeyValue> pairs;
  if (count > kMaxPairs) in.fail("more pairs than a log-in has");
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    wire::KeyValue pair;
    pair.key = counted(in);
    pair.value = counted(in);
    pair.flags = in.u32_le();
    if (in.ok()) pairs.push_back(std::move(pair));
  }
  return pairs;
}

Json native(Json fields) {
  fields["dialect"] = "native";
  return fields;
}

void read_auth(Reader& in, Json& fields) {
  wire::AuthMessage message;
  in.skip(kPointerBytes);
  in.u32_le();
  message.mode = in.u32_le();
  in.skip(kPointerBytes);
  const std::uint64_t count = u64_le(in);
  in.skip(2 * kPointerBytes);
  message.user = in.clr_text();
  if (!in.ok()) return;
  Reader pairs = in;
  message.pairs = read_pairs(pairs, count);
  if (pairs.ok()) in = pairs;
  add_auth_fields(message, fields);
}

bool is_plain_text(std::string_view bytes) {
  return is_utf8(bytes) && std::none_of(bytes.begin(), bytes.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 && std::isspace(byte) == 0;
         });
}

/// The statement stands behind pointers whose number varies: the first byte string is taken whose
/// length fits the announced one and that is text.
std::optional<std::string> find_sql(ByteView bytes, std::uint64_t announced_bytes) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Reader in(bytes.subspan(at), wire::ChunkLength::kUb1);
    std::string text = in.clr_text();
    if (!in.ok() || text.empty()) continue;
    const bool fits =
        text.size() <= announced_bytes && text.size() * kMaxCharacterBytes >= announced_bytes;
    while (!text.empty() && text.back() == '\0') text.pop_back();
    if (fits && !text.empty() && is_plain_text(text)) return text;
  }
  return std::nullopt;
}

/// Clients of the 11.2 kind send pointers and lengths as eight bytes, those of the 8i and 9.2 kind
/// one byte for a pointer and four for a length.
void read_execute(Reader& in, Session& session, Json& fields) {
  in.u32_le();  // options
  const std::uint32_t cursor = in.u32_le();
  const std::uint8_t pointer = in.u8();
  const bool is_wide = in.remaining() > 0 && in.peek() == kPointer[1];
  const bool has_sql = pointer != 0;
  if (is_wide) in.skip(kPointerBytes - 1);
  const std::uint64_t announced_bytes = is_wide ? u64_le(in) : in.u32_le();
  if (!in.ok()) return;
  if (cursor != 0) fields["cursor"] = cursor;
  if (!has_sql) return;
  const auto sql = find_sql(in.rest(), announced_bytes);
  if (!sql) return in.fail("the statement's text is not where it should be");
  fields["sql"] = to_utf8(*sql, session.client_charset);
}

/// Offset of the function behind a piggyback, whose length cannot be told.
std::optional<std::size_t> find_function(ByteView bytes) {
  for (std::size_t at = 1; at + 3 < bytes.size(); ++at) {
    if (bytes[at] == static_cast<std::uint8_t>(Message::kFunction) &&
        is_known_function(bytes[at + 1])) {
      return at;
    }
  }
  return std::nullopt;
}

void decode_request_at(Session& session, ByteView bytes, std::size_t start, Decoded& result) {
  Reader in(bytes.subspan(start), wire::ChunkLength::kUb1);
  in.skip(1);
  Call call;
  call.function = in.u8();
  Json fields{{"message", function_name(call.function)}, {"sequence", in.u8()}};
  if (call.function == 94) read_execute(in, session, fields);
  if (call.function == 115 || call.function == 118) read_auth(in, fields);
  if (!in.ok()) {
    result.used_bytes = start;
    result.ending = Ending::kFailed;
    result.problem = "the native integer form of thick clients";
    return;
  }
  session.calls.clear();
  session.calls.push_back(std::move(call));
  result.messages.push_back({start, native(std::move(fields))});
  result.used_bytes = bytes.size();
}

Decoded decode_native_request(Session& session, ByteView bytes) {
  Decoded result;
  std::size_t start = 0;
  if (bytes.empty()) return result;
  if (bytes[0] == static_cast<std::uint8_t>(Message::kPiggyback) && bytes.size() > 1) {
    result.messages.push_back(
        {0, native(Json{{"message", "piggyback " + function_name(bytes[1])}})});
    const auto function = find_function(bytes);
    result.used_bytes = bytes.size();
    if (!function) return result;
    start = *function;
  }
  decode_request_at(session, bytes, start, result);
  return result;
}

struct ErrorText {
  std::size_t start = 0;  ///< of the byte string
  std::uint32_t code = 0;
  std::string text;
};

/// "ORA-00942: …" as a byte string at the very end.
std::optional<ErrorText> find_error(ByteView bytes) {
  const std::string_view all = wire::text_of(bytes);
  const std::size_t found = all.find("ORA-");
  if (found == all.npos || found == 0) return std::nullopt;
  ErrorText error;
  error.start = found - 1;
  Reader in(bytes.subspan(error.start), wire::ChunkLength::kUb1);
  error.text = in.clr_text();
  if (!in.ok() || in.remaining() > 1 || error.text.size() < 9) return std::nullopt;
  for (const char digit : error.text.substr(4, 5)) {
    if (std::isdigit(static_cast<unsigned char>(digit)) == 0) return std::nullopt;
    error.code = error.code * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  while (!error.text.empty() && error.text.back() == '\n') error.text.pop_back();
  return error;
}

void add_dark(ByteView bytes, std::size_t start, std::size_t end, Decoded& result) {
  if (start >= end) return;
  Json fields =
      undecoded("the native integer form of thick clients", bytes.subspan(start, end - start));
  fields["type"] = describe_start(bytes.subspan(start), Direction::kServer);
  result.messages.push_back({start, native(std::move(fields))});
}

bool reads_auth_reply(ByteView bytes, Decoded& result, std::size_t& used) {
  Reader in(bytes, wire::ChunkLength::kUb1);
  if (in.u8() != static_cast<std::uint8_t>(Message::kParameters)) return false;
  const std::vector<wire::KeyValue> pairs = read_pairs(in, in.u16_le());
  if (!in.ok() || pairs.empty() || pairs[0].key.rfind("AUTH_", 0) != 0) return false;
  Json fields{{"message", "auth parameters"}};
  add_pairs(pairs, fields);
  result.messages.push_back({0, native(std::move(fields))});
  used = in.position();
  return true;
}

Decoded decode_response(ByteView bytes) {
  Decoded result;
  result.used_bytes = bytes.size();
  std::size_t dark = 0;
  reads_auth_reply(bytes, result, dark);
  const ByteView rest = bytes.subspan(dark);
  const auto error = find_error(rest);
  const auto type = [&] { return static_cast<Message>(rest[0]); };
  if (error) {
    const bool is_alone = type() == Message::kError;
    if (!is_alone) add_dark(bytes, dark, dark + error->start, result);
    Json fields{{"message", "error"}, {"error", {{"code", error->code}, {"text", error->text}}}};
    result.messages.push_back({is_alone ? dark : dark + error->start, native(std::move(fields))});
  } else if (!rest.empty() && (type() == Message::kError || type() == Message::kStatus)) {
    const bool is_status = type() == Message::kStatus;
    result.messages.push_back(
        {dark, native(Json{{"message", is_status ? "status" : "end of call"}})});
  } else {
    add_dark(bytes, dark, bytes.size(), result);
  }
  return result;
}

/// A variable-length integer has at most eight bytes behind the one that counts them; options of
/// four fixed bytes begin with their lowest one.
bool has_fixed_options(ByteView bytes) {
  constexpr std::uint8_t kExecute = 94, kMaxCount = 8, kNegative = 0x80;
  return bytes.size() > 7 && bytes[0] == static_cast<std::uint8_t>(Message::kFunction) &&
         bytes[1] == kExecute && (bytes[3] & ~kNegative) > kMaxCount && bytes[6] == 0;
}

}  // namespace

bool is_native_request(ByteView bytes) {
  if (has_fixed_options(bytes)) return true;
  constexpr std::size_t kWhereHeadersEnd = 32;
  const auto is = [&](Message type) { return bytes[0] == static_cast<std::uint8_t>(type); };
  if (bytes.empty() || (!is(Message::kFunction) && !is(Message::kPiggyback))) return false;
  const ByteView head = bytes.first(std::min(bytes.size(), kWhereHeadersEnd));
  return std::search(head.begin(), head.end(), kPointer.begin(), kPointer.end()) != head.end();
}

Decoded decode_native(Session& session, ByteView bytes, Direction direction) {
  return direction == Direction::kServer ? decode_response(bytes)
                                         : decode_native_request(session, bytes);
}

}  // namespace wherry::oracle::trace
