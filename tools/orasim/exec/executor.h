// Queries and expressions made ready to run. Binding resolves every name to a slot of a row once;
// running is then calls of closures, without names and without the syntax tree.
//
// A Scope says what names mean; a Frame holds the row they mean it for. A subquery's scope and
// frame point to those of the query around it (correlation). Threads: what is bound belongs to one
// session. Errors: OraError.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/session.h"
#include "exec/access.h"
#include "exec/ast.h"
#include "exec/errors.h"
#include "exec/functions.h"
#include "exec/types.h"
#include "store/dictionary.h"
#include "store/store.h"

namespace orasim {

using SequenceKey = std::pair<std::string, std::string>;
struct DictionaryRows;  // row_source.cpp
struct TableHash;       // row_source.cpp
class TableRows;
struct WorkingTable;  // recursive_with.h

/// What one execution of a statement depends on. Lives as long as its row streams.
class LockedLobs;
namespace logminer {
class LogMinerSession;
}

struct ExecContext {
  Store* store = nullptr;
  Transaction* transaction = nullptr;  ///< own rows are seen through it; may be null
  Scn scn = 0;                         ///< the statement's read point
  bool is_serializable = false;        ///< a row changed after `scn` is ORA-08177, not a restart
  const Row* binds = nullptr;
  FunctionContext functions;
  const std::atomic<bool>* cancel = nullptr;
  std::map<SequenceKey, Number>* current_values = nullptr;  ///< CURRVAL of the session
  std::function<DictionaryContext()> dictionary;
  /// Counts executions, so that subqueries know when their kept results are old.
  std::uint64_t execution_id = 0;
  /// NEXTVAL gives one number a row, however often it is named.
  std::map<SequenceKey, Number> row_sequence_values;
  /// Rows of dictionary views, made once an execution.
  std::map<const DictionaryView*, std::shared_ptr<const DictionaryRows>> dictionary_rows;
  /// Tables without a fitting index that are opened again and again, as in correlated subqueries.
  std::map<const TableRows*, std::shared_ptr<TableHash>> table_hashes;
  /// Names of temporary tables that lose their rows at the next commit; null: not kept.
  std::set<std::pair<std::string, std::string>>* touched_temporary = nullptr;
  LockedLobs* locked_lobs = nullptr;  ///< null: not kept
  logminer::LogMinerSession* logminer = nullptr;

  [[nodiscard]] const ConvertContext& convert() const { return functions.convert; }
  /// ORA-01013 when the session was told to cancel.
  void check_cancel() const;
};

/// Where a row of CONNECT BY stands in its tree.
struct TreePlace {
  std::vector<const Row*> path;  ///< from the root to the row itself
  bool is_leaf = false, is_cycle = false;
};

struct Frame {
  const Row* row = nullptr;
  const Frame* outer = nullptr;
  ExecContext* context = nullptr;
  std::int64_t rownum = 0;
  std::int64_t level = 0;
  const Row* prior = nullptr;  ///< parent row of CONNECT BY
  const TreePlace* tree = nullptr;
};

using Eval = std::function<Value(const Frame&)>;

struct BoundExpr {
  DataType type;
  Eval eval;
  bool nullable = true;
  int slot = -1;             ///< a plain column of the innermost scope
  bool is_constant = false;  ///< needs no row (literals, binds)
};

struct ScopeColumn {
  std::string qualifier;  ///< alias or table name
  std::string schema;     ///< of a table without alias
  std::string name;
  DataType type;
  bool nullable = true;
  bool is_hidden = false;              ///< ROWID, ORA_ROWSCN: not part of *
  int table = 0;                       ///< index of the FROM item
  const TableDef* rowid_of = nullptr;  ///< ROWID: of which table
  int joined_with = -1;  ///< USING, NATURAL: slot of the same column on the other side
};

struct Scope {
  std::vector<ScopeColumn> columns;  ///< slot i of a row
  const Scope* outer = nullptr;
  bool has_tree = false;  ///< CONNECT BY: LEVEL and its like have a meaning
  /// Set while binding: a name meant a column of a query around this one.
  mutable bool reaches_outer = false;
};

class QueryPlan;  // run_query.cpp

/// A query ready to run.
class BoundQuery {
 public:
  explicit BoundQuery(std::shared_ptr<QueryPlan> plan);
  ~BoundQuery();
  [[nodiscard]] const std::vector<ColumnInfo>& columns() const;
  [[nodiscard]] bool is_correlated() const;
  /// `outer` is the frame of the query around, or null. The context must outlive the stream.
  std::unique_ptr<RowStream> open(ExecContext& context, const Frame* outer = nullptr) const;
  /// FOR UPDATE: the table and the slot of its ROWID; nullptr when rows are not locked.
  [[nodiscard]] std::shared_ptr<QueryPlan> plan() const { return plan_; }

