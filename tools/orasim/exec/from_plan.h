// The FROM clause made ready: a tree of sources and joins over one wide row.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "exec/binder.h"
#include "exec/row_source.h"

namespace orasim {

struct FromNode {
  // A leaf has a source; a join has children.
  std::unique_ptr<RowSource> source;
  std::shared_ptr<const TableDef> table;       ///< leaf over a base table
  const DictionaryView* dictionary = nullptr;  ///< leaf over a view of the dictionary
  int table_index = -1;
  ast::JoinKind kind = ast::JoinKind::kInner;
  std::unique_ptr<FromNode> left, right;
  std::size_t begin = 0, end = 0;  ///< slots of a leaf or of a contiguous subtree
  std::vector<Type> types;         ///< of a leaf's slots: what NULL is of an outer join
  std::set<int> tables;
  std::vector<Eval> conditions;                  ///< of a join; of a leaf: a filter
  std::vector<std::pair<Eval, Eval>> hash_keys;  ///< left side, right side
  bool is_lateral = false;  ///< a leaf that is opened anew for each row of the left side
};

/// Rows of the tree; each is the wide row.
std::unique_ptr<RowStream> open_from(const FromNode& node, std::size_t width, ExecContext& context,
                                     const Frame* outer);

/// A conjunct of WHERE or ON with what it touches.
struct Conjunct {
  const ast::Expr* expr = nullptr;
  Eval eval;
  std::set<int> tables;
  bool uses_rownum = false;
  int outer_table = -1;  ///< marked with (+)
  // For an equality: both sides.
  Eval left, right;
  std::set<int> left_tables, right_tables;
  bool is_hashable = false;
};
std::vector<Conjunct> bind_conjuncts(const ast::Expr* where, const BindEnvironment& environment,
                                     const Scope& scope);
/// Attaches a conjunct to a join: as a hash key when its sides belong to the two children.
void attach(FromNode& join, const Conjunct& conjunct);

/// Binds the FROM clause: fills `scope` and returns the tree, WHERE conjuncts attached where they
/// can be decided early; those that cannot are left in `rest`.
std::unique_ptr<FromNode> bind_from(const ast::QueryBlock& block,
                                    const BindEnvironment& environment,
                                    const std::vector<const ast::Cte*>& ctes, Scope& scope,
                                    bool attach_where, std::vector<Conjunct>& rest);
/// Whether values of the two types are equal exactly when their value_key() is.
bool hashes_alike(const DataType& a, const DataType& b);

}  // namespace orasim
