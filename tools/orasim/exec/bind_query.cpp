// Binding queries.
#include <algorithm>

#include "exec/query_plan.h"

namespace orasim {

using ast::ExprKind;

namespace {

/// The name Oracle gives an unnamed select item: its text in upper case without blanks.
std::string derived_name(const ast::Expr& e, std::string_view sql) {
  if (e.kind == ExprKind::kName) return e.name.back().text;
  if (sql.size() < static_cast<std::size_t>(e.end)) return "EXPR";
  std::string out;
  char quote = '\0';
  for (int i = e.begin; i < e.end; ++i) {
    const char c = sql[static_cast<std::size_t>(i)];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
      out += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      out += c;
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

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
    plan->for_update = query.for_update;
    plan->nowait = query.nowait;
    if (query.op == ast::SetOperator::kNone && query.block) {
      bind_block(*query.block, query.order_by, *plan);
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
  }

  static OrderKey order_key(const ast::OrderItem& item) {
    OrderKey key;
    key.descending = item.descending;
    // Oracle sorts NULL as the greatest value.
    key.nulls_first = item.nulls_first.value_or(item.descending);
    return key;
  }

  static int literal_position(const ast::Expr& e, std::size_t columns) {
    if (e.kind != ExprKind::kLiteral || e.value.type != Type::kNumber || e.value.is_null())
      return -1;
    const auto n = e.value.number().to_int();
    if (!n || *n < 1 || *n > static_cast<std::int64_t>(columns)) raise(1785, e.begin);
    return static_cast<int>(*n) - 1;
  }

  void bind_block(const ast::QueryBlock& block, const std::vector<ast::OrderItem>& order,
                  QueryPlan& plan) {
    plan.block = std::make_unique<BlockPlan>();
    BlockPlan& b = *plan.block;
    b.scope.outer = outer_;
    b.distinct = block.distinct;
    b.has_connect_by = block.connect_by != nullptr;
    std::vector<Conjunct> rest;
    b.from = bind_from(block, env_, ctes_, b.scope, !b.has_connect_by, rest, plan.is_correlated);
    b.width = b.scope.columns.size();
    if (b.has_connect_by) rest = bind_conjuncts(block.where.get(), env_, b.scope);
    add_filters(rest, b);
    bind_hierarchy(block, b);
    Binder binder(env_, b.scope);
    binder.aggregates = &b.aggregates;
    binder.analytics = &b.analytics;
    binder.analytic_base = static_cast<int>(b.width);
    if (!block.grouping_sets.empty()) {
      raise_text(439, "feature not enabled: GROUPING SETS", block.pos);
    }
    for (const auto& e : block.group_by) {
      Binder plain(env_, b.scope);
      b.group_by.push_back(plain.condition(*e));
    }
    for (const ast::SelectItem& item : block.items) select_item(item, b, binder);
    if (block.having) b.having = binder.condition(*block.having);
    for (const OutputColumn& column : b.output) plan.columns.push_back(column.info);
    for (const ast::OrderItem& item : order) b.order.push_back(block_order(item, block, b, binder));
    b.is_grouped = block.has_group_by || !b.group_by.empty() || !b.aggregates.empty();
    if (b.is_grouped && !b.analytics.empty()) {
      raise_text(439, "feature not enabled: analytic calls over groups", block.pos);
    }
    b.width += b.analytics.size();
    plan.is_correlated = plan.is_correlated || touches_outer(block, order);
  }

  /// Whether any name of the block means a column of a query around it: asked once, by binding the
  /// pieces again with a binder of their own.
  bool touches_outer(const ast::QueryBlock& block, const std::vector<ast::OrderItem>& order) {
    if (outer_ == nullptr) return false;
    Scope scope;
    scope.outer = outer_;
    std::vector<Conjunct> rest;
    bool correlated = false;
    bind_from(block, env_, ctes_, scope, false, rest, correlated);
    std::vector<Aggregate> aggregates;
    std::vector<Analytic> analytics;
    Binder binder(env_, scope);
    binder.aggregates = &aggregates;
    binder.analytics = &analytics;
    const auto look = [&](const ast::Expr* e) {
      if (e != nullptr) binder.expression(*e);
    };
    look(block.where.get());
    look(block.having.get());
    look(block.start_with.get());
    look(block.connect_by.get());
    for (const auto& item : block.items) {
      if (item.expr->kind != ExprKind::kStar) look(item.expr.get());
    }
    for (const auto& e : block.group_by) look(e.get());
    static_cast<void>(order);
    return binder.uses_outer || correlated;
  }

  void add_filters(std::vector<Conjunct>& rest, BlockPlan& b) {
    for (Conjunct& c : rest) {
      if (!c.uses_rownum) {
        b.filters.push_back(std::move(c.eval));
        continue;
      }
      // ROWNUM < n and <= n, once false, stay false.
      const ast::Expr& e = *c.expr;
      const bool monotone =
          e.kind == ExprKind::kCompare && (e.op == "<" || e.op == "<=" || e.op == "=") &&
          e.args[0]->kind == ExprKind::kName && e.args[0]->name.back().text == "ROWNUM";
      b.rownum_filters.push_back(std::move(c.eval));
      b.rownum_ends.push_back(monotone);
    }
  }

  void bind_hierarchy(const ast::QueryBlock& block, BlockPlan& b) {
    if (!b.has_connect_by) return;
    b.connect_by = Binder(env_, b.scope).condition(*block.connect_by);
    if (block.start_with) b.start_with = Binder(env_, b.scope).condition(*block.start_with);
    b.connects_priors = has_prior(*block.connect_by);
  }

  static bool has_prior(const ast::Expr& e) {
    if (e.kind == ExprKind::kUnary && e.op == "PRIOR") return true;
    return std::any_of(e.args.begin(), e.args.end(),
                       [](const auto& arg) { return arg && has_prior(*arg); });
  }

  void select_item(const ast::SelectItem& item, BlockPlan& b, Binder& binder) {
    if (item.expr->kind == ExprKind::kStar) return star(*item.expr, b);
    BoundExpr bound = binder.expression(*item.expr);
    OutputColumn out;
    out.info.name = item.alias.empty() ? derived_name(*item.expr, env_.sql) : item.alias.text;
    out.info.type = bound.type;
    out.info.nullable = bound.nullable;
    out.slot = bound.slot;
    out.eval = std::move(bound.eval);
    b.output.push_back(std::move(out));
  }

  void star(const ast::Expr& e, BlockPlan& b) {
    bool found = false;
    for (std::size_t i = 0; i < b.scope.columns.size(); ++i) {
      const ScopeColumn& c = b.scope.columns[i];
      if (!e.name.empty() && e.name.back().text != c.qualifier) continue;
      found = true;
      if (c.is_hidden) continue;
      OutputColumn out;
      out.info = {c.name, c.type, c.nullable};
      out.slot = static_cast<int>(i);
      out.eval = [i](const Frame& f) { return (*f.row)[i]; };
      b.output.push_back(std::move(out));
    }
    if (!found)
      raise_invalid_identifier(
          "\"" + (e.name.empty() ? std::string("*") : e.name.back().text) + "\"", e.begin);
  }

  OrderKey block_order(const ast::OrderItem& item, const ast::QueryBlock& block, BlockPlan& b,
                       Binder& binder) {
    OrderKey key = order_key(item);
    key.position = literal_position(*item.expr, b.output.size());
    if (key.position >= 0) return key;
    // An alias of the select list comes before a column of the tables.
    if (item.expr->kind == ExprKind::kName && item.expr->name.size() == 1) {
      for (std::size_t i = 0; i < block.items.size() && block.items.size() == b.output.size();
           ++i) {
        if (!block.items[i].alias.empty() && block.items[i].alias.text == item.expr->name[0].text) {
          key.position = static_cast<int>(i);
          return key;
        }
      }
    }
    key.eval = binder.condition(*item.expr);
    return key;
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
