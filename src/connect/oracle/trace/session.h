// What a decoder of somebody else's session has to remember between messages: what the two sides
// negotiated, the cursors they opened, and the calls that still wait for their answer.
// Values (the printer is shared), so that a guess can be made on a copy and thrown away.
// Facts: reference oracle-wire-session 3.2 to 3.6, oracle-wire-ttc 5.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/messages.h"
#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/types.h"

namespace wherry::oracle::trace {

using Json = nlohmann::ordered_json;
using wire::ByteView;
using wire::Reader;

/// Metadata of a bind or a define.
struct Variable {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint8_t form = 0;
  std::uint16_t charset = 0;
  std::uint32_t buffer_bytes = 0;
  std::uint32_t max_elements = 0;
  std::uint64_t continuation_flags = 0;
  std::uint32_t prefetch_bytes = 0;

  [[nodiscard]] bool is_array() const { return (flags & 0x40) != 0; }
  /// Another occurrence of an earlier placeholder: it has that one's value.
  [[nodiscard]] bool is_repeated() const { return (flags & 0x80) != 0; }
};

struct Cursor {
  std::string sql;
  std::vector<ColumnDescription> columns;
  std::vector<Variable> binds;
  std::vector<Variable> defines;
  std::vector<wire::BindDirection> directions;  ///< of the binds, from the last I/O vector
  std::vector<Json> last_row;                   ///< what a clear bit of a bit vector repeats
};

/// A locator operation whose answer is awaited.
struct LobCall {
  std::uint32_t operation = 0;
  std::string locator;  ///< source and destination as sent
  // What the client asked for and the answer therefore holds.
  bool has_charset = false;
  bool has_amount = false;
  bool has_flag = false;
};

/// A request, kept until its response has ended.
struct Call {
  std::uint8_t function = 0;
  std::uint32_t cursor_id = 0;
  std::uint32_t options = 0;
  std::uint32_t executions = 1;
  bool wants_row_counts = false;
  Cursor cursor;
  LobCall lob;
  std::string bit_vector;  ///< for the next row; empty: every column is sent
};

struct Session {
  std::shared_ptr<ScalarPrinter> printer = std::make_shared<ScalarPrinter>();
  wire::Dialect dialect;
  /// The negotiation was seen. Without it the dialect is guessed from each message.
  bool is_negotiated = false;
  bool is_native = false;  ///< fixed-width integers, see native_dialect.h
  std::vector<std::uint8_t> client_capabilities, server_capabilities;
  std::vector<std::uint8_t> client_runtime, server_runtime;
  std::uint16_t client_charset = wire::kCharsetAl32Utf8;
  /// Bytes behind the position of each described column; -1: as the field version says.
  int column_tail_bytes = -1;
  std::map<std::uint32_t, Cursor> cursors;
  std::deque<Call> calls;
  bool is_pipelined = false;  ///< requests are sent before the answers to earlier ones

  /// The call whose answer is being read; one is made up when the request was not seen.
  Call& current_call() {
    if (calls.empty()) calls.emplace_back();
    return calls.front();
  }
};

/// One decoded message and where it started in the bytes given.
struct DecodedMessage {
  std::size_t offset = 0;
  Json fields;
};

enum class Ending : std::uint8_t {
  kComplete,  ///< all bytes were used
  kPartial,   ///< the last message needs more bytes
  kFailed,    ///< some bytes could not be understood; they are among the messages
};

struct Decoded {
  std::vector<DecodedMessage> messages;
  std::size_t used_bytes = 0;
  Ending ending = Ending::kComplete;
  std::string problem;  ///< for kPartial and kFailed
};

}  // namespace wherry::oracle::trace
