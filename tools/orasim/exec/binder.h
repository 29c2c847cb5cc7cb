// Turns syntax trees of expressions into closures; only the binding files include this.
#pragma once

#include <set>

#include "exec/aggregate.h"
#include "exec/errors.h"
#include "exec/executor.h"
#include "exec/types.h"
#include "exec/window.h"

namespace orasim {

/// How the expressions of a grouped block see its rows: the slots of FROM (of one row of the
/// group), the keys, the number of the grouping set's left-out keys as bits, the aggregates.
struct GroupScope {
  std::vector<std::string> keys;     ///< shapes
  std::vector<BoundExpr> key_exprs;  ///< over a row of FROM
  std::size_t first_slot = 0;        ///< of the keys
  std::vector<Aggregate>* aggregates = nullptr;
  /// Set when the select list has aggregates of aggregates: then it sees only these.
  std::vector<Aggregate>* outer_aggregates = nullptr;
  bool has_group_by = false;
  [[nodiscard]] std::size_t set_slot() const { return first_slot + keys.size(); }
  [[nodiscard]] std::size_t first_aggregate() const { return set_slot() + 1; }
};

/// From this release on TRUE and FALSE are values in SQL.
inline constexpr int kBooleanRelease = 23;

class Binder {
 public:
  Binder(const BindEnvironment& environment, const Scope& scope)
      : env_(environment), scope_(scope) {}

  BoundExpr expression(const ast::Expr& e);
  /// Three-valued condition.
  Eval condition(const ast::Expr& e) { return expression(e).eval; }
  /// Equal for expressions that mean the same.
  [[nodiscard]] std::string shape(const ast::Expr& e) const;

  /// Set for the select list, HAVING and ORDER BY of a grouped block; without, aggregates are
  /// ORA-00934.
  const GroupScope* groups = nullptr;
  /// Analytic calls are collected here; without, they are ORA-30483.
  std::vector<Analytic>* analytics = nullptr;
  std::shared_ptr<std::size_t> analytic_base;  ///< slot of the first result, known at the end

  // What the bound expressions have touched so far.
  std::set<int> used_tables;  ///< FROM items of the innermost scope
  bool uses_rownum = false;

 private:
  BoundExpr name(const ast::Expr& e);
  BoundExpr pseudo_column(const ast::Expr& e, const std::string& word);
  std::optional<BoundExpr> column(const ast::Expr& e);
  BoundExpr sequence_value(const ast::Expr& e);
  std::optional<BoundExpr> variable(const ast::Expr& e);
  /// bind_index_table.cpp: nullopt when the name is no index-by table in sight.
  std::optional<BoundExpr> index_table(const ast::Expr& e);
  BoundExpr bind(const ast::Expr& e);
  BoundExpr unary(const ast::Expr& e);
  BoundExpr binary(const ast::Expr& e);
  BoundExpr concat(BoundExpr a, BoundExpr b);
  BoundExpr cursor_subquery(const ast::Expr& e);
  void need_package(const ast::Expr& e, const std::string& full) const;
  BoundExpr call(const ast::Expr& e);
  std::optional<BoundExpr> method_of_column(const ast::Expr& e);
  std::optional<BoundExpr> part_of_column(const ast::Expr& e);
  static std::optional<BoundExpr> attribute(BoundExpr object, const std::string& name);
  BoundExpr json_member(BoundExpr document, const ast::Expr& e, std::size_t from);
  BoundExpr constructor(const ast::Expr& e, std::shared_ptr<const ObjectType> type);
  BoundExpr of_kind(const ast::Expr& e);
  BoundExpr literal(const ast::Expr& e);
  BoundExpr key_column(std::size_t key) const;
  BoundExpr tree_value(const ast::Expr& e);
  BoundExpr tree_path(const ast::Expr& e);
  BoundExpr lnnvl(const ast::Expr& e);
  BoundExpr row_scn(const ast::Expr& e);

  // bind_aggregate.cpp
  BoundExpr aggregate(const ast::Expr& e, const std::string& name);
  Aggregate aggregate_call(const ast::Expr& e, const std::string& name);
  BoundExpr grouping(const ast::Expr& e);
  BoundExpr analytic(const ast::Expr& e, const std::string& name);
  void window(const ast::WindowSpec& spec, Analytic& a);
  std::vector<SortKey> sort_keys(const std::vector<ast::OrderItem>& items);
  int group_key(const ast::Expr& e) const;
  BoundExpr case_of(const ast::Expr& e);
  BoundExpr cast(const ast::Expr& e);
  BoundExpr extract(const ast::Expr& e);
  BoundExpr at_time_zone(const ast::Expr& e);
  BoundExpr interval_of(const ast::Expr& e);
  BoundExpr scalar_subquery(const ast::Expr& e);

  BoundExpr compare(const ast::Expr& e);
  Eval comparable(const ast::Expr& e);
  BoundExpr compare_rows(const ast::Expr& e);
  BoundExpr compare_any(const ast::Expr& e);
  BoundExpr between(const ast::Expr& e);
  BoundExpr like(const ast::Expr& e);
  BoundExpr in(const ast::Expr& e);
  BoundExpr in_list(const ast::Expr& e);
  BoundExpr in_subquery(const ast::Expr& e);
  BoundExpr exists(const ast::Expr& e);
  BoundExpr is_test(const ast::Expr& e);
  BoundExpr logic(const ast::Expr& e);

  std::shared_ptr<BoundQuery> subquery(const ast::Query& q);

  const BindEnvironment& env_;
  const Scope& scope_;
  bool in_aggregate_ = false, in_outer_aggregate_ = false;
};

/// The index of an element, a whole number; ORA-06502 for NULL.
std::int64_t table_index(const Value& index, const ConvertContext& c);
/// Slot of a column name in one scope, or -1; ORA-00918.
int find_column(const Scope& scope, const ast::Expr& name);
bool has_aggregate(const ast::Expr& e);
bool has_nested_aggregate(const ast::Expr& e);

inline Value boolean(bool b) {
  return Value{Type::kBoolean, false, b};
}
inline Value unknown() {
  return make_null(Type::kBoolean);
}
inline BoundExpr bound_condition(Eval eval) {
  BoundExpr out;
  out.type = simple_type(Type::kBoolean);
  out.eval = std::move(eval);
  return out;
}
/// Common type of several results (CASE branches, UNION columns).
DataType common_type(const DataType& a, const DataType& b);

/// a op b with Oracle's rules for numbers, dates and intervals; + - * /.
Value arithmetic(char op, const Value& a, const Value& b, const ConvertContext& c);
DataType arithmetic_type(char op, const DataType& a, const DataType& b);
/// LIKE with % _ and an optional escape character; ORA-01424, 01425.
bool like_matches(std::string_view text, std::string_view pattern, std::string_view escape);

}  // namespace orasim
