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

namespace orasim {

using Scn = std::uint64_t;

struct ColumnDef {
  std::string name;
  DataType type;
  bool nullable = true;             ///< false also for columns of the primary key
  std::string default_sql;          ///< expression text; empty: none
  bool default_on_null = false;
  bool is_identity = false;
  std::string identity_sequence;    ///< ISEQ$$_nnn
  bool is_virtual = false;
  std::string virtual_sql;
  bool is_hidden = false;
  std::string comment;
};

enum class ConstraintKind : char {
  kPrimaryKey = 'P', kUnique = 'U', kForeignKey = 'R', kCheck = 'C',
};

struct ConstraintDef {
  std::string name;                 ///< SYS_Cnnnnnn when not given
  bool generated_name = false;
  ConstraintKind kind = ConstraintKind::kCheck;
  std::vector<std::string> columns;
  std::string check_sql;            ///< text between the parentheses; `"X" IS NOT NULL` for NOT NULL
  bool is_not_null = false;
  std::string ref_owner, ref_table, ref_constraint;
  std::vector<std::string> ref_columns;
  std::string delete_rule = "NO ACTION";
  bool enabled = true;
  bool validated = true;
  bool deferrable = false;
  std::string index_name;
};

struct IndexDef {
  std::string owner, name;
  bool unique = false;
  bool bitmap = false;
  std::vector<std::string> columns;      ///< column names, or the expression text
  std::vector<bool> descending;
  bool generated_name = false;
};

struct PartitionDef {
  std::string name;
  std::string high_value;
  std::uint32_t position = 1;
};

struct TableDef {
  std::string owner, name;
  std::uint32_t object_id = 0;
  std::uint32_t data_object_id = 0;     ///< changes on TRUNCATE
  std::vector<ColumnDef> columns;
  std::vector<ConstraintDef> constraints;
  std::vector<IndexDef> indexes;
  std::string comment;
  bool index_organized = false;
  bool temporary = false;
  std::string partition_by;             ///< RANGE, LIST, HASH or empty
  std::vector<std::string> partition_columns;
  std::vector<PartitionDef> partitions;
  Scn created_scn = 0;
  /// Index into columns, or -1.
  [[nodiscard]] int find_column(std::string_view name) const;
};

struct SequenceDef {
  std::string owner, name;
  Number start_with, increment_by, min_value, max_value, next_value;
  bool cycle = false, order = false;
  std::uint32_t cache_size = 20;
};

/// Views, triggers, procedures, packages, functions, types, synonyms: kept as text.
struct CodeDef {
  std::string owner, name, kind;        ///< kind: VIEW, TRIGGER, PROCEDURE, SYNONYM, …
  std::string text;                     ///< as sent; for a view the query text
  std::uint32_t object_id = 0;
  bool enabled = true;
  std::string table_owner, table_name;  ///< triggers; synonyms: the target
  std::vector<std::string> view_columns;
};

struct UserDef {
  std::string name, password;
  bool locked = false, expired = false, can_create_session = true;
  std::uint32_t user_id = 0;
};

/// One immutable state of the whole catalog; replaced by DDL.
struct Catalog {
  std::uint64_t version = 0;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const TableDef>> tables;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const SequenceDef>> sequences;
  std::map<std::tuple<std::string, std::string, std::string>, std::shared_ptr<const CodeDef>> code;
  std::map<std::string, std::shared_ptr<const UserDef>> users;
  [[nodiscard]] std::shared_ptr<const TableDef> find_table(std::string_view owner,
                                                           std::string_view name) const;
};

/// Rows of one table as one reader sees them, in ROWID order. Obeys the cancel flag.
class RowScan {
 public:
  virtual ~RowScan() = default;
  virtual bool next(RowId& id, Row& row) = 0;
};

class Store;

class Transaction {
 public:
  virtual ~Transaction() = default;  ///< rolls back
  [[nodiscard]] virtual bool is_open() const = 0;  ///< has written something
  [[nodiscard]] virtual std::string xid() const = 0;  ///< "usn.slot.sqn", for V$TRANSACTION
  [[nodiscard]] virtual Scn start_scn() const = 0;

