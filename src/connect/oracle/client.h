// The thin Oracle client: logs in over Oracle's own protocol, runs statements, and decodes rows
// straight from the network buffer into row batches. Needs no Oracle software.
//
// Life-cycle: Session::connect -> query()/execute()… -> close(). A Session and its Query objects
// are used by one thread at a time; a stop request may come from any thread and is obeyed within a
// second: the running call is broken off at the server and the session stays usable when the server
// answers in time, else is_broken() is true and only destruction is left. Destructors never block.
//
// Statements are kept parsed in a bounded cache by their text; nothing has to be prepared.
// How to use it from a program of one's own: docs/guide/oracle-client.md.
//
// Servers: Oracle 12.1 to 26ai (TNS 315 and above; 12c and 11g password verifiers), and 11.2
// without row counts of arrays and lists of failed rows, which came later.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/wire/native_services.h"
#include "connect/oracle/wire/types.h"
#include "core/cell.h"
#include "core/op_context.h"
#include "core/result.h"
#include "core/row_batch.h"
#include "core/secret.h"

namespace wherry::oracle {

enum class LoginRole : std::uint8_t { kNormal, kSysdba, kSysoper, kSysbackup, kSysdg, kSyskm };

struct ConnectOptions {
  /// Easy Connect [Plus] ("host:1521/service"), "(DESCRIPTION=…)", or a name of tnsnames.ora.
  std::string connect_string;
  /// Directory of tnsnames.ora and sqlnet.ora; empty: $TNS_ADMIN, else $ORACLE_HOME/network/admin.
  std::string tns_admin;
  std::string user;  ///< as typed; "proxy[target]" for proxy authentication
  Secret password;
  /// Takes the place of `password` at log-in; the way in when the password has expired. Empty:
  /// none.
  Secret new_password;
  /// Only when the server says that it has expired. Once `new_password` is set, it is what logs in.
  bool new_password_on_expiry = false;
  std::string edition;  ///< of the session; empty: the database's default
  /// Entered after the log-in, by a common user of a container database (ALTER SESSION SET
  /// CONTAINER). Empty: the session stays where the service is.
  std::string pluggable_database;
  LoginRole role = LoginRole::kNormal;
  /// Directory with ewallet.pem, or a PEM file of trusted CAs. Overrides the connect string's.
  std::string wallet_location;
  Secret wallet_password;
  /// Native network encryption and integrity where neither connect string nor sqlnet.ora say. Over
  /// TLS they are off: TLS does both.
  wire::NetworkSecurity network_security;
  /// Packet size asked for when the connect string has no SDU; the server may lower it.
  std::uint32_t sdu_bytes = 65535;
  /// Limit for one silent wait on the server; 0: that of sqlnet.ora, else none. The call is broken
  /// off then.
  std::chrono::milliseconds call_timeout{0};
  std::string program = "wherry";  ///< shown in V$SESSION.PROGRAM
  /// Statements kept parsed at the server by their text, never more than it lets be open. 0: none.
  std::uint32_t statement_cache_size = 20;
};

struct ServerInfo {
  std::string version;  ///< "19.22.0.0.0"
  int major_version = 0;
  std::string banner;  ///< platform, "x86_64/Linux 2.4.xx"
  std::string database_name, instance_name, service_name;
  std::uint32_t session_id = 0, serial_number = 0;
  std::uint32_t max_open_cursors = 0;  ///< 0: not told
  std::uint32_t max_identifier_bytes = 30;
  std::uint16_t tns_version = 0;
  std::uint8_t field_version = 0;
  std::uint32_t sdu_bytes = 0;
  std::uint16_t database_charset = 0, national_charset = 0;
  bool is_encrypted = false;  ///< by TLS or by native network encryption
  /// Native network encryption and integrity, "AES256" and "SHA256"; empty: off.
  std::string native_encryption, native_integrity;
  std::vector<std::string> warnings;  ///< "ORA-28002: the password will expire within 7 days"

