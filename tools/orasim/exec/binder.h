// Turns syntax trees of expressions into closures; only the binding files include this.
#pragma once

#include <set>

#include "exec/errors.h"
#include "exec/executor.h"
#include "exec/types.h"

namespace orasim {

class Binder {
 public:
  Binder(const BindEnvironment& environment, const Scope& scope)
      : env_(environment), scope_(scope) {}

  BoundExpr expression(const ast::Expr& e);
  /// Three-valued condition.
  Eval condition(const ast::Expr& e) { return expression(e).eval; }

  /// Aggregates and analytic calls are collected here when set; without, they are ORA-00934.
  std::vector<Aggregate>* aggregates = nullptr;
  std::vector<Analytic>* analytics = nullptr;
  int analytic_base = 0;  ///< slot of the first analytic result

  // What the bound expressions have touched so far.
  std::set<int> used_tables;  ///< FROM items of the innermost scope
  bool uses_outer = false;
  bool uses_rownum = false;

 private:
  BoundExpr name(const ast::Expr& e);
  BoundExpr pseudo_column(const ast::Expr& e, const std::string& word);
  std::optional<BoundExpr> column(const ast::Expr& e);
  BoundExpr sequence_value(const ast::Expr& e);
  BoundExpr bind(const ast::Expr& e);
  BoundExpr unary(const ast::Expr& e);
  BoundExpr binary(const ast::Expr& e);
  BoundExpr concat(BoundExpr a, BoundExpr b);
  BoundExpr call(const ast::Expr& e);
  BoundExpr aggregate(const ast::Expr& e, const std::string& name);
  BoundExpr analytic(const ast::Expr& e, const std::string& name);
  BoundExpr case_of(const ast::Expr& e);
  BoundExpr cast(const ast::Expr& e);
  BoundExpr extract(const ast::Expr& e);
  BoundExpr at_time_zone(const ast::Expr& e);
  BoundExpr interval_of(const ast::Expr& e);
  BoundExpr scalar_subquery(const ast::Expr& e);

  BoundExpr compare(const ast::Expr& e);
  BoundExpr compare_rows(const ast::Expr& e);
  BoundExpr compare_any(const ast::Expr& e);
  BoundExpr between(const ast::Expr& e);
  BoundExpr like(const ast::Expr& e);
  BoundExpr in(const ast::Expr& e);
  BoundExpr in_subquery(const ast::Expr& e);
  BoundExpr exists(const ast::Expr& e);
  BoundExpr is_test(const ast::Expr& e);
  BoundExpr logic(const ast::Expr& e);

  std::shared_ptr<BoundQuery> subquery(const ast::Query& q);

  const BindEnvironment& env_;
  const Scope& scope_;
};

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
bool is_aggregate_name(const std::string& name);

/// a op b with Oracle's rules for numbers, dates and intervals; + - * /.
Value arithmetic(char op, const Value& a, const Value& b, const ConvertContext& c);
DataType arithmetic_type(char op, const DataType& a, const DataType& b);
/// LIKE with % _ and an optional escape character; ORA-01424, 01425.
bool like_matches(std::string_view text, std::string_view pattern, std::string_view escape);

}  // namespace orasim
