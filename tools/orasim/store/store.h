// The simulator's row store and catalog: version chains keyed by ROWID, so that read consistency,
// flashback, savepoints, undo and (later) redo come from one structure.
//
// A version carries the SCN its transaction committed at (or the id of its open transaction) and
// points to the version before it. A reader at SCN s walks to the newest version committed at or
// before s, or written by its own transaction. Commit takes the next SCN and stamps it on the
// transaction's record, which all its versions share: commit is one store, atomic for all readers.
// DDL commits the caller's transaction first and is itself committed at once, as in Oracle.
//
// Threads: Store is thread-safe. A Transaction belongs to one thread; a RowScan too. Writers of the
// same row wait for each other (row lock = uncommitted newest version); a wait is woken by commit,
// rollback or the waiter's cancel flag (OraError 1013); a cycle of waiters throws ORA-00060 in one.
// With a data directory every commit and DDL is appended to a log (length, CRC) and flushed with
// fdatasync before commit() returns; open() replays it and cuts off a torn tail.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error.h"
#include "engine/value.h"
#include "store/habits.h"
#include "store/privileges.h"

namespace orasim {

using Scn = std::uint64_t;

struct ColumnDef {
  std::string name;
  DataType type;
  bool nullable = true;     ///< false also for columns of the primary key
  std::string default_sql;  ///< expression text; empty: none
  bool default_on_null = false;
  bool is_identity = false;
  std::string identity_sequence;  ///< ISEQ$$_nnn
  bool is_virtual = false;
  std::string virtual_sql;
  bool is_hidden = false;
  std::string comment;
  bool identity_always = false;  ///< GENERATED ALWAYS; false: BY DEFAULT
  /// Place in the stored row image; never changes and is never reused. Set by store/ddl.
  std::uint16_t stored_slot = 0;
  /// ADD COLUMN with a default: what rows written before read as (NULL otherwise).
  Value value_when_absent;
};

enum class ConstraintKind : char {
  kPrimaryKey = 'P',
  kUnique = 'U',
  kForeignKey = 'R',
  kCheck = 'C',
};

struct ConstraintDef {
  std::string name;  ///< SYS_Cnnnnnn when not given
  bool generated_name = false;
  ConstraintKind kind = ConstraintKind::kCheck;
  std::vector<std::string> columns;
  std::string check_sql;  ///< text between the parentheses; `"X" IS NOT NULL` for NOT NULL
  bool is_not_null = false;
  std::string ref_owner, ref_table, ref_constraint;
  std::vector<std::string> ref_columns;
  std::string delete_rule = "NO ACTION";
  bool enabled = true;
  bool validated = true;
  bool deferrable = false;
  std::string index_name;
  bool initially_deferred = false;
  std::string index_owner;        ///< empty: the table's owner
  std::int64_t changed_unix = 0;  ///< seconds; LAST_CHANGE
};

struct IndexDef {
  std::string owner, name;
  bool unique = false;
  bool bitmap = false;
  std::vector<std::string> columns;  ///< column names, or the expression text
  std::vector<bool> descending;
  bool generated_name = false;
  std::uint32_t object_id = 0;
  std::int64_t created_unix = 0;
  /// False for columns that are plain names; an expression makes the index function-based: kept in
  /// the dictionary, not maintained (the store does not evaluate expressions).
  bool function_based = false;
  bool made_for_constraint = false;  ///< goes when the key is dropped or disabled
};

struct PartitionDef {
  std::string name;
  std::string high_value;
  std::uint32_t position = 1;
};

enum class LogGroupKind : std::uint8_t { kUser, kAll, kPrimaryKey, kUnique, kForeignKey };

/// Supplemental log group of a table.
struct LogGroupDef {
  std::string name;  ///< SYS_Cnnnnnn when not given
  bool generated_name = false;
  LogGroupKind kind = LogGroupKind::kUser;
  bool always = false;
  std::vector<std::string> columns;  ///< kUser
};

/// What ALTER DATABASE ADD SUPPLEMENTAL LOG DATA has set.
struct SupplementalLogging {
  bool minimal = false, primary_key = false, unique = false, foreign_key = false, all = false;
  bool force_logging = false;  ///< ALTER DATABASE FORCE LOGGING
  /// V$DATABASE.SUPPLEMENTAL_LOG_DATA_MIN is IMPLICIT when only a higher level was asked for.
  [[nodiscard]] bool is_on() const {
    return minimal || primary_key || unique || foreign_key || all;
  }
};

struct TableDef {
  std::string owner, name;
  std::uint32_t object_id = 0;
  std::uint32_t data_object_id = 0;  ///< changes on TRUNCATE
  std::vector<ColumnDef> columns;
  std::vector<ConstraintDef> constraints;
  std::vector<IndexDef> indexes;
  std::string comment;
  bool index_organized = false;
  bool temporary = false;
  std::string partition_by;  ///< RANGE, LIST, HASH or empty
  std::vector<std::string> partition_columns;
  std::vector<PartitionDef> partitions;
  Scn created_scn = 0;
  std::int64_t created_unix = 0, last_ddl_unix = 0;  ///< seconds since 1970, UTC
  std::uint16_t next_stored_slot = 0;
  /// Catalog version of the last change of the columns. A Transaction refuses a TableDef of another
  /// layout than the current one with ORA-08103.
  std::uint64_t layout_version = 0;
  /// Catalog version of the last change of columns, constraints or indexes. Such a change is
  /// refused with ORA-00054 while another transaction has changed rows of the table.
  std::uint64_t structure_version = 0;
  /// AS OF an older SCN fails with ORA-01466 (column dropped or retyped, table truncated).
  Scn readable_from_scn = 0;
  bool preserves_rows = false;  ///< temporary: ON COMMIT PRESERVE ROWS
  bool interval_partitioned = false;
  std::string interval_sql;
  std::vector<LogGroupDef> log_groups;
  /// Index into columns, or -1.
  [[nodiscard]] int find_column(std::string_view name) const;
};

struct SequenceDef {
  std::string owner, name;
  /// next_value is where numbering (re)starts; what is used up since is the store's to know.
  Number start_with, increment_by, min_value, max_value, next_value;
  bool cycle = false, order = false;
  std::uint32_t cache_size = 20;  ///< 0: NOCACHE
  std::uint32_t object_id = 0;
  std::int64_t created_unix = 0, last_ddl_unix = 0;
  std::uint32_t restarts = 0;  ///< raised when next_value is to be used anew (RESTART)
};

/// Views, triggers, procedures, packages, functions, types, synonyms: kept as text.
struct CodeDef {
  std::string owner, name, kind;  ///< kind: VIEW, TRIGGER, PROCEDURE, SYNONYM, …
  std::string text;               ///< as sent; for a view the query text
  std::uint32_t object_id = 0;
  bool enabled = true;
  std::string table_owner, table_name;  ///< triggers; synonyms: the target
  std::vector<std::string> view_columns;
  /// Views: as the query had them when it was bound; none of one that was made with errors.
  std::vector<ColumnDef> columns;
  std::int64_t created_unix = 0, last_ddl_unix = 0;
  bool valid = true;                                   ///< ALL_OBJECTS.STATUS
  std::string comment;                                 ///< views
  std::map<std::string, std::string> column_comments;  ///< views, by column name
  std::shared_ptr<const ObjectType> type;              ///< types
};

struct UserDef {
  std::string name, password;
  bool locked = false, expired = false;
  std::uint32_t user_id = 0;
  std::int64_t created_unix = 0;
};

/// One immutable state of the whole catalog; replaced by DDL.
struct Catalog {
  std::uint64_t version = 0;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const TableDef>> tables;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const SequenceDef>> sequences;
  std::map<std::tuple<std::string, std::string, std::string>, std::shared_ptr<const CodeDef>> code;
  std::map<std::string, std::shared_ptr<const UserDef>> users;
  /// Users, roles and PUBLIC as holders of grants; who was granted nothing is not there.
  std::map<std::string, std::shared_ptr<const PrincipalDef>> principals;
  SupplementalLogging supplemental;
  [[nodiscard]] std::shared_ptr<const TableDef> find_table(std::string_view owner,
                                                           std::string_view name) const;
  [[nodiscard]] std::shared_ptr<const SequenceDef> find_sequence(std::string_view owner,
                                                                 std::string_view name) const;
  [[nodiscard]] std::shared_ptr<const CodeDef> find_code(std::string_view owner,
                                                         std::string_view name,
                                                         std::string_view kind) const;

