// Binding one SELECT block.
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

void split(const ast::Expr* e, std::vector<const ast::Expr*>& out) {
  if (e->kind != ExprKind::kAnd) return out.push_back(e);
  split(e->args[0].get(), out);
  split(e->args[1].get(), out);
}

/// Whether an expression has PRIOR, and one that is not of a plain column.
bool has_prior(const ast::Expr& e) {
  if (e.kind == ExprKind::kUnary && e.op == "PRIOR") return true;
  return std::any_of(e.args.begin(), e.args.end(),
                     [](const auto& arg) { return arg && has_prior(*arg); });
}
bool has_prior_of_call(const ast::Expr& e) {
  if (e.kind == ExprKind::kUnary && e.op == "PRIOR") return e.args[0]->kind != ExprKind::kName;
  return std::any_of(e.args.begin(), e.args.end(),
                     [](const auto& arg) { return arg && has_prior_of_call(*arg); });
}

class BlockBinder {
 public:
  BlockBinder(const ast::QueryBlock& block, const std::vector<ast::OrderItem>& order,
              bool order_siblings, const BindEnvironment& environment, const Scope* outer)
      : block_(block),
        order_(order),
        order_siblings_(order_siblings),
        env_(environment),
        plan_(std::make_unique<BlockPlan>()) {
    plan_->scope.outer = outer;
    plan_->scope.has_tree = block.connect_by != nullptr;
    plan_->analytic_base = std::make_shared<std::size_t>(0);
  }

  std::unique_ptr<BlockPlan> bind(const std::vector<const ast::Cte*>& ctes) {
    bind_rows(ctes);
    plan_->distinct = block_.distinct;
    Binder binder(env_, plan_->scope);
    binder.analytics = &plan_->analytics;
    binder.analytic_base = plan_->analytic_base;
    if (is_grouped()) {
      bind_group();
      binder.groups = &groups_;
    }
    for (const ast::SelectItem& item : block_.items) select_item(item, binder);
    for (const OutputColumn& column : plan_->output) {
      if (plan_->distinct && is_long(column.info.type.type)) raise(997, block_.pos);
    }
    if (block_.having) plan_->having = having(binder);
    if (!order_siblings_) {
      for (const ast::OrderItem& item : order_) plan_->order.push_back(order_item(item, binder));
    }
    *plan_->analytic_base = row_width();
    return std::move(plan_);
  }

 private:
  /// FROM, WHERE and CONNECT BY.
  void bind_rows(const std::vector<const ast::Cte*>& ctes) {
    BlockPlan& b = *plan_;
    const bool has_tree = block_.connect_by != nullptr;
    std::vector<Conjunct> rest;
    b.from = bind_from(block_, env_, ctes, b.scope, !has_tree, rest);
    b.from_width = b.scope.columns.size();
    if (has_tree) {
      rest = bind_conjuncts(block_.where.get(), env_, b.scope);
      bind_hierarchy();
    }
    for (Conjunct& c : rest) add_filter(c);
  }

  void add_filter(Conjunct& c) {
    if (!c.uses_rownum) return plan_->filters.push_back(std::move(c.eval));
    // ROWNUM < n and <= n, once false, stay false.
    const ast::Expr& e = *c.expr;
    const bool monotone =
        e.kind == ExprKind::kCompare && (e.op == "<" || e.op == "<=" || e.op == "=") &&
        e.args[0]->kind == ExprKind::kName && e.args[0]->name.back().text == "ROWNUM";
    plan_->rownum_filters.push_back(std::move(c.eval));
    plan_->rownum_ends.push_back(monotone);
  }