  /// It may be, or have, pluggable databases.
  [[nodiscard]] bool has_containers() const { return major_version >= 12; }
};

class Lob;

/// One value sent to or wanted from the server. Values are kept in their wire form.
class Bind {
 public:
  static Bind text(std::string_view utf8);
  static Bind national_text(std::string_view utf8);
  static Bind bytes(std::string_view raw);
  static Bind number(std::int64_t value);
  /// Decimal text with optional exponent. REQUIRES: is_number_text(text).
  static Bind number(std::string_view decimal_text);
  static bool is_number_text(std::string_view text);
  static Bind binary_float(float value);
  static Bind binary_double(double value);
  static Bind boolean(bool value);
  /// Microseconds since 1970-01-01, wall clock; sent as DATE (fraction dropped).
  static Bind date(std::int64_t micros);
  static Bind timestamp(std::int64_t micros, unsigned nanos = 0);
  /// `micros` in UTC.
  static Bind timestamp_tz(std::int64_t micros, unsigned nanos, int offset_minutes);
  /// With a region ("Europe/Vienna"). REQUIRES: is_region(region).
  static Bind timestamp_tz(std::int64_t micros, unsigned nanos, std::string_view region);
  static bool is_region(std::string_view region);
  static Bind interval_ym(std::int64_t months);
  static Bind interval_ds(std::int64_t seconds, std::int32_t nanoseconds);
  static Bind rowid(std::string_view text);
  /// A document for a JSON column (21c and above). kData "oracle.json" when the text is no JSON.
  static Result<Bind> json(std::string_view text);
  /// A dense vector (23ai).
  static Bind vector(std::span<const float> elements);
  static Bind vector(std::span<const double> elements);
  static Bind vector(std::span<const std::int8_t> elements);
  /// The LOB itself, which must live until the statement has been executed. Text and bytes of any
  /// size need none: text() and bytes() become long values or temporary LOBs by themselves.
  static Bind lob(const Lob& value);
  static Bind null(OracleType type);
  /// OUT bind of a PL/SQL block (or RETURNING … INTO) with room for `max_bytes`.
  static Bind out(OracleType type, std::uint32_t max_bytes = 0);
  /// OUT bind of NVARCHAR2, NCHAR or NCLOB.
  static Bind out_national(OracleType type, std::uint32_t max_bytes = 0);
  /// IN OUT: the value, with room for `max_bytes` to come back.
  Bind& in_out(std::uint32_t max_bytes = 0);
  /// Elements 1, 2, … of an index-by table (TABLE OF … INDEX BY PLS_INTEGER) of a PL/SQL block;
  /// none: an empty one. With in_out() as many may come back as are sent, or `max_elements` if that
  /// is more. REQUIRES: each element is a single value of that type and charset form.
  static Bind array(OracleType type, std::span<const Bind> elements,
                    std::uint32_t max_elements = 0);
  /// OUT bind of an index-by table with room for elements of `max_bytes`. Those that come are in
  /// ExecResult::arrays; more than there is room for are ORA-06513.
  static Bind out_array(OracleType type, std::uint32_t max_elements, std::uint32_t max_bytes = 0);

  [[nodiscard]] OracleType type() const { return type_; }
  [[nodiscard]] CharsetForm form() const { return form_; }
  [[nodiscard]] bool is_in() const { return is_in_; }
  [[nodiscard]] bool is_out() const { return is_out_; }
  [[nodiscard]] std::uint32_t max_bytes() const { return max_bytes_; }
  /// Content in wire form, without length; nullopt is NULL.
  [[nodiscard]] const std::optional<std::string>& wire() const { return wire_; }
  [[nodiscard]] bool is_array() const { return max_elements_.has_value(); }
  [[nodiscard]] std::optional<std::uint32_t> max_elements() const { return max_elements_; }
  /// Of an array, each as wire().
  [[nodiscard]] std::span<const std::optional<std::string>> elements() const { return elements_; }

