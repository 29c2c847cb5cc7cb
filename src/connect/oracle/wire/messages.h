// TTC messages a server sends, bytes to structs. Each decode function starts behind the message's
// type byte and leaves the reader at the next message; ask reader.ok() afterwards.
// Facts: reference oracle-wire-ttc, 4.3 to 4.6 and 5.3, 5.4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/types.h"

namespace wherry::oracle::wire {

enum class Message : std::uint8_t {
  kProtocol = 1,
  kDataTypes = 2,
  kFunction = 3,
  kError = 4,
  kRowHeader = 6,
  kRowData = 7,
  kParameters = 8,
  kStatus = 9,
  kIoVector = 11,
  kLobData = 14,
  kWarning = 15,
  kDescribe = 16,
  kPiggyback = 17,
  kFlushOutBinds = 19,
  kBitVector = 21,
  kServerPiggyback = 23,
  kOneWay = 26,
  kImplicitResults = 27,
  kRenegotiate = 28,
  kEndOfResponse = 29,
  kCookie = 30,
  kToken = 33,
  kFastAuth = 34,
};

/// Bits of the end-of-call status.
inline constexpr std::uint32_t kCallInTransaction = 0x02;
inline constexpr std::uint32_t kCallSessionReleased = 0x8000;

/// ORA- numbers that steer the client.
inline constexpr std::uint32_t kNoDataFound = 1403;

struct RowidParts {
  std::uint32_t object = 0;
  std::uint16_t file = 0;
  std::uint32_t block = 0;
  std::uint16_t slot = 0;
  [[nodiscard]] bool is_set() const { return (object | file | block | slot) != 0; }
};

struct ArrayRowError {
  std::uint32_t row = 0;  ///< 0-based
  std::uint32_t code = 0;
  std::string text;
};

/// Message 4: how a call ended, also when it ended well (code 0).
struct CallResult {
  std::uint32_t call_status = 0;
  std::uint16_t sequence = 0;
  std::uint32_t code = 0;
  std::string text;  ///< without the line break at its end
  std::uint16_t cursor_id = 0;
  std::int16_t error_position = 0;  ///< 0-based byte in the SQL text, if > 0
  std::uint8_t sql_type = 0;
  std::uint8_t warning_flags = 0;
  RowidParts rowid;
  std::uint64_t row_count = 0;
  std::vector<ArrayRowError> array_errors;
};
inline constexpr std::uint8_t kWarnCompiledWithErrors = 0x20;
CallResult decode_call_result(Reader& in, const Dialect& dialect);

/// Message 9.
struct CallStatus {
  std::uint32_t call_status = 0;
  std::uint16_t sequence = 0;
};
CallStatus decode_call_status(Reader& in, const Dialect& dialect);

/// Message 15.
struct Warning {
  std::uint16_t code = 0;
  std::string text;
};
Warning decode_warning(Reader& in);

/// One keyword pair of a session state message.
struct KeywordPair {
  std::string text;
  std::string binary;
  std::uint16_t keyword = 0;
};
KeywordPair decode_keyword_pair(Reader& in);

/// Message 23: state the server volunteers.
struct ServerPiggyback {
  std::uint8_t code = 0;
  std::vector<KeywordPair> pairs;
};
ServerPiggyback decode_server_piggyback(Reader& in);

/// Message 8 in the log-in phase.
struct KeyValue {
  std::string key;
  std::string value;
  std::uint32_t flags = 0;
};
std::vector<KeyValue> decode_key_values(Reader& in);
/// First value with that key, ignoring a NUL at the key's end; nullptr when there is none.
const KeyValue* find_key(const std::vector<KeyValue>& pairs, std::string_view key);

/// Message 8 after execute.
struct ReturnParameters {
  std::vector<std::uint32_t> values;  ///< the first two: SCN low, high
  std::vector<KeywordPair> pairs;
  std::vector<std::uint64_t> row_counts;
};
ReturnParameters decode_return_parameters(Reader& in, const Dialect& dialect, bool with_row_counts);

/// Message 16, and the column lists of cursors.
struct Description {
  std::uint32_t max_row_bytes = 0;
  std::vector<ColumnDescription> columns;
};
Description decode_describe(Reader& in, const Dialect& dialect);
/// The same without the leading byte string, as cursors and implicit results carry it.
Description decode_describe_body(Reader& in, const Dialect& dialect);
/// One column of it, up to the fields that came after 10.2.
ColumnDescription decode_column_head(Reader& in, const Dialect& dialect);

/// Message 6.
struct RowHeader {
  std::uint8_t flags = 0;
  std::uint16_t requests = 0;
  std::uint32_t iteration = 0;
  std::string bit_vector;  ///< for the next row; empty: every column is sent
};
RowHeader decode_row_header(Reader& in);

/// Message 21. Bit i set: column i is in the next row; clear: it repeats the row before.
struct BitVector {
  std::uint16_t columns_sent = 0;
  std::string bits;
};
BitVector decode_bit_vector(Reader& in, std::size_t column_count);
inline bool has_bit(std::string_view bits, std::size_t column) {
  return bits.empty() || (static_cast<std::uint8_t>(bits[column / 8]) >> (column % 8) & 1) != 0;
}

/// Message 11.
enum class BindDirection : std::uint8_t { kOut = 16, kIn = 32, kInOut = 48 };
std::vector<BindDirection> decode_io_vector(Reader& in);

/// Message 27.
struct ImplicitResult {
  Description description;
  std::uint16_t cursor_id = 0;
};
std::vector<ImplicitResult> decode_implicit_results(Reader& in, const Dialect& dialect);

}  // namespace wherry::oracle::wire