  // Counters and the moment of the change, for use inside Store::change_catalog only.
  std::uint32_t next_object_id = 73000;
  std::uint32_t next_constraint_number = 7500;  ///< SYS_C00nnnn
  std::uint32_t next_user_id = 100;
  std::int64_t edit_unix_seconds = 0;  ///< set by the store before `edit` runs
  Scn edit_scn = 0;                    ///< SCN the change will be committed at
};

/// Rows of one table as one reader sees them, in ROWID order. Obeys the cancel flag. With an own
/// transaction, its changes made before the scan was opened are seen and later ones are not, so a
/// statement may change the table that it is scanning. `row` is reused: values are overwritten.
/// Virtual columns are not stored and read as NULL; the SQL layer computes them.
class RowScan {
 public:
  virtual ~RowScan() = default;
  virtual bool next(RowId& id, Row& row) = 0;
};

class Store;
class RedoLog;

/// A DDL statement, for the redo of the catalog change that it makes.
struct DdlText {
  std::string sql, user;
  std::uint32_t session_id = 0;
};

class Transaction {
 public:
  virtual ~Transaction() = default;                   ///< rolls back
  [[nodiscard]] virtual bool is_open() const = 0;     ///< has written something
  [[nodiscard]] virtual std::string xid() const = 0;  ///< "usn.slot.sqn", for V$TRANSACTION
  [[nodiscard]] virtual Scn start_scn() const = 0;

