// Binding queries.
#include <algorithm>

#include "exec/query_plan.h"

namespace orasim {

namespace {

class QueryBinder {
 public:
  QueryBinder(const BindEnvironment& environment, const Scope* outer,
              std::vector<const ast::Cte*> ctes)
      : env_(environment), outer_(outer), ctes_(std::move(ctes)) {
    env_.ctes = ctes_;
  }

  std::shared_ptr<BoundQuery> bind(const ast::Query& query) {
    for (const ast::Cte& cte : query.with) ctes_.push_back(&cte);
    env_.ctes = ctes_;
    auto plan = std::make_shared<QueryPlan>();
    plan->lock = query.lock;
    env_.locks_rows = query.lock != ast::RowLock::kNone;
    if (query.op == ast::SetOperator::kNone && query.block) {
      plan->block =
          bind_block(*query.block, query.order_by, query.order_siblings, env_, ctes_, outer_);
      if (query.lock_wait_secs)
        plan->block->lock_wait = std::chrono::seconds(*query.lock_wait_secs);
      for (const OutputColumn& column : plan->block->output) plan->columns.push_back(column.info);
      plan->is_correlated = plan->block->scope.reaches_outer;
    } else if (query.op == ast::SetOperator::kNone) {
      // Parentheses around a query.
      plan->op = ast::SetOperator::kNone;
      plan->left = QueryBinder(env_, outer_, ctes_).bind(*query.left);
      plan->columns = plan->left->columns();
      plan->is_correlated = plan->left->is_correlated();
      order_by_position(query.order_by, *plan);
    } else {
      bind_set(query, *plan);
    }
    Scope empty;
    empty.outer = outer_;
    if (query.offset) plan->offset = Binder(env_, empty).condition(*query.offset);
    if (query.fetch) plan->fetch = Binder(env_, empty).condition(*query.fetch);
    plan->is_correlated = plan->is_correlated || empty.reaches_outer;
    plan->fetch_percent = query.fetch_percent;
    plan->with_ties = query.with_ties;
    return std::make_shared<BoundQuery>(std::move(plan));
  }

 private:
  void bind_set(const ast::Query& query, QueryPlan& plan) {
    plan.op = query.op;
    plan.left = QueryBinder(env_, outer_, ctes_).bind(*query.left);
    plan.right = QueryBinder(env_, outer_, ctes_).bind(*query.right);
    plan.is_correlated = plan.left->is_correlated() || plan.right->is_correlated();
    const auto& a = plan.left->columns();
    const auto& b = plan.right->columns();
    if (a.size() != b.size()) raise(1789, query.begin);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto family = [](Type t) {
        return is_text(t) ? 1 : is_numeric(t) ? 2 : is_datetime(t) ? 3 : 10 + static_cast<int>(t);
      };
      const bool is_all = query.op == ast::SetOperator::kUnionAll;
      if (!is_all && (is_long(a[i].type.type) || is_long(b[i].type.type))) raise(997, query.begin);
      ColumnInfo info = a[i];
      // An untyped NULL of one side takes the other's type.
      const bool null_a = is_text(a[i].type.type) && a[i].type.size_bytes <= 1 && a[i].nullable;
      const bool null_b = is_text(b[i].type.type) && b[i].type.size_bytes <= 1 && b[i].nullable;
      if (family(a[i].type.type) != family(b[i].type.type) && !null_a && !null_b)
        raise(1790, query.begin);
      info.type = null_a ? b[i].type : null_b ? a[i].type : common_type(a[i].type, b[i].type);
      info.nullable = a[i].nullable || b[i].nullable;
      plan.columns.push_back(std::move(info));
    }
    order_by_position(query.order_by, plan);
  }

  void order_by_position(const std::vector<ast::OrderItem>& items, QueryPlan& plan) {
    Scope output;
    output.outer = outer_;
    for (const ColumnInfo& info : plan.columns) {
      ScopeColumn c;
      c.name = info.name;
      c.type = info.type;
      output.columns.push_back(std::move(c));
    }
    for (const ast::OrderItem& item : items) {
      OrderKey key = order_key(item);
      key.position = literal_position(*item.expr, plan.columns.size());
      if (key.position < 0) key.eval = Binder(env_, output).condition(*item.expr);
      plan.order.push_back(std::move(key));
    }
    plan.is_correlated = plan.is_correlated || output.reaches_outer;
  }

  BindEnvironment env_;
  const Scope* outer_;
  std::vector<const ast::Cte*> ctes_;
};

}  // namespace

std::shared_ptr<BoundQuery> bind_query(const ast::Query& query, const BindEnvironment& environment,
                                       const Scope* outer) {
  return QueryBinder(environment, outer, environment.ctes).bind(query);
}

}  // namespace orasim
