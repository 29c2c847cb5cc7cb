// What the wire server sees of the SQL engine: a database, sessions on it, statements and cursors.
//
// Life-cycle: one Database per process; one Session per connection; Statements are prepared on a
// Session and live until closed; a RowStream lives inside its Statement and reads at the SCN of its
// execution (statement-level read consistency), whatever is committed meanwhile.
// Threads: Database is thread-safe; a Session and all that belongs to it is used by one thread at a
// time, except cancel(), which any thread may call.
// Errors: every function throws OraError; the Session stays usable and the failed statement leaves
// no trace (statement-level rollback).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/value.h"

namespace orasim {

struct ColumnInfo {
  std::string name;
  DataType type;
  bool nullable = true;
};

enum class StatementKind : std::uint8_t { kQuery, kDml, kPlsql, kDdl, kOther };

/// One placeholder occurrence, in wire order: in SQL each occurrence is its own bind, in PL/SQL
/// each distinct name once, in order of first occurrence. Names are upper case without the colon.
struct BindInfo {
  std::string name;
  bool is_returning = false;  ///< a RETURNING … INTO :x placeholder: an out bind of DML
  /// PL/SQL: whether the text of the block reads the bind, and whether it gives it a value.
  bool is_read = false, is_written = false;
};

class RowStream {
 public:
  virtual ~RowStream() = default;
  /// Fills `row` (one Value a column); false at the end. Polls the session's cancel flag and throws
  /// OraError(1013) when it is set.
  virtual bool next(Row& row) = 0;
};

/// A REF CURSOR, a CURSOR (…) column or an implicit result. Whoever fetches takes the rows out.
struct OpenCursor {
  std::vector<ColumnInfo> columns;
  std::unique_ptr<RowStream> rows;  ///< null: closed, or taken by another
};

/// Rows that failed under batch_errors.
struct BatchError {
  std::uint32_t row_index = 0;  ///< 0-based
  int code = 0;
  std::string text;
};

struct ExecuteOptions {
  bool batch_errors = false;
  bool commit_on_success = false;
  std::optional<std::uint64_t> as_of_scn;  ///< from al8i4[5], [6]: consistent read at that SCN
};

struct ExecuteResult {
  std::uint64_t row_count = 0;            ///< DML: rows touched; PL/SQL: 1
  std::vector<std::uint64_t> row_counts;  ///< DML: one per bind row
  std::vector<BatchError> batch_errors;
  std::unique_ptr<RowStream> rows;  ///< queries only
  /// DML RETURNING: [bind row][return bind] -> values, one per affected row.
  std::vector<std::vector<std::vector<Value>>> returning;
  /// PL/SQL: values of all binds after the block, in bind order (IN binds unchanged).
  std::vector<Value> out_binds;
  std::vector<bool> is_out;                 ///< PL/SQL: which binds the text of the block assigns
  std::vector<CursorRef> implicit_results;  ///< PL/SQL: of DBMS_SQL.RETURN_RESULT
  RowId last_row_id;                        ///< all zero: none
  bool success_with_compilation_error = false;
};

class Statement {
 public:
  virtual ~Statement() = default;
  [[nodiscard]] virtual StatementKind kind() const = 0;
  [[nodiscard]] virtual const std::string& sql() const = 0;
  [[nodiscard]] virtual const std::vector<BindInfo>& binds() const = 0;
  /// Queries: the select list, resolved against the catalog of now. Bind types are needed for
  /// nothing but expression types; an untyped bind describes as VARCHAR2.
  [[nodiscard]] virtual const std::vector<ColumnInfo>& columns() const = 0;
  /// Types of the binds of the first execution, as nulls or values in wire order: what columns()
  /// says may depend on them. Calling it is optional; execute() looks at its binds too.
  virtual void use_bind_types(const Row&) {}
  /// True when DDL since prepare() changed what columns() would say; the server then answers a
  /// re-execution with ORA-01007 or describes again.
  [[nodiscard]] virtual bool is_stale() const = 0;
  /// `bind_rows` holds one Row per execution (array DML), values for the non-returning binds in
  /// wire order; empty for no binds means one execution.
  virtual ExecuteResult execute(const std::vector<Row>& bind_rows, const ExecuteOptions&) = 0;
};

/// What a session shows in V$SESSION and uses for USERENV.
struct SessionIdentity {
  std::string user;  ///< upper case unless it was quoted
  std::string program, machine, os_user, terminal, process;
  std::uint32_t session_id = 0;
  std::uint32_t serial_number = 0;
  bool at_root = false;  ///< of a container database
};

/// What a client says of the work it does: V$SESSION and SYS_CONTEXT show it.
struct EndToEnd {
  std::string module, action, client_identifier, client_info;
};

class Session {
 public:
  virtual ~Session() = default;  ///< rolls back what is open
  /// Parses and resolves. Throws with the position of the mistake.
  virtual std::unique_ptr<Statement> prepare(std::string_view sql) = 0;
  virtual void commit() = 0;
  virtual void rollback() = 0;
  [[nodiscard]] virtual bool in_transaction() const = 0;
  /// Starts a call: what was cancelled before counts no more. Statements and row streams that run
  /// until the next one belong to this call.
  virtual void begin_call() = 0;
  /// The call is over: V$SESSION shows the session INACTIVE again.
  virtual void end_call() = 0;
  /// Makes what the call runs, now or later, throw ORA-01013 soon.
  virtual void cancel() = 0;
  /// Puts what `change` makes of a LOB into the row that this session's statements gave it out of.
  /// Throws ORA-22920 when the open transaction has not locked that row.
  virtual void change_lob(const Lob& given,
                          const std::function<Lob(const Lob& current)>& change) = 0;
  [[nodiscard]] virtual const SessionIdentity& identity() const = 0;
  /// The path behind a directory's name; ORA-22285: no such directory, 22286: no right to read it.
  virtual std::string directory_path(std::string_view name) = 0;
  virtual void set_current_schema(std::string_view schema) = 0;
  [[nodiscard]] virtual const EndToEnd& end_to_end() const = 0;
  virtual void set_end_to_end(EndToEnd) = 0;
};

/// Password verifiers are made by the server from the clear password; the engine only keeps it.
struct UserInfo {
  std::string name;
  std::string password;
  bool locked = false;             ///< ALTER USER … ACCOUNT LOCK: ORA-28000
  bool expired = false;            ///< ALTER USER … PASSWORD EXPIRE: ORA-28001
  bool can_create_session = true;  ///< false: ORA-01045
};

struct DatabaseOptions {
  std::string data_dir;  ///< empty: memory only
  std::string service_name = "SIM";
  /// Makes it a pluggable database; the service of the root that it is plugged into.
  std::string root_service = {};
  std::string version = "19.22.0.0.0";
  bool extended_strings = true;  ///< MAX_STRING_SIZE = EXTENDED, from 12.1 on
  std::string emulate = "19";    ///< 12.2 | 19 | 23: decides V$VERSION, BOOLEAN, identifiers
};

class Database {
 public:
  /// Opens or creates; recovers what was committed before a crash. Throws OraError or
  /// std::runtime_error with a message that names the file.
  static std::unique_ptr<Database> open(const DatabaseOptions&);
  virtual ~Database() = default;
  virtual std::unique_ptr<Session> connect(SessionIdentity) = 0;
  /// nullopt: no such user.
  virtual std::optional<UserInfo> find_user(std::string_view name) = 0;
  /// Makes the user or changes its password; it becomes an administrator (role DBA).
  virtual void ensure_user(std::string_view name, std::string_view password) = 0;
  virtual void change_password(std::string_view name, std::string_view password) = 0;
  [[nodiscard]] virtual const DatabaseOptions& options() const = 0;
  [[nodiscard]] virtual std::uint64_t current_scn() const = 0;
};

/// Splits a SQL*Plus-style script into statements: `;` ends SQL, a line with `/` ends PL/SQL;
/// REM, PROMPT, SET and comments are skipped. Used by --script.
std::vector<std::string> split_script(std::string_view text);

}  // namespace orasim