 private:
  Bind(OracleType type, CharsetForm form, std::optional<std::string> wire, std::uint32_t max_bytes);
  OracleType type_;
  CharsetForm form_;
  bool is_in_ = true;
  bool is_out_ = false;
  std::uint32_t max_bytes_;
  std::optional<std::string> wire_;
  std::optional<std::uint32_t> max_elements_;
  std::vector<std::optional<std::string>> elements_;
};

/// How the values of CLOB, NCLOB and BLOB columns come.
enum class LobMode : std::uint8_t {
  kInline,    ///< in the row stream, no extra round trips; up to 2 GiB a value
  kPrefetch,  ///< the first part with the row, the rest by locator
  kLocator,   ///< one or more round trips a value; any size
  kHandle,    ///< not at all: cells of kind kBytes hold locators for Session::open_lob()
};

/// What to do with columns whose type there is no reading: objects, collections, REF.
enum class UnreadableColumns : std::uint8_t {
  kRefuse,  ///< fetch() fails and names the first of them
  kSkip,    ///< their values are skipped and come as NULL; Query::unreadable_columns() names them
};

struct FetchOptions {
  /// Rows asked for in one round trip are chosen so that they need about this much.
  std::uint32_t round_trip_bytes = 512 * 1024;
  /// Overrides the choice above; 0: choose.
  std::uint32_t array_rows = 0;
  /// Rows that come with the execute call; 0 saves nothing but lets the array size be chosen from
  /// the description. Worth setting for small queries.
  std::uint32_t prefetch_rows = 0;
  LobMode lob_mode = LobMode::kInline;
  /// kPrefetch: characters or bytes of a value that come with its row.
  std::uint32_t lob_prefetch = 32 * 1024;
  UnreadableColumns unreadable = UnreadableColumns::kRefuse;
  /// A value that is none of its column's type (29 February 1500 in a DATE) becomes a kUnreadable
  /// cell that says why, instead of an error of fetch().
  bool keep_bad_values = false;
  /// For each column how many bytes of a LOB are wanted: of a larger one only the beginning is
  /// read, a little more than this, and RowBatch::length_of() tells how long it is. 0, and beyond
  /// the end of the list: whole. With kPrefetch and kLocator.
  std::vector<std::uint64_t> lob_limits;
  /// Characters or bytes that one call reads of a LOB.
  std::uint64_t lob_piece = 1024 * 1024;
  /// LOBs of more characters or bytes are not read at all: kSpilled without a file. 0: all are.
  std::uint64_t lob_refused_above = 0;
  /// LOB and LONG values above this go to a spill file.
  std::uint64_t lob_inline_max_bytes = 1024 * 1024;
  std::string spill_directory = "/tmp";
};

enum class FetchState : std::uint8_t {
  kMore,  ///< the batch holds rows; call again
  kEnd,   ///< the batch holds the last rows, or none; do not call again
};

/// A running query, or a cursor a statement gave. Kinds of columns: natural_kind(), or another one
/// that their type has: NUMBER as kInt64, BINARY_FLOAT as kFloat64, BFILE as kBytes (its content).
class Query {
 public:
  virtual ~Query() = default;
  [[nodiscard]] virtual std::span<const ColumnDescription> columns() const = 0;
  /// Resets `out` and fills it up to its budget. `wanted` gives each column's kind, the same in
  /// every call; kUnsupported "oracle.column_kind" when a column cannot come as that kind. A value
  /// that cannot be carried is kData and names column and row.
  virtual Result<FetchState> fetch(OpContext&, std::span<const CellKind> wanted, RowBatch& out) = 0;
  /// Rows handed out so far.
  [[nodiscard]] virtual std::uint64_t row_count() const = 0;
  /// The rows of a cursor column's value (CURSOR(select …)); may be read between two fetches of
  /// this query. REQUIRES: the cell is of such a column, is set, and was not given before.
  virtual Result<std::unique_ptr<Query>> nested(const Cell& cell) = 0;
  /// "PLACE (SYS.SDO_GEOMETRY)" for each column that UnreadableColumns::kSkip leaves out.
  [[nodiscard]] virtual std::vector<std::string> unreadable_columns() const = 0;
};

/// Receives a LOB piece by piece.
using ByteSink = std::function<Result<void>(std::string_view)>;

/// A large object at the server, by its locator. Offsets and amounts count bytes of a BLOB or BFILE
/// and UTF-16 code units of a CLOB; offsets start at 0. Text is UTF-8 on this side. Used on the
/// thread of its session, which it keeps alive. A temporary LOB is freed with the first call after
/// its destruction.
class Lob {
 public:
  virtual ~Lob() = default;
  [[nodiscard]] virtual OracleType type() const = 0;
  [[nodiscard]] virtual CharsetForm form() const = 0;
  [[nodiscard]] virtual bool is_temporary() const = 0;
  [[nodiscard]] virtual std::string_view locator() const = 0;
  virtual Result<std::uint64_t> size(OpContext&) = 0;
  /// Up to `amount` from `offset` to `sink`, in pieces, so that memory does not depend on sizes.
  /// Gives what was read: less than `amount` only at the end, and one unit more where the last
  /// character would be cut in two.
  virtual Result<std::uint64_t> read(OpContext&, std::uint64_t offset, std::uint64_t amount,
                                     const ByteSink& sink) = 0;
  /// Writes whole characters or bytes at `offset` and gives how many. A persistent LOB must have
  /// been selected FOR UPDATE. kData when `data` ends inside a character.
  virtual Result<std::uint64_t> write(OpContext&, std::uint64_t offset, std::string_view data) = 0;
  virtual Result<void> trim(OpContext&, std::uint64_t size) = 0;
};

struct BatchError {
  std::uint32_t row = 0;  ///< 0-based row of the array
  std::uint32_t code = 0;
  std::string text;
};

struct ExecResult {
  std::uint64_t row_count = 0;
  std::string last_rowid;             ///< of the last row touched; may be empty
  bool compiled_with_errors = false;  ///< CREATE PROCEDURE and the like
  bool transaction_open = false;
  std::vector<std::uint64_t> row_counts;  ///< per array row, if asked for
  std::vector<BatchError> batch_errors;
  /// OUT values as text, one entry a bind (nullopt: not OUT, NULL, or below); RAW in lower-case
  /// hex.
  std::vector<std::optional<std::string>> out;
  /// PL/SQL: `out` of every row of an array, whose last one is `out` itself. Empty when nothing is
  /// OUT.
  std::vector<std::vector<std::optional<std::string>>> out_rows;
  /// Index-by tables that came back, per bind the elements.
  std::vector<std::vector<std::optional<std::string>>> arrays;
  /// RETURNING: per bind the values of all rows.
  std::vector<std::vector<std::optional<std::string>>> returned;
  /// LOBs that came back, per bind: one of an OUT bind, one a row of RETURNING or of an array;
  /// nullptr is NULL.
  std::vector<std::vector<std::unique_ptr<Lob>>> lobs;
  /// REF CURSORs of OUT binds, one entry a bind; nullptr elsewhere.
  std::vector<std::unique_ptr<Query>> cursors;
  /// What DBMS_SQL.RETURN_RESULT gave, in its order.
  std::vector<std::unique_ptr<Query>> implicit_results;
};

struct ExecuteOptions {
  bool commit = false;        ///< on success
  bool batch_errors = false;  ///< arrays: go on after a bad row, list the errors
  bool array_row_counts = false;
};

using BindRow = std::vector<Bind>;
/// Rows of text; nullopt is NULL. Kinds as Cell documents them, printed as value_text does.
using TextRow = std::vector<std::optional<std::string>>;

class Session {
 public:
  virtual ~Session() = default;
  /// Errors: kConfig (connect string, encryption levels that do not fit), kTransient (network,
  /// listener), kAuth, kUnsupported (server too old), kPermission.
  static Result<std::unique_ptr<Session>> connect(OpContext&, const ConnectOptions&);