  void bind_hierarchy() {
    plan_->hierarchy = std::make_unique<HierarchyPlan>();
    HierarchyPlan& h = *plan_->hierarchy;
    const Scope& scope = plan_->scope;
    h.connect_by = Binder(env_, scope).condition(*block_.connect_by);
    if (block_.start_with) h.start_with = Binder(env_, scope).condition(*block_.start_with);
    h.has_prior = has_prior(*block_.connect_by);
    h.checks_loops = h.has_prior && !has_prior_of_call(*block_.connect_by);
    h.nocycle = block_.nocycle;
    std::vector<const ast::Expr*> conjuncts;
    split(block_.connect_by.get(), conjuncts);
    for (const ast::Expr* e : conjuncts) add_connect_key(*e);
    if (!order_siblings_) return;
    for (const ast::OrderItem& item : order_) {
      const OrderKey key = order_key(item);
      h.siblings.push_back(
          {Binder(env_, scope).condition(*item.expr), key.descending, key.nulls_first});
    }
  }

  void add_connect_key(const ast::Expr& e) {
    if (e.kind != ExprKind::kCompare || e.op != "=" || !e.quantifier.empty()) return;
    if (e.args[0]->kind == ExprKind::kRow) return;
    const bool first = has_prior(*e.args[0]);
    if (first == has_prior(*e.args[1])) return;
    const BoundExpr parent = Binder(env_, plan_->scope).expression(*e.args[first ? 0 : 1]);
    const BoundExpr child = Binder(env_, plan_->scope).expression(*e.args[first ? 1 : 0]);
    if (!hashes_alike(parent.type, child.type) || child.slot < 0) return;
    plan_->hierarchy->keys.emplace_back(parent.eval, child.eval);
  }

  [[nodiscard]] bool is_grouped() const {
    const auto in_item = [](const auto& item) { return has_aggregate(*item.expr); };
    return block_.has_group_by || block_.having ||
           std::any_of(block_.items.begin(), block_.items.end(), in_item) ||
           std::any_of(order_.begin(), order_.end(), in_item);
  }

  void bind_group() {
    plan_->group = std::make_unique<GroupPlan>();
    GroupPlan& g = *plan_->group;
    g.has_group_by = block_.has_group_by;
    for (const auto& e : block_.group_by) {
      Binder plain(env_, plan_->scope);
      BoundExpr key = plain.expression(*e);
      if (is_lob(key.type.type)) raise_inconsistent("-", type_word(key.type.type), e->begin);
      g.keys.push_back(key.eval);
      g.key_slots.push_back(key.slot);
      groups_.keys.push_back(plain.shape(*e));
      groups_.key_exprs.push_back(std::move(key));
    }
    g.sets = block_.grouping_sets;
    if (g.sets.empty()) {
      g.sets.emplace_back();
      for (std::size_t i = 0; i < g.keys.size(); ++i) g.sets[0].push_back(static_cast<int>(i));
    }
    groups_.first_slot = plan_->from_width;
    groups_.aggregates = &g.aggregates;
    groups_.has_group_by = block_.has_group_by;
    const bool nested =
        std::any_of(block_.items.begin(), block_.items.end(),
                    [](const ast::SelectItem& item) { return has_nested_aggregate(*item.expr); });
    if (!nested) return;
    if (!block_.has_group_by) raise_text(978, "nested group function without GROUP BY", block_.pos);
    groups_.outer_aggregates = &g.outer_aggregates;
  }

  /// Of aggregates of aggregates, HAVING still chooses among the groups.
  Eval having(Binder& binder) {
    if (groups_.outer_aggregates == nullptr) return binder.condition(*block_.having);
    GroupScope inner = groups_;
    inner.outer_aggregates = nullptr;
    Binder of_groups(env_, plan_->scope);
    of_groups.groups = &inner;
    return of_groups.condition(*block_.having);
  }

  [[nodiscard]] std::size_t row_width() const {
    if (!plan_->group) return plan_->from_width;
    return groups_.first_aggregate() + plan_->group->aggregates.size();
  }

  void select_item(const ast::SelectItem& item, Binder& binder) {
    if (item.expr->kind == ExprKind::kStar) return star(*item.expr, binder);
    BoundExpr bound = binder.expression(*item.expr);
    OutputColumn out;
    out.info.name = item.alias.empty() ? derived_name(*item.expr, env_.sql) : item.alias.text;
    out.info.type = bound.type;
    out.info.nullable = bound.nullable;
    out.slot = bound.slot;
    out.eval = std::move(bound.eval);
    plan_->output.push_back(std::move(out));
  }

