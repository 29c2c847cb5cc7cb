#include "wire/request.h"

namespace orasim::wire {

namespace {

constexpr std::uint32_t kMaxCount = 1u << 20;

std::uint32_t bounded(std::uint32_t count, const char* what) {
  if (count > kMaxCount) throw BadMessage(std::string(what) + " is out of bounds");
  return count;
}

}  // namespace

std::string sized_text(Reader& in, const Dialect& dialect, std::uint32_t bytes) {
  if (bytes == 0) return {};
  return dialect.text_is_clr ? in.clr_text() : std::string(as_text(in.raw(bytes)));
}

FunctionHeader decode_function_header(Reader& in, const Dialect& dialect) {
  FunctionHeader header;
  header.function = static_cast<Function>(in.u8());
  header.sequence = in.u8();
  if (dialect.has_token()) header.token = in.ub8();
  return header;
}

namespace {

std::vector<std::uint32_t> cursor_list(Reader& in) {
  in.skip(1);
  const std::uint32_t n = bounded(in.ub4(), "cursor list");
  std::vector<std::uint32_t> ids;
  for (std::uint32_t i = 0; i < n; ++i) ids.push_back(in.ub4());
  return ids;
}

// One text of the end-to-end piggyback: pointer and length come first, all contents last.
struct PendingText {
  bool present = false;
  std::uint32_t length = 0;
  void read_head(Reader& in) {
    present = in.u8() != 0;
    length = in.ub4();
  }
  std::optional<std::string> read(Reader& in, const Dialect& dialect) const {
    if (!present) return std::nullopt;
    return sized_text(in, dialect, length);
  }
};

constexpr std::uint8_t kOperationVersion = 7;  // 12.1

void end_to_end(Reader& in, const Dialect& dialect, Piggyback& out) {
  in.skip(2);
  const std::uint32_t flags = in.ub4();
  PendingText identifier, module, action, context, info, unused_a, unused_b, operation;
  identifier.read_head(in);
  module.read_head(in);
  action.read_head(in);
  context.read_head(in);
  in.skip(1);
  in.ub4();
  info.read_head(in);
  unused_a.read_head(in);
  unused_b.read_head(in);
  if (dialect.field_version >= kOperationVersion) operation.read_head(in);
  out.client_identifier = identifier.read(in, dialect);
  out.module = module.read(in, dialect);
  out.action = action.read(in, dialect);
  context.read(in, dialect);
  out.client_info = info.read(in, dialect);
  unused_a.read(in, dialect);
  unused_b.read(in, dialect);
  operation.read(in, dialect);
  if ((flags & 0x08) == 0) out.module.reset();
  if ((flags & 0x10) == 0) out.action.reset();
}

// JDBC tells which of its features were used; nothing depends on it.
void client_features(Reader& in, const Dialect& dialect) {
  in.skip(1);
  const std::uint32_t length = bounded(in.ub4(), "client features");
  in.skip(1);
  sized_text(in, dialect, length);
}

void app_context(Reader& in, const Dialect& dialect) {
  in.skip(1);
  const std::uint32_t name_length = in.ub4();
  in.skip(1);
  const std::uint32_t pairs = bounded(in.ub4(), "application context");
  in.ub2();
  in.skip(1);
  sized_text(in, dialect, name_length);
  for (std::uint32_t i = 0; i < pairs; ++i) {
    in.skip_dlc();
    in.skip_dlc();
    in.ub4();
  }
}

std::string next_locator(Reader& in) {
  const ByteView head = in.raw(2);
  const std::size_t rest = static_cast<std::size_t>(head[0]) << 8 | head[1];
  std::string locator(as_text(head));
  locator.append(as_text(in.raw(rest)));
  return locator;
}

void free_lobs(Reader& in, Piggyback& out) {
  in.skip(1);
  const std::uint32_t total = bounded(in.ub4(), "locator list");
  in.skip(1);
  for (int i = 0; i < 3; ++i) in.ub4();
  in.skip(3);
  in.ub4();  // the operation, always "free temporary, array"
  in.skip(1);
  in.ub4();
  in.ub8();
  in.ub8();
  in.skip(7);
  for (std::size_t read = 0; read < total;) {
    out.locators.push_back(next_locator(in));
    read += out.locators.back().size();
    if (read > total) throw BadMessage("locator list does not end at its length");
  }
}

}  // namespace

Piggyback decode_piggyback(Reader& in, Function function, const Dialect& dialect) {
  Piggyback out;
  out.function = function;
  switch (function) {
    case Function::kCloseCursors:
    case Function::kCancelCursors:
      out.cursors = cursor_list(in);
      break;
    case Function::kSetSchema:
      in.skip(1);
      out.schema = sized_text(in, dialect, in.ub4());
      break;
    case Function::kEndToEnd:
      end_to_end(in, dialect, out);
      break;
    case Function::kAppContext:
      app_context(in, dialect);
      break;
    case Function::kClientFeatures:
      client_features(in, dialect);
      break;
    case Function::kSessionState:
      in.ub8();
      break;
    case Function::kLobOperation:
      free_lobs(in, out);
      break;
    default:
      throw BadMessage("unknown piggyback " + std::to_string(static_cast<int>(function)));
  }
  return out;
}

FetchRequest decode_fetch(Reader& in) {
  FetchRequest request;
  request.cursor_id = in.ub4();
  request.rows = in.ub4();
  return request;
}

LobRequest decode_lob_request(Reader& in) {
  LobRequest request;
  const bool has_locator = in.u8() != 0;
  const std::uint32_t locator_length = in.ub4();
  const bool has_destination = in.u8() != 0;
  const std::uint32_t destination_length = in.ub4();
  in.ub4();
  in.ub4();
  request.has_charset = in.u8() != 0;
  in.skip(1);
  request.wants_flag = in.u8() != 0;
  request.operation = static_cast<LobOperation>(in.ub4());
  const bool has_scn = in.u8() != 0;
  const std::uint32_t scn_parts = in.ub4();
  request.source_offset = in.ub8();
  request.destination_offset = in.ub8();
  const bool has_amount = in.u8() != 0;
  in.skip(6);
  if (has_locator) {
    request.locator = as_text(in.raw(bounded(locator_length, "locator")));
  }
  if (has_destination) {
    request.destination = as_text(in.raw(bounded(destination_length, "locator")));
  }
  if (request.has_charset) request.charset = in.ub4();
  for (std::uint32_t i = 0; has_scn && i < bounded(scn_parts, "LOB SCN"); ++i) in.ub4();
  if (has_amount) request.amount = in.ub8();
  if (request.operation == LobOperation::kWrite) {
    if (in.u8() != static_cast<std::uint8_t>(Message::kLobData)) {
      throw BadMessage("LOB write carries no data message");
    }
    request.data = in.clr_text();
  }
  return request;
}

void skip_version_request(Reader& in, const Dialect& dialect) {
  in.skip(1);
  in.ub4();
  in.skip(2);
  if (dialect.field_version >= 11) in.ub4();
}

}  // namespace orasim::wire
