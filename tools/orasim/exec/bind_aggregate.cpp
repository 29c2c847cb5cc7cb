// Binding aggregate and analytic calls.
#include <algorithm>

#include "exec/binder.h"

namespace orasim {

using ast::ExprKind;

namespace {

std::string plain_name(const ast::Expr& call) {
  return call.name.size() == 1 ? call.name[0].text : std::string();
}

bool is_aggregate_call(const ast::Expr& e) {
  if (e.kind != ExprKind::kCall || e.window) return false;
  const std::string name = plain_name(e);
  return is_aggregate_name(name) || name == "GROUPING" || name == "GROUPING_ID";
}

template <class Visit>
bool any_part(const ast::Expr& e, Visit visit) {
  const auto of_list = [&](const std::vector<ast::OrderItem>& items) {
    return std::any_of(items.begin(), items.end(), [&](const auto& i) { return visit(*i.expr); });
  };
  const auto of_exprs = [&](const std::vector<ast::ExprPtr>& list) {
    return std::any_of(list.begin(), list.end(), [&](const auto& x) { return x && visit(*x); });
  };
  return of_exprs(e.args) || of_list(e.within) ||
         (e.window && (of_exprs(e.window->partition) || of_list(e.window->order)));
}

}  // namespace

bool has_aggregate(const ast::Expr& e) {
  return is_aggregate_call(e) || any_part(e, has_aggregate);
}

bool has_nested_aggregate(const ast::Expr& e) {
  if (is_aggregate_call(e)) return any_part(e, has_aggregate);
  return any_part(e, has_nested_aggregate);
}

std::vector<SortKey> Binder::sort_keys(const std::vector<ast::OrderItem>& items) {
  std::vector<SortKey> keys;
  for (const ast::OrderItem& item : items) {
    keys.push_back(
        {condition(*item.expr), item.descending, item.nulls_first.value_or(item.descending)});
  }
  return keys;
}

Aggregate Binder::aggregate_call(const ast::Expr& e, const std::string& name) {
  Aggregate a;
  a.name = name;
  a.distinct = e.distinct;
  a.position = e.begin;
  a.keep = e.keep;
  a.star = !e.args.empty() && e.args[0]->kind == ExprKind::kStar;
  if (e.args.empty()) raise(909, e.begin);
  if (!a.star) {
    BoundExpr argument = expression(*e.args[0]);
    a.argument = std::move(argument.eval);
    a.argument_type = argument.type;
    if (e.args.size() > 1) a.second = condition(*e.args[1]);
  }
  a.order = sort_keys(e.within);
  return a;
}

BoundExpr Binder::aggregate(const ast::Expr& e, const std::string& name) {
  if (groups == nullptr || in_aggregate_) raise(934, e.begin);
  const bool is_outer = groups->outer_aggregates != nullptr && !in_outer_aggregate_;
  if (is_outer && !has_nested_aggregate(e)) raise(937, e.begin);
  bool& flag = is_outer ? in_outer_aggregate_ : in_aggregate_;
  flag = true;
  Aggregate a = aggregate_call(e, name);
  flag = false;
  BoundExpr out;
  out.type = result_type(a);
  std::vector<Aggregate>& list = is_outer ? *groups->outer_aggregates : *groups->aggregates;
  const std::size_t slot = list.size() + (is_outer ? 0 : groups->first_aggregate());
  list.push_back(std::move(a));
  out.eval = [slot](const Frame& f) { return (*f.row)[slot]; };
  return out;
}

int Binder::group_key(const ast::Expr& e) const {
  const auto found = std::find(groups->keys.begin(), groups->keys.end(), shape(e));
  return found == groups->keys.end() ? -1 : static_cast<int>(found - groups->keys.begin());
}

/// GROUPING and GROUPING_ID: bits of the keys that a superaggregate row leaves out.
BoundExpr Binder::grouping(const ast::Expr& e) {
  if (groups == nullptr) raise(934, e.begin);
  std::vector<int> keys;
  for (const auto& arg : e.args) {
    keys.push_back(group_key(*arg));
    if (keys.back() < 0) raise(979, arg->begin);
  }
  BoundExpr out;
  out.type = plain_number();
  out.eval = [keys, slot = groups->set_slot()](const Frame& f) {
    const std::int64_t left_out = (*f.row)[slot].number().to_int().value_or(0);
    std::int64_t bits = 0;
    for (const int key : keys) bits = bits * 2 + (left_out >> key & 1);
    return make_int(bits);
  };
  return out;
}

BoundExpr Binder::analytic(const ast::Expr& e, const std::string& name) {
  if (analytics == nullptr || in_aggregate_ || !is_analytic_name(name)) raise(30483, e.begin);
  std::vector<Analytic>* list = analytics;
  analytics = nullptr;  // no analytic call inside another
  Analytic a;
  a.call.name = name;
  a.call.distinct = e.distinct;
  a.call.keep = e.keep;
  a.call.position = e.begin;
  a.call.star = !e.args.empty() && e.args[0]->kind == ExprKind::kStar;
  a.ignore_nulls = e.ignore_nulls;
  for (const auto& arg : e.args) {
    if (arg->kind == ExprKind::kStar) continue;
    BoundExpr bound = expression(*arg);
    if (a.arguments.empty()) {
      a.call.argument = bound.eval;
      a.call.argument_type = bound.type;
    } else if (a.arguments.size() == 1) {
      a.call.second = bound.eval;
    }
    a.arguments.push_back(std::move(bound.eval));
  }
  a.call.order = sort_keys(e.within);
  window(*e.window, a);
  analytics = list;
  const bool needs_order =
      !is_aggregate_name(name) && !name.ends_with("_VALUE") && name != "RATIO_TO_REPORT";
  if (needs_order && a.order.empty()) raise(30485, e.begin);
  BoundExpr out;
  out.type = result_type(a);
  out.eval = [base = analytic_base, index = list->size()](const Frame& f) {
    return (*f.row)[*base + index];
  };
  list->push_back(std::move(a));
  return out;
}

void Binder::window(const ast::WindowSpec& spec, Analytic& a) {
  for (const auto& part : spec.partition) a.partition.push_back(condition(*part));
  a.order = sort_keys(spec.order);
  a.has_frame = spec.has_frame;
  a.rows = spec.rows;
  a.from = spec.from;
  a.to = spec.to;
  if (spec.from_offset) a.from_offset = condition(*spec.from_offset);
  if (spec.to_offset) a.to_offset = condition(*spec.to_offset);
}

/// A text that is equal for expressions that mean the same: columns by slot, the rest as written.
std::string Binder::shape(const ast::Expr& e) const {
  if (e.kind == ExprKind::kName) {
    const int slot = find_column(scope_, e);
    if (slot >= 0) return "#" + std::to_string(slot);
    std::string out;
    for (const ast::Ident& part : e.name) out += "." + part.text;
    return out;
  }
  if (e.kind == ExprKind::kLiteral)
    return "L" + std::to_string(static_cast<int>(e.value.type)) + value_key(e.value);
  if (e.kind == ExprKind::kBind) return ":" + std::to_string(e.bind);
  if (e.query || e.window || !e.within.empty()) {
    if (env_.sql.size() < static_cast<std::size_t>(e.end)) return "?";
    return std::string(env_.sql.substr(static_cast<std::size_t>(e.begin),
                                       static_cast<std::size_t>(e.end - e.begin)));
  }
  std::string out = "(" + std::to_string(static_cast<int>(e.kind)) + e.op + e.quantifier;
  if (e.negated) out += "!";
  if (e.distinct) out += "D";
  for (const ast::Ident& part : e.name) out += "." + part.text;
  if (e.kind == ExprKind::kCast || e.kind == ExprKind::kIntervalOf) {
    const DataType& t = e.type;
    for (const int n : {static_cast<int>(t.type), int{t.precision}, int{t.scale},
                        static_cast<int>(t.size_bytes), static_cast<int>(t.size_chars)})
      out += "," + std::to_string(n);
  }
  for (const auto& arg : e.args) out += " " + (arg ? shape(*arg) : std::string());
  return out + ")";
}

}  // namespace orasim
