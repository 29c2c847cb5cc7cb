// What all DML does with a row of its table: defaults, conversion, checks. Internal to dml*.cpp.
#pragma once

#include <memory>
#include <vector>

#include "exec/binder.h"
#include "exec/dml.h"

namespace orasim {

class DmlTable {
 public:
  /// ORA-00942 at `pos` when the name is no table.
  DmlTable(const ast::Name& name, const std::string& alias, int pos,
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
  /// Fills virtual columns and checks CHECK constraints; ORA-02290.
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
};

/// RETURNING … INTO: expressions over the new (or deleted) row.
class DmlReturning {
 public:
  DmlReturning(const ast::Returning& returning, const DmlTable& table,
               const BindEnvironment& environment);
  void add(const Row& row, const RowId& id, ExecContext& context, DmlResult& result) const;

 private:
  std::vector<Eval> evals_;
};

}  // namespace orasim
