// What all DML does with a row of its table: defaults, conversion, checks. Internal to dml*.cpp.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "exec/binder.h"
#include "exec/dml.h"
#include "exec/partitions.h"

namespace orasim {

class DmlTable {
 public:
  /// ORA-00942 at `pos` when the name is no table.
  DmlTable(const ast::Name& name, const std::string& alias, int pos,
           const BindEnvironment& environment);
  DmlTable(std::shared_ptr<const TableDef> table, const std::string& alias,
           const BindEnvironment& environment);

  [[nodiscard]] const TableDef& def() const { return *table_; }
  [[nodiscard]] std::shared_ptr<const TableDef> shared() const { return table_; }
  [[nodiscard]] const Scope& scope() const { return scope_; }
  /// Index of a column; ORA-00904.
  std::size_t column(const ast::Ident& name) const;
  /// Value as the column stores it.
  Value converted(const Value& value, std::size_t column, ExecContext& context) const;
  /// DEFAULT of a column, or the next number of its identity; NULL without either.
  Value default_value(std::size_t column, ExecContext& context) const;
  /// Fills virtual columns, checks CHECK constraints and that there is a partition; ORA-02290,
  /// ORA-14400.
  void complete(Row& row, ExecContext& context) const;

 private:
  struct Check {
    std::string name;
    Eval condition;
  };
  void bind_texts(const BindEnvironment& environment);

  std::shared_ptr<const TableDef> table_;
  Scope scope_;
  std::vector<Eval> defaults_;
  std::vector<std::pair<std::size_t, Eval>> virtuals_;
  std::vector<Check> checks_;
  std::vector<std::string> column_texts_;  ///< "O"."T"."C" for messages
  std::optional<Partitions> partitions_;
};

/// RETURNING … INTO: expressions over the new (or deleted) row.
class DmlReturning {
 public:
  DmlReturning(const ast::Returning& returning, const DmlTable& table,
               const BindEnvironment& environment);
  void add(const Row& row, const RowId& id, ExecContext& context, DmlResult& result) const;

 private:
  std::shared_ptr<const TableDef> table_;
  std::vector<Eval> evals_;
};

/// New rows of one table, from values for some of its columns.
class RowMaker {
 public:
  /// `table` must outlive the maker. `given` says which values are not DEFAULT.
  RowMaker(const DmlTable& table, const std::vector<ast::Ident>& names,
           const std::vector<bool>& given);
  [[nodiscard]] std::size_t width() const { return columns_.size(); }
  /// An empty optional is DEFAULT.
  Row make(std::vector<std::optional<Value>> values, ExecContext& context) const;

 private:
  const DmlTable& table_;
  std::vector<std::size_t> columns_;
};

/// SET clauses. `scope` says what their values may read, `column_of` which column a name sets.
class SetClauses {
 public:
  SetClauses(const std::vector<ast::Assignment>& assignments, const DmlTable& table,
             const BindEnvironment& environment, const Scope& scope,
             const std::function<std::size_t(const ast::Ident&)>& column_of);
  void apply(Row& row, const Frame& f, const DmlTable& table) const;
  [[nodiscard]] std::vector<std::size_t> columns() const;

 private:
  struct Clause {
    std::vector<std::size_t> columns;
    Eval eval;
    std::shared_ptr<BoundQuery> query;
  };
  static void apply_query(const Clause& clause, Row& row, const Frame& f, const DmlTable& table);

  std::vector<Clause> clauses_;
};

/// A query whose rows stand for rows of a base table: UPDATE (SELECT …), or of a view.
class UpdatableView {
 public:
  UpdatableView(const ast::Query& query, const std::string& alias,
                const std::vector<std::string>& names, const BindEnvironment& environment);
  /// The select list as columns.
  [[nodiscard]] const Scope& scope() const { return scope_; }
  /// FROM item and column behind a select item; ORA-00904, ORA-01733.
  std::pair<int, std::string> origin(const ast::Ident& name) const;
  /// The table of a FROM item; its ROWID becomes the last column of the rows.
  std::shared_ptr<const TableDef> choose(int table);
  /// Whose rights on the table count.
  [[nodiscard]] const Access& access() const { return *access_; }
  [[nodiscard]] int first_table() const;
  std::unique_ptr<RowStream> open(ExecContext& context) const { return query_->open(context); }

 private:
  std::shared_ptr<BoundQuery> query_;
  Scope scope_;
  std::shared_ptr<const Access> access_;
};
/// What a statement wants to do with a view.
struct ViewRights {
  std::string privilege;             ///< INSERT, UPDATE or DELETE
  std::vector<std::string> columns;  ///< empty: all
  bool reads = false;                ///< there is a WHERE
  int pos = 0;
};

/// The view behind a name or the query in its place; null for a table.
std::unique_ptr<UpdatableView> find_view(const ast::Name& name, const ast::QueryPtr& query,
                                         const std::string& alias,
                                         const BindEnvironment& environment,
                                         const ViewRights& rights);

/// A row changed after the statement's read point: everything is done again at a newer one.
struct Restart {};
/// Runs `body` until it ends without Restart; ORA-08177 in a serializable transaction.
DmlResult with_restarts(ExecContext& context, const std::function<DmlResult()>& body);

}  // namespace orasim
