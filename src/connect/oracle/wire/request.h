// Requests a client sends after log-in, structs to bytes.
// Facts: reference oracle-wire-ttc, 4.3, 4.4, 5.1 to 5.6; oracle-wire-types, 6.13.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/types.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::wire {

enum class Function : std::uint8_t {
  kReexecute = 4,
  kFetch = 5,
  kLogoff = 9,
  kCommit = 14,
  kRollback = 15,
  kReexecuteAndFetch = 78,
  kExecute = 94,
  kLobOperation = 96,
  kCloseCursors = 105,
  kPing = 147,
};

// Execute options.
inline constexpr std::uint32_t kParse = 0x01;
inline constexpr std::uint32_t kBind = 0x08;
inline constexpr std::uint32_t kDefine = 0x10;
inline constexpr std::uint32_t kExecuteOption = 0x20;
inline constexpr std::uint32_t kFetchOption = 0x40;
inline constexpr std::uint32_t kCommitOnSuccess = 0x100;
inline constexpr std::uint32_t kPlsqlBind = 0x400;
inline constexpr std::uint32_t kNotPlsql = 0x8000;
inline constexpr std::uint32_t kBatchErrors = 0x80000;

inline constexpr std::uint64_t kLobPrefetchFlag = 0x2000000;
inline constexpr std::uint32_t kMaxLongBytes = 0x7FFFFFFF;
/// What official clients ask for; longer documents do not exist.
inline constexpr std::uint32_t kMaxJsonBytes = 32 * 1024 * 1024;
inline constexpr std::uint32_t kMaxVectorBytes = 1024 * 1024;

/// Metadata of a bind or define.
struct ValueFormat {
  OracleType type = OracleType::kVarchar;
  CharsetForm form = CharsetForm::kNone;
  std::uint32_t max_bytes = 0;
  std::uint64_t continuation_flags = 0;
  /// LOB data wanted in the row: bytes, or characters of a CLOB; 0: none.
  std::uint32_t prefetch_length = 0;
  /// An index-by table of PL/SQL: the elements the client has room for.
  std::optional<std::uint32_t> max_elements = {};
  friend bool operator==(const ValueFormat&, const ValueFormat&) = default;
};

/// A value of a bind row; nullopt bytes are NULL.
struct BindValue {
  OracleType type = OracleType::kVarchar;
  bool is_null = true;
  std::string_view bytes;
  /// An index-by table: its elements in place of `bytes`.
  bool is_array = false;
  std::span<const std::optional<std::string>> elements = {};
};

struct ExecuteRequest {
  std::uint32_t options = 0;
  std::uint32_t cursor_id = 0;  ///< 0: new
  std::string_view sql;         ///< empty: the cursor's
  bool is_query = false;
  std::uint32_t prefetch_rows = 0;  ///< rows wanted with this call
  std::uint32_t iterations = 1;     ///< al8i4[1]
  bool want_row_counts = false;
  std::span<const ValueFormat> binds;
  std::span<const ValueFormat> defines;
  /// Rows of values back to back, binds.size() each (values of returning binds left out).
  std::span<const std::vector<BindValue>> rows;
  /// Non-zero: the value goes behind the others of its row (long values in SQL).
  std::span<const std::uint8_t> is_long_bind;
};

enum class LobOperation : std::uint32_t {
  kGetLength = 0x0001,
  kRead = 0x0002,
  kTrim = 0x0020,
  kWrite = 0x0040,
  kFileOpen = 0x0100,
  kFileClose = 0x0200,
  kFileExists = 0x0800,
  kCreateTemporary = 0x0110,
  kFreeTemporary = 0x0111,
  kGetChunkSize = 0x4000,
};

/// Function 96. Offsets count from 1, characters or bytes.
struct LobRequest {
  LobOperation operation = LobOperation::kGetLength;
  ByteView locator;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> amount;
  ByteView data;                          ///< kWrite
  OracleType type = OracleType::kClob;    ///< kCreateTemporary
  CharsetForm form = CharsetForm::kNone;  ///< kCreateTemporary
};
/// A locator that does not exist yet.
inline constexpr std::size_t kNewLocatorBytes = 40;

/// Builds one request: piggybacks first, then one function. Numbers the calls.
class RequestBuilder {
 public:
  explicit RequestBuilder(const Dialect& dialect) : dialect_(dialect) {}

  void begin() { out_ = Writer(dialect_.chunks); }
  void close_cursors(std::span<const std::uint32_t> ids);
  void free_lobs(std::span<const std::string> locators);
  /// commit, rollback, ping, log-off.
  void simple(Function function);
  void execute(const ExecuteRequest& request);
  void fetch(std::uint32_t cursor_id, std::uint32_t rows);
  void lob(const LobRequest& request);
  [[nodiscard]] const Bytes& bytes() const { return out_.bytes(); }
  void set_dialect(const Dialect& dialect) { dialect_ = dialect; }
  /// Messages up to that number were built elsewhere (log-in).
  void continue_after(std::uint8_t sequence) { sequence_ = sequence; }

 private:
  std::uint8_t next_sequence();
  void header(std::uint8_t message, Function function);
  void execute_fixed_part(const ExecuteRequest& request);
  void value_format(const ValueFormat& format);
  void bind_row(const ExecuteRequest& request, const std::vector<BindValue>& row);
  void bind_array(const BindValue& array);
  void bind_value(const BindValue& value);
  void document(ByteView image);

  Dialect dialect_;
  Writer out_;
  std::uint8_t sequence_ = 0;
};

}  // namespace wherry::oracle::wire