 private:
  std::shared_ptr<QueryPlan> plan_;
};

/// What binding depends on.
struct BindEnvironment {
  std::shared_ptr<const Catalog> catalog;
  Store* store = nullptr;
  std::string current_schema;
  std::string user;
  std::string_view sql;               ///< text the positions point into
  const Row* bind_samples = nullptr;  ///< types of binds, when they are known
  /// PL/SQL variables by name; they are constants while a statement runs.
  const std::map<std::string, Value>* variables = nullptr;
  std::vector<const ast::Cte*> ctes = {};  ///< WITH queries in sight
  /// Inside the second part of a recursive WITH query: its name and what it reads.
  std::vector<std::pair<std::string, std::shared_ptr<WorkingTable>>> recursive = {};
  std::shared_ptr<const Access> access = {};  ///< whose rights count: in a view its owner's
  bool needs_from = true;                     ///< false: as of 23ai FROM may be left out
  bool locks_rows = false;                    ///< the query at hand is FOR UPDATE
  /// Of a view that is read AS OF: its tables are, too.
  Eval as_of = {};
  bool as_of_is_time = false;
  Release release = {};
};

/// ORA-00904, 00918, 00942 … with position.
std::shared_ptr<BoundQuery> bind_query(const ast::Query& query, const BindEnvironment& environment,
                                       const Scope* outer = nullptr);

/// The virtual columns of a table by slot: expressions over a row of table_scope().
std::vector<std::pair<std::size_t, Eval>> virtual_columns(const TableDef& table,
                                                          const BindEnvironment& environment);
/// A table's columns as a scope: one slot a column, then ROWID. `alias` may be empty.
Scope table_scope(const TableDef& table, const std::string& alias, const Scope* outer = nullptr);

/// Expressions and conditions over a scope. Conditions evaluate to BOOLEAN or NULL.
BoundExpr bind_expression(const ast::Expr& expr, const BindEnvironment& environment,
                          const Scope& scope);
/// A value used as a condition; ORA-00920 when it is no BOOLEAN. REQUIRES: not null.
inline bool truth(const Value& v) {
  const bool* b = std::get_if<bool>(&v.data);
  if (b == nullptr) raise(920);
  return *b;
}
inline bool is_true(const Value& v) {
  return !v.is_null() && truth(v);
}

/// Finds a table by name through synonyms; null when it is no table.
std::shared_ptr<const TableDef> resolve_table(const BindEnvironment& environment,
                                              const ast::Name& name);

/// The same for code of one of the kinds, as a view.
std::shared_ptr<const CodeDef> resolve_code(const BindEnvironment& environment,
                                            const ast::Name& name,
                                            std::initializer_list<const char*> kinds);

/// Rows of one table that may satisfy `where` (all conjuncts are checked by the caller): by ROWID
/// or a range of them, or through an index when an equality allows it. Slots as in table_scope():
/// ROWID is the last.
class TableRows {
 public:
  TableRows(std::shared_ptr<const TableDef> table, const ast::Expr* where,
            const BindEnvironment& environment, const Scope& scope, int table_index = 0);
  /// `own`: whose uncommitted rows are seen too; null for none.
  std::unique_ptr<RowStream> open(ExecContext& context, const Frame* outer, Scn scn,
                                  const Transaction* own) const;

 private:
  std::shared_ptr<const TableDef> table_;
  struct Lookup {
    std::vector<std::string> columns;
    std::vector<Eval> values;
    std::vector<DataType> types;
  };
  using Source = std::pair<Scn, const Transaction*>;
  std::unique_ptr<RowStream> stored(ExecContext& context, const Frame* outer, Source from) const;
  std::unique_ptr<RowStream> hashed(ExecContext& context, const Frame& f, Source from) const;
  bool key_of(const Lookup& lookup, const Frame& f, Row& key) const;
  bool rowid_range(const Frame& f, RowIdRange& range) const;

  std::optional<Eval> rowid_;
  std::vector<Eval> rowids_from_, rowids_to_;
  std::vector<Lookup> lookups_;
  Lookup equalities_;  ///< all of them, for hashing where no index helps
  std::vector<std::pair<std::size_t, Eval>> virtuals_;  ///< computed, as they are not stored
};

/// Bytes that are equal exactly when two values compare equal; for hashing and DISTINCT.
std::string value_key(const Value& v);
std::string row_key(const Row& row);

}  // namespace orasim