  /// `row` holds every column of the table, already converted to the column types and checked for
  /// length by the caller. The store checks NOT NULL, unique keys and foreign keys that are enabled
  /// and throws 1400/1407, 1, 2291, 2292; CHECK constraints are the SQL layer's (it can evaluate).
  virtual RowId insert(const TableDef&, const Row& row) = 0;
  /// Waits for another writer of the row. If the row changed after `read_scn` the caller must
  /// restart its statement: returns false and changes nothing.
  virtual bool update(const TableDef&, const RowId&, const Row& row, Scn read_scn) = 0;
  virtual bool remove(const TableDef&, const RowId&, Scn read_scn) = 0;
  virtual bool lock_row(const TableDef&, const RowId&, Scn read_scn, bool nowait) = 0;

  virtual std::uint64_t mark() = 0;                 ///< a statement or savepoint mark
  virtual void rollback_to(std::uint64_t mark) = 0;
  virtual Scn commit() = 0;
  virtual void rollback() = 0;
};

struct TableStats {
  std::uint64_t row_count = 0;
  std::uint64_t bytes = 0;
  std::uint64_t blocks = 0;
};

struct OpenTransaction {
  std::string xid;
  Scn start_scn = 0;
  std::int64_t start_unix_seconds = 0;
  std::uint32_t session_id = 0;
};

class Store {
 public:
  static std::unique_ptr<Store> open(const std::string& data_dir);  ///< empty: memory only
  virtual ~Store() = default;

  [[nodiscard]] virtual std::shared_ptr<const Catalog> catalog() const = 0;
  [[nodiscard]] virtual Scn current_scn() const = 0;
  [[nodiscard]] virtual Scn oldest_readable_scn() const = 0;  ///< older AS OF: ORA-01555
  virtual std::optional<Scn> scn_at(std::int64_t unix_seconds) const = 0;
  [[nodiscard]] virtual std::vector<OpenTransaction> open_transactions() const = 0;
  [[nodiscard]] virtual TableStats stats(const TableDef&) const = 0;

  /// `cancel` may be null; when it turns true, waits and scans throw ORA-01013.
  virtual std::unique_ptr<Transaction> begin(std::uint32_t session_id,
                                             const std::atomic<bool>* cancel) = 0;
  /// Reads at `scn`; with `own`, that transaction's uncommitted rows are seen too.
  virtual std::unique_ptr<RowScan> scan(const TableDef&, Scn scn, const Transaction* own,
                                        const std::atomic<bool>* cancel) = 0;
  /// One row by ROWID; false when it does not exist at that SCN.
  virtual bool fetch(const TableDef&, const RowId&, Scn scn, const Transaction* own, Row& row) = 0;
  /// Rows whose `index_columns` (a unique key or index prefix) equal `key`, through an index when
  /// there is one; nullptr when no index helps and a scan is needed.
  virtual std::unique_ptr<RowScan> lookup(const TableDef&, const std::vector<std::string>& columns,
                                          const Row& key, Scn scn, const Transaction* own,
                                          const std::atomic<bool>* cancel) = 0;

  /// Catalog changes: `edit` gets a copy of the newest catalog and changes it; the result is made
  /// durable and becomes current. Throwing from `edit` changes nothing. Names taken: 955 is thrown
  /// by the callers of this in store/ddl.
  virtual void change_catalog(const std::function<void(Catalog&)>& edit) = 0;
  virtual void truncate(const TableDef&) = 0;
  virtual std::uint32_t next_object_id() = 0;
  /// NEXTVAL: durable enough that a restart never repeats a number (cached values may be skipped).
  virtual Number next_sequence_value(const std::string& owner, const std::string& name) = 0;
};

}  // namespace orasim
