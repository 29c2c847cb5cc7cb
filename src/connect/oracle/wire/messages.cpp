#include "connect/oracle/wire/messages.h"

#include "connect/oracle/wire/rowid.h"

namespace wherry::oracle::wire {
namespace {

constexpr std::uint8_t kChunkedList = 0xFE;

/// Lists of the status message: a byte, then `count` integers, each behind a chunk length and
/// closed by a zero when that byte announces chunks.
template <class ReadItem>
void read_list(Reader& in, std::uint32_t count, ReadItem&& read_item) {
  if (count == 0) return;
  const bool is_chunked = in.u8() == kChunkedList;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    if (is_chunked) in.chunk_size();
    read_item(i);
  }
  if (is_chunked) in.skip(1);
}

ArrayRowError& error_at(std::vector<ArrayRowError>& errors, std::uint32_t i) {
  if (errors.size() <= i) errors.resize(i + 1);
  return errors[i];
}

std::string without_line_break(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

void read_array_errors(Reader& in, std::vector<ArrayRowError>& errors) {
  read_list(in, in.ub2(), [&](std::uint32_t i) { error_at(errors, i).code = in.ub2(); });
  read_list(in, in.ub4(), [&](std::uint32_t i) { error_at(errors, i).row = in.ub4(); });
  const std::uint16_t texts = in.ub2();
  if (texts == 0) return;
  in.skip(1);
  for (std::uint32_t i = 0; i < texts && in.ok(); ++i) {
    in.ub2();
    error_at(errors, i).text = without_line_break(in.clr_text());
    in.skip(2);
  }
}

/// A length, then a CLR if it is not 0.
std::string read_counted(Reader& in) {
  return in.ub2() != 0 ? in.clr_text() : std::string();
}

}  // namespace

CallResult decode_call_result(Reader& in, const Dialect& dialect) {
  CallResult result;
  const bool is_modern = dialect.field_version >= 7;
  if (dialect.has_call_status) result.call_status = in.ub4();
  if (dialect.has_call_sequence) result.sequence = in.ub2();
  const std::uint32_t current_row = in.ub4();
  const std::uint16_t short_code = in.ub2();
  in.ub2();
  in.ub2();
  result.cursor_id = in.ub2();
  result.error_position = in.sb2();
  result.sql_type = in.u8();
  in.skip(4);  // fatal, flags, cursor options, UPI parameter
  result.warning_flags = in.u8();
  result.rowid = read_rowid(in);
  in.ub4();
  in.skip(2);
  in.ub2();
  in.ub4();
  in.skip_dlc();
  if (is_modern) {
    read_array_errors(in, result.array_errors);
    result.code = in.ub4();
    result.row_count = in.ub8();
  } else {
    for (int i = 0; i < 3; ++i) in.skip_dlc();
    result.code = short_code;
    result.row_count = current_row;
  }
  // Where statement type and checksum are left out, what follows, a text or the mark of the end, is
  // no length of an integer.
  constexpr std::uint8_t kMaxIntegerLength = 4;
  const bool may_be_checksum = in.remaining() == 0 || in.peek() <= kMaxIntegerLength;
  if (dialect.field_version >= 14 && dialect.has_checksum && may_be_checksum) {
    in.ub4();
    in.ub4();
  }
  if (in.ok() && result.code != 0) result.text = without_line_break(in.clr_text());
  return result;
}

CallStatus decode_call_status(Reader& in, const Dialect& dialect) {
  CallStatus status;
  if (dialect.has_call_status) status.call_status = in.ub4();
  if (dialect.has_call_sequence) status.sequence = in.ub2();
  return status;
}

Warning decode_warning(Reader& in) {
  Warning warning;
  warning.code = in.ub2();
  const std::uint16_t length = in.ub2();
  in.ub2();
  if (warning.code != 0 && length != 0) warning.text = without_line_break(in.clr_text());
  return warning;
}

KeywordPair decode_keyword_pair(Reader& in) {
  KeywordPair pair;
  pair.text = read_counted(in);
  pair.binary = read_counted(in);
  pair.keyword = in.ub2();
  return pair;
}

namespace {

void skip_session_return(Reader& in) {
  in.ub2();
  in.skip(1);
  const std::uint16_t count = in.ub2();
  if (count != 0) {
    in.skip(1);
    for (int i = 0; i < count && in.ok(); ++i) decode_keyword_pair(in);
  }
  in.ub4();
  in.ub4();
  in.ub2();
}

void read_state_sync(Reader& in, std::vector<KeywordPair>& pairs) {
  in.ub2();
  in.skip(1);
  const std::uint16_t count = in.ub2();
  in.skip(1);
  for (int i = 0; i < count && in.ok(); ++i) pairs.push_back(decode_keyword_pair(in));
  in.ub4();
}

void skip_replay_context(Reader& in) {
  in.ub2();
  in.skip(1);
  in.ub4();
  in.ub4();
  in.skip(1);
  in.skip_dlc();
}

}  // namespace

ServerPiggyback decode_server_piggyback(Reader& in) {
  ServerPiggyback piggyback;
  piggyback.code = in.u8();
  switch (piggyback.code) {
    case 1:
    case 3:
      break;
    case 2:
      in.ub2();
      in.skip_clr();
      break;
    case 4:
      skip_session_return(in);
      break;
    case 5:
      read_state_sync(in, piggyback.pairs);
      break;
    case 7:
      in.skip_dlc();
      break;
    case 8:
      skip_replay_context(in);
      break;
    case 9:
      in.ub2();
      in.skip(1);
      break;
    case 10:
      in.ub2();
      in.skip(1);
      for (int i = 0; i < 3; ++i) in.ub8();
      break;
    default:
      if (in.ok()) in.fail("an unknown server-side piggyback cannot be skipped");
  }
  return piggyback;
}

std::vector<KeyValue> decode_key_values(Reader& in) {
  std::vector<KeyValue> pairs;
  const std::uint16_t count = in.ub2();
  for (int i = 0; i < count && in.ok(); ++i) {
    KeyValue pair;
    pair.key = in.dlc_text();
    pair.value = in.dlc_text();
    pair.flags = in.ub4();
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

const KeyValue* find_key(const std::vector<KeyValue>& pairs, std::string_view key) {
  for (const KeyValue& pair : pairs) {
    std::string_view name = pair.key;
    if (!name.empty() && name.back() == '\0') name.remove_suffix(1);
    if (name == key) return &pair;
  }
  return nullptr;
}

ReturnParameters decode_return_parameters(Reader& in, const Dialect& dialect,
                                          bool with_row_counts) {
  ReturnParameters result;
  const std::uint16_t value_count = in.ub2();
  for (int i = 0; i < value_count && in.ok(); ++i) result.values.push_back(in.ub4());
  in.skip(in.ub2());
  const std::uint16_t pair_count = in.ub2();
  for (int i = 0; i < pair_count && in.ok(); ++i) result.pairs.push_back(decode_keyword_pair(in));
  if (dialect.field_version >= 4) in.skip(in.ub2());
  if (!with_row_counts) return result;
  const std::uint32_t row_count = in.ub4();
  for (std::uint32_t i = 0; i < row_count && in.ok(); ++i) result.row_counts.push_back(in.ub8());
  return result;
}

RowHeader decode_row_header(Reader& in) {
  RowHeader header;
  header.flags = in.u8();
  header.requests = in.ub2();
  header.iteration = in.ub4();
  in.ub4();
  in.ub2();
  const std::uint32_t vector_bytes = in.ub4();
  if (vector_bytes != 0) {
    in.skip(1);
    header.bit_vector = text_of(in.raw(vector_bytes));
  }
  in.skip_dlc();
  return header;
}

BitVector decode_bit_vector(Reader& in, std::size_t column_count) {
  BitVector vector;
  vector.columns_sent = in.ub2();
  vector.bits = text_of(in.raw((column_count + 7) / 8));
  return vector;
}

std::vector<BindDirection> decode_io_vector(Reader& in) {
  in.skip(1);
  const std::uint32_t low = in.ub2();
  const std::uint64_t count = std::uint64_t{in.ub4()} * 256 + low;
  in.ub4();
  in.ub2();
  in.skip(in.ub2());
  in.skip(in.ub2());
  std::vector<BindDirection> directions;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    directions.push_back(static_cast<BindDirection>(in.u8()));
  }
  return directions;
}

std::vector<ImplicitResult> decode_implicit_results(Reader& in, const Dialect& dialect) {
  std::vector<ImplicitResult> results;
  const std::uint32_t count = in.ub4();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    in.skip(in.u8());
    ImplicitResult result;
    result.description = decode_describe_body(in, dialect);
    result.cursor_id = in.ub2();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace wherry::oracle::wire
