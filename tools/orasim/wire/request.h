// Requests after log-in: function header, piggybacks, execute, re-execute, fetch, LOB operations.
// Decoders only; they consume exactly one request and throw BadMessage or ShortRead otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/bytes.h"
#include "wire/dialect.h"
#include "wire/setup.h"

namespace orasim::wire {

enum class Function : std::uint8_t {
  kReexecute = 4,
  kFetch = 5,
  kLogoff = 9,
  kCommit = 14,
  kRollback = 15,
  kVersion = 59,
  kReexecuteAndFetch = 78,
  kExecute = 94,
  kLobOperation = 96,
  kTransactionSwitch = 103,
  kTransactionState = 104,
  kCloseCursors = 105,
  kAuthTwo = 115,
  kAuthOne = 118,
  kCancelCursors = 120,
  kEndToEnd = 135,
  kPing = 147,
  kSetSchema = 152,
  kAppContext = 154,
  kSessionRelease = 163,
  kSessionState = 176,
  kClientFeatures = 191,
};

struct FunctionHeader {
  Function function{};
  std::uint8_t sequence = 0;
  std::uint64_t token = 0;
};
/// Text whose length was given earlier in the message: CLR, or raw for old clients.
std::string sized_text(Reader&, const Dialect&, std::uint32_t bytes);

/// After the message byte (3 or 17).
FunctionHeader decode_function_header(Reader&, const Dialect&);

/// What a piggyback asks for; the fields of other kinds stay empty.
struct Piggyback {
  Function function{};
  std::vector<std::uint32_t> cursors;         ///< close, cancel
  std::optional<std::string> schema;          ///< set schema
  std::optional<std::string> module, action;  ///< end to end
  std::optional<std::string> client_identifier, client_info;
  std::vector<std::string> locators;  ///< free temporary LOBs
};
/// After the header. Throws BadMessage for an unknown piggyback: it cannot be skipped.
Piggyback decode_piggyback(Reader&, Function, const Dialect&);

// Execute options.
inline constexpr std::uint32_t kOptParse = 0x01;
inline constexpr std::uint32_t kOptBind = 0x08;
inline constexpr std::uint32_t kOptDefine = 0x10;
inline constexpr std::uint32_t kOptExecute = 0x20;
inline constexpr std::uint32_t kOptFetch = 0x40;
inline constexpr std::uint32_t kOptCommit = 0x100;
inline constexpr std::uint32_t kOptPlsqlBind = 0x400;
inline constexpr std::uint32_t kOptNotPlsql = 0x8000;
inline constexpr std::uint32_t kOptDescribe = 0x20000;
inline constexpr std::uint32_t kOptNoCompression = 0x40000;
inline constexpr std::uint32_t kOptBatchErrors = 0x80000;

// Fetch orientations of a scrollable cursor; all others go by the position.
inline constexpr std::uint32_t kFetchLast = 0x08;

/// Bind or define metadata.
struct TypeSpec {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t buffer_bytes = 0;
  std::uint32_t max_elements = 0;
  std::uint64_t continuation = 0;
  std::uint16_t charset = 0;
  std::uint8_t charset_form = 0;
  std::uint32_t prefetch = 0;
  std::string type_oid = {};  ///< of a named type

  [[nodiscard]] bool is_national() const { return charset_form == 2; }
  [[nodiscard]] bool is_array() const { return (flags & 0x40) != 0; }
  /// A name that came before: its value is sent only once.
  [[nodiscard]] bool is_repeated() const { return (flags & 0x80) != 0; }
  [[nodiscard]] bool wants_lob_sizes() const { return (continuation & 0x2000000) != 0; }
};

/// One bind value as it came: content without length. LOB locators and texts alike.
struct BindValue {
  bool is_null = true;
  std::string content;
  std::vector<BindValue> elements = {};  ///< of an index-by table
};
using BindRow = std::vector<BindValue>;

/// What the request's layout needs to know of a cursor that was parsed before.
struct CursorShape {
  bool is_query = false;
  bool is_plsql = false;
  std::vector<TypeSpec> binds;
  std::vector<bool> returning;  ///< RETURNING … INTO: the value never comes
  std::vector<bool> out_only;   ///< OUT by the last I/O vector: no value on re-execution
};
class CursorShapes {
 public:
  virtual ~CursorShapes() = default;
  /// nullptr: no such cursor.
  [[nodiscard]] virtual const CursorShape* shape_of(std::uint32_t cursor_id) const = 0;
};

struct ExecuteRequest {
  std::uint32_t options = 0;
  std::uint32_t cursor_id = 0;
  std::optional<std::string> sql;
  std::uint32_t prefetch_rows = 0;
  std::uint32_t iterations = 0;         ///< al8i4[1]
  std::uint64_t scn = 0;                ///< al8i4[5], [6]; 0: none
  std::uint32_t flags = 0;              ///< al8i4[9]
  std::uint32_t fetch_orientation = 0;  ///< al8i4[10]
  std::uint32_t fetch_position = 0;     ///< al8i4[11], from 1
  std::vector<TypeSpec> binds;
  std::vector<TypeSpec> defines;
  /// Values of all binds a row; skipped ones stay null.
  std::vector<BindRow> rows;

  [[nodiscard]] bool has(std::uint32_t option) const { return (options & option) != 0; }
  [[nodiscard]] bool wants_row_counts() const { return (flags & 0x4000) != 0; }
  [[nodiscard]] bool is_scrollable() const { return (flags & 0x02) != 0; }
};
ExecuteRequest decode_execute(Reader&, const Dialect&, const CursorShapes&);

struct ReexecuteRequest {
  std::uint32_t cursor_id = 0;
  std::uint32_t iterations = 0;
  bool commit = false;
  std::vector<BindRow> rows;
};
ReexecuteRequest decode_reexecute(Reader&, const Dialect&, const CursorShapes&);

struct FetchRequest {
  std::uint32_t cursor_id = 0;
  std::uint32_t rows = 0;
};
FetchRequest decode_fetch(Reader&);

enum class LobOperation : std::uint32_t {
  kGetLength = 0x0001,
  kRead = 0x0002,
  kTrim = 0x0020,
  kWrite = 0x0040,
  kFileOpen = 0x0100,
  kCreateTemp = 0x0110,
  kFreeTemp = 0x0111,
  kFileClose = 0x0200,
  kFileIsOpen = 0x0400,
  kFileExists = 0x0800,
  kGetChunkSize = 0x4000,
  kOpen = 0x8000,
  kClose = 0x10000,
  kIsOpen = 0x11000,
  kFreeTempArray = 0x80111,
};

struct LobRequest {
  LobOperation operation{};
  std::string locator;
  std::string destination;  ///< append and copy: the LOB written to
  std::uint64_t source_offset = 0;
  std::uint64_t destination_offset = 0;
  std::optional<std::uint64_t> amount;
  bool has_charset = false;  ///< the reply then carries one too
  std::uint32_t charset = 0;
  bool wants_flag = false;
  std::string data;  ///< write
};
LobRequest decode_lob_request(Reader&);

/// Function 59's body.
void skip_version_request(Reader&, const Dialect&);

}  // namespace orasim::wire