  /// Executes a query and describes it. The session must not be used for anything else until the
  /// Query is at its end or destroyed; what is left of it is then drained by the next call.
  /// Queries with cursor columns, and cursors that statements give, may be read side by side.
  virtual Result<std::unique_ptr<Query>> query(OpContext&, std::string_view sql,
                                               std::span<const Bind> binds = {},
                                               const FetchOptions& options = {}) = 0;
  /// All rows of a small query as text.
  virtual Result<std::vector<TextRow>> rows(OpContext&, std::string_view sql,
                                            std::span<const Bind> binds = {}) = 0;
  /// DML, DDL, PL/SQL, ALTER SESSION.
  virtual Result<ExecResult> execute(OpContext&, std::string_view sql,
                                     std::span<const Bind> binds = {},
                                     const ExecuteOptions& options = {}) = 0;
  /// Array DML: every row has the same number and types of binds. Also a PL/SQL block once a row;
  /// where its binds are IN OUT that takes a round trip a row.
  virtual Result<ExecResult> execute_array(OpContext&, std::string_view sql,
                                           std::span<const BindRow> rows,
                                           const ExecuteOptions& options = {}) = 0;
  /// An empty CLOB (form kNational: NCLOB) or BLOB that lives as long as the object.
  virtual Result<std::unique_ptr<Lob>> create_temporary_lob(
      OpContext&, OracleType type, CharsetForm form = CharsetForm::kDatabase) = 0;
  /// The LOB of a cell that was fetched with LobMode::kHandle. The column's description and the
  /// locator are copied.
  virtual std::unique_ptr<Lob> open_lob(const ColumnDescription& column,
                                        std::string_view locator) = 0;
  virtual Result<void> commit(OpContext&) = 0;
  virtual Result<void> rollback(OpContext&) = 0;
  virtual Result<void> ping(OpContext&) = 0;
  /// Logs off and closes. The object can only be destroyed afterwards.
  virtual Result<void> close(OpContext&) = 0;

  [[nodiscard]] virtual const ServerInfo& server() const = 0;
  [[nodiscard]] virtual bool is_broken() const = 0;
  [[nodiscard]] virtual bool transaction_open() const = 0;
};

}  // namespace wherry::oracle