  /// * and t.*; columns of USING come first and once.
  void star(const ast::Expr& e, Binder& binder) {
    const auto& columns = plan_->scope.columns;
    bool found = false;
    for (const bool joined : {true, false}) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const ScopeColumn& c = columns[i];
        if (!e.name.empty() && e.name.back().text != c.qualifier) continue;
        found = true;
        if (!c.is_hidden && (c.joined_with >= 0) == joined) star_column(i, e, binder);
      }
    }
    if (!found)
      raise_invalid_identifier(
          "\"" + (e.name.empty() ? std::string("*") : e.name.back().text) + "\"", e.begin);
  }

  void star_column(std::size_t slot, const ast::Expr& e, Binder& binder) {
    const ScopeColumn& c = plan_->scope.columns[slot];
    OutputColumn out;
    out.info = {c.name, c.type, c.nullable};
    ast::Expr name;
    name.kind = ExprKind::kName;
    name.begin = e.begin;
    if (c.joined_with >= 0 || plan_->group) {
      if (c.joined_with < 0) name.name.push_back({c.qualifier, true, e.begin});
      name.name.push_back({c.name, true, e.begin});
      out.eval = binder.expression(name).eval;
    } else {
      out.slot = static_cast<int>(slot);
    }
    plan_->output.push_back(std::move(out));
  }

  OrderKey order_item(const ast::OrderItem& item, Binder& binder) {
    OrderKey key = order_key(item);
    key.position = literal_position(*item.expr, plan_->output.size());
    if (key.position >= 0) return key;
    key.position = selected(*item.expr);
    if (key.position >= 0) return key;
    BoundExpr by = binder.expression(*item.expr);
    if (is_long(by.type.type)) raise(997, item.expr->begin);
    key.eval = std::move(by.eval);
    return key;
  }

  /// The select item that a single name means, or -1. An alias comes before a column of the tables,
  /// and a selected column before others of its name.
  int selected(const ast::Expr& e) const {
    const bool is_word = e.kind == ExprKind::kName && e.name.size() == 1;
    if (!is_word || block_.items.size() != plan_->output.size()) return -1;
    int column = -1, columns = 0;
    for (std::size_t i = 0; i < block_.items.size(); ++i) {
      const ast::SelectItem& item = block_.items[i];
      if (!item.alias.empty()) {
        if (item.alias.text == e.name[0].text) return static_cast<int>(i);
      } else if (item.expr && item.expr->kind == ExprKind::kName &&
                 item.expr->name.back().text == e.name[0].text) {
        column = static_cast<int>(i);
        ++columns;
      }
    }
    if (columns != 1) return -1;
    // A LONG is refused by the caller.
    return is_long(plan_->output[static_cast<std::size_t>(column)].info.type.type) ? -1 : column;
  }

  const ast::QueryBlock& block_;
  const std::vector<ast::OrderItem>& order_;
  bool order_siblings_;
  const BindEnvironment& env_;
  std::unique_ptr<BlockPlan> plan_;
  GroupScope groups_;
};

}  // namespace

OrderKey order_key(const ast::OrderItem& item) {
  OrderKey key;
  key.descending = item.descending;
  key.nulls_first = item.nulls_first.value_or(item.descending);
  return key;
}

int literal_position(const ast::Expr& e, std::size_t columns) {
  if (e.kind != ExprKind::kLiteral || e.value.type != Type::kNumber || e.value.is_null()) return -1;
  const auto n = e.value.number().to_int();
  if (!n || *n < 1 || *n > static_cast<std::int64_t>(columns)) raise(1785, e.begin);
  return static_cast<int>(*n) - 1;
}

std::unique_ptr<BlockPlan> bind_block(const ast::QueryBlock& block,
                                      const std::vector<ast::OrderItem>& order, bool order_siblings,
                                      const BindEnvironment& environment,
                                      const std::vector<const ast::Cte*>& ctes,
                                      const Scope* outer) {
  return BlockBinder(block, order, order_siblings, environment, outer).bind(ctes);
}

}  // namespace orasim