  /// `row` holds every column of the table, already converted to the column types and checked for
  /// length by the caller. The store checks NOT NULL, unique keys and foreign keys that are enabled
  /// and throws 1400/1407, 1, 2291, 2292; CHECK constraints are the SQL layer's (it can evaluate).
  virtual RowId insert(const TableDef&, const Row& row) = 0;
  /// Keys are checked at once where the outcome cannot change within the statement, otherwise by
  /// end_statement() (an UPDATE may pass through duplicates; a foreign key may refer to a row of
  /// the same statement).
  /// Waits for another writer of the row. If the row changed after `read_scn` the caller must
  /// restart its statement: returns false and changes nothing.
  virtual bool update(const TableDef&, const RowId&, const Row& row, Scn read_scn) = 0;
  /// update() of a LOB alone, by a piece: the redo has the piece.
  virtual bool write_lob(const TableDef&, const RowId&, const Row& row, Scn read_scn) = 0;
  virtual bool remove(const TableDef&, const RowId&, Scn read_scn) = 0;
  /// `wait`: how long for another writer, then ORA-30006; zero: not at all, ORA-00054; nullopt: as
  /// long as it takes.
  virtual bool lock_row(const TableDef&, const RowId&, Scn read_scn,
                        std::optional<std::chrono::seconds> wait) = 0;

  /// Call when a DML statement has made all its changes: runs the checks that were put off. Throws
  /// like insert(); the caller then rolls back to the statement's mark. commit() runs what is left.
  virtual void end_statement() = 0;
  /// Runs the checks of deferred constraints now; throws like end_statement().
  virtual void check_deferred() = 0;
  virtual std::uint64_t mark() = 0;  ///< a statement or savepoint mark
  virtual void rollback_to(std::uint64_t mark) = 0;
  virtual Scn commit() = 0;
  virtual void rollback() = 0;
};

struct TableStats {
  std::uint64_t row_count = 0;  ///< committed rows
  std::uint64_t bytes = 0;      ///< of all extents; 0: no segment yet
  std::uint64_t blocks = 0;     ///< of all extents
  std::uint64_t row_bytes = 0;  ///< of the committed rows themselves
};

struct OpenTransaction {
  std::string xid;
  Scn start_scn = 0;
  std::int64_t start_unix_seconds = 0;
  std::uint32_t session_id = 0;
};

/// A run of blocks that belongs to one segment.
struct ExtentInfo {
  std::uint16_t file = 0;
  std::uint32_t first_block = 0;
  std::uint32_t block_count = 0;
};

/// What tells this database from every other one, its own re-creation included.
struct DatabaseIdentity {
  std::uint32_t database_id = 0;  ///< V$DATABASE.DBID
  std::int64_t created_unix = 0;
  Scn resetlogs_scn = 0;
};

/// Part of a table by the addresses of its rows, both ends included.
struct RowIdRange {
  std::optional<RowId> first, last;
};

class Store {
 public:
  static std::unique_ptr<Store> open(const std::string& data_dir);  ///< empty: memory only
  virtual ~Store() = default;

  [[nodiscard]] virtual std::shared_ptr<const Catalog> catalog() const = 0;
  [[nodiscard]] virtual Scn current_scn() const = 0;
  [[nodiscard]] virtual Scn oldest_readable_scn() const = 0;  ///< older AS OF: ORA-01555
  virtual std::optional<Scn> scn_at(std::int64_t unix_seconds) const = 0;
  /// When `scn` was current; nullopt: not a number of this database (ORA-08181).
  [[nodiscard]] virtual std::optional<std::int64_t> time_of(Scn scn) const = 0;
  /// Like Oracle's own clock of changes, moves on without a change; returns the new SCN.
  virtual Scn advance_scn() = 0;
  /// From now on reading at an SCN below `oldest` fails with ORA-01555, also in running scans that
  /// meet a changed row. Never moves back. By default everything stays readable.
  virtual void discard_undo_before(Scn oldest) = 0;
  [[nodiscard]] virtual std::vector<OpenTransaction> open_transactions() const = 0;
  [[nodiscard]] virtual TableStats stats(const TableDef&) const = 0;

  /// `cancel` may be null; when it turns true, waits and scans throw ORA-01013.
  /// `user` is whom the redo names.
  virtual std::unique_ptr<Transaction> begin(std::uint32_t session_id,
                                             const std::atomic<bool>* cancel,
                                             const std::string& user = {}) = 0;
  /// Reads at `scn`; with `own`, that transaction's uncommitted rows are seen too.
  virtual std::unique_ptr<RowScan> scan(const TableDef&, Scn scn, const Transaction* own,
                                        const std::atomic<bool>* cancel,
                                        const RowIdRange& range = {}) = 0;
  /// One row by ROWID; false when it does not exist at that SCN.
  virtual bool fetch(const TableDef&, const RowId&, Scn scn, const Transaction* own, Row& row) = 0;
  /// When the version of the row that is seen at `scn` was committed; 0: no such row.
  virtual Scn row_scn(const TableDef&, const RowId&, Scn scn) = 0;
  /// Rows whose `index_columns` (a unique key or index prefix) equal `key`, through an index when
  /// there is one; nullptr when no index helps and a scan is needed. CHAR keys match whatever their
  /// trailing blanks are: the caller still checks its own condition.
  virtual std::unique_ptr<RowScan> lookup(const TableDef&, const std::vector<std::string>& columns,
                                          const Row& key, Scn scn, const Transaction* own,
                                          const std::atomic<bool>* cancel) = 0;

  /// Data rules of the new definition are checked against the rows (1452, 2437, 2299, 2298, 2296,
  /// 1449, 1758, 1439, 1440, 1441).
  /// Catalog changes: `edit` gets a copy of the newest catalog and changes it; the result is made
  /// durable and becomes current. Throwing from `edit` changes nothing. Names taken: 955 is thrown
  /// by the callers of this in store/ddl.
  /// `ddl`: what the redo says of it; null: nothing.
  virtual void change_catalog(const std::function<void(Catalog&)>& edit,
                              const DdlText* ddl = nullptr) = 0;
  virtual void truncate(const TableDef&, const DdlText* ddl = nullptr) = 0;
  /// Not inside change_catalog: there the catalog's own counter is used.
  virtual std::uint32_t next_object_id() = 0;
  /// NEXTVAL: durable enough that a restart never repeats a number (cached values may be skipped).
  /// Throws 2289 (no such sequence) and 8004 (exhausted).
  virtual Number next_sequence_value(const std::string& owner, const std::string& name) = 0;
  /// ALL_SEQUENCES.LAST_NUMBER: the first number not handed to the cache yet.
  [[nodiscard]] virtual Number sequence_last_number(const SequenceDef&) const = 0;
  /// Where the rows of the table lie, in order: for DBA_EXTENTS and splits by ROWID range.
  [[nodiscard]] virtual std::vector<ExtentInfo> extents(const TableDef&) const = 0;
  [[nodiscard]] virtual DatabaseIdentity identity() const = 0;

  [[nodiscard]] virtual RedoLog& redo() const = 0;
  /// The next redo log file of the session's instance, or of all. Changes of open transactions are
  /// in the one that is left, as a switch binds all that was made before.
  virtual void switch_log(std::uint32_t session_id) = 0;
  virtual void switch_all_logs() = 0;
  /// RedoLog::disable_thread(). ORA-01615 while a transaction of the instance is open.
  virtual bool disable_thread(std::uint32_t thread) = 0;
  [[nodiscard]] virtual Habits& habits() const = 0;
  /// Undo of that age may be gone: reading what needs it is ORA-01555. 900 at first.
  virtual void set_undo_retention(std::chrono::seconds age) = 0;
};

}  // namespace orasim
