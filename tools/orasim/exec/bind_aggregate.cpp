// Aggregate and analytic calls: binding and computing.
#include <algorithm>
#include <cmath>
#include <set>

#include "exec/query_plan.h"

namespace orasim {
namespace {

constexpr std::string_view kAggregates[] = {"COUNT",      "SUM",      "AVG",      "MIN",
                                            "MAX",        "LISTAGG",  "STDDEV",   "STDDEV_SAMP",
                                            "STDDEV_POP", "VARIANCE", "VAR_SAMP", "VAR_POP",
                                            "MEDIAN",     "GROUPING", "ANY_VALUE"};
constexpr std::string_view kAnalyticOnly[] = {"ROW_NUMBER", "RANK",        "DENSE_RANK", "LAG",
                                              "LEAD",       "FIRST_VALUE", "LAST_VALUE", "NTILE"};

bool is_analytic_name(const std::string& name) {
  return is_aggregate_name(name) || std::find(std::begin(kAnalyticOnly), std::end(kAnalyticOnly),
                                              name) != std::end(kAnalyticOnly);
}

DataType result_type(const Aggregate& a) {
  if (a.name == "MIN" || a.name == "MAX" || a.name == "ANY_VALUE") return a.argument_type;
  if (a.name == "LISTAGG") return text_type(Type::kVarchar2, 4000, false, false);
  if (a.name == "SUM" && a.argument_type.type == Type::kIntervalDs) return a.argument_type;
  const bool binary =
      a.argument_type.type == Type::kBinaryDouble || a.argument_type.type == Type::kBinaryFloat;
  return a.name != "COUNT" && binary ? simple_type(Type::kBinaryDouble) : plain_number();
}

Value sum_of(const std::vector<Value>& values, const ConvertContext& c) {
  Value sum = values[0];
  if (is_text(sum.type)) sum = to_number(sum, c);
  for (std::size_t i = 1; i < values.size(); ++i) sum = arithmetic('+', sum, values[i], c);
  return sum;
}

Value deviation(const Aggregate& a, const std::vector<Value>& values, const ConvertContext& c) {
  const bool population = a.name.find("_POP") != std::string::npos;
  if (values.size() == 1)
    return a.name.find("_SAMP") != std::string::npos ? make_null(Type::kNumber) : make_int(0);
  double mean = 0;
  for (const Value& v : values) mean += to_number(v, c).number().to_double();
  mean /= static_cast<double>(values.size());
  double squares = 0;
  for (const Value& v : values) {
    const double d = to_number(v, c).number().to_double() - mean;
    squares += d * d;
  }
  const double variance = squares / static_cast<double>(values.size() - (population ? 0 : 1));
  return make_number(Number::from_double(a.name[0] == 'S' ? std::sqrt(variance) : variance));
}

Value median(std::vector<Value> values, const ConvertContext& c) {
  std::sort(values.begin(), values.end(),
            [&](const Value& a, const Value& b) { return compare(a, b, c) < 0; });
  const std::size_t n = values.size();
  if (n % 2 == 1) return values[n / 2];
  const Value sum = arithmetic('+', values[n / 2 - 1], values[n / 2], c);
  return arithmetic('/', sum, make_int(2), c);
}

/// An aggregate over rows that the caller has chosen.
Value compute(const Aggregate& a, const std::vector<const Row*>& rows, const Frame& base) {
  const ConvertContext& c = base.context->convert();
  if (a.star) return make_int(static_cast<std::int64_t>(rows.size()));
  Frame f = base;
  std::vector<const Row*> ordered = rows;
  if (!a.order.empty()) {
    std::stable_sort(ordered.begin(), ordered.end(), [&](const Row* x, const Row* y) {
      for (const auto& [eval, descending] : a.order) {
        f.row = x;
        const Value p = eval(f);
        f.row = y;
        const Value q = eval(f);
        if (p.is_null() || q.is_null()) {
          if (p.is_null() != q.is_null()) return q.is_null() != descending;
          continue;
        }
        const auto o = compare(p, q, c);
        if (o != 0) return descending ? o > 0 : o < 0;
      }
      return false;
    });
  }
  std::vector<Value> values;
  std::set<std::string> seen;
  for (const Row* row : ordered) {
    f.row = row;
    Value v = a.argument(f);
    if (v.is_null()) continue;
    if (a.distinct && !seen.insert(value_key(v)).second) continue;
    values.push_back(std::move(v));
  }
  if (a.name == "COUNT") return make_int(static_cast<std::int64_t>(values.size()));
  if (values.empty()) return make_null(result_type(a).type);
  if (a.name == "SUM") return sum_of(values, c);
  if (a.name == "AVG") {
    return arithmetic('/', sum_of(values, c), make_int(static_cast<std::int64_t>(values.size())),
                      c);
  }
  if (a.name == "MIN" || a.name == "MAX") {
    const Value* best = &values[0];
    for (const Value& v : values) {
      const auto o = compare(v, *best, c);
      if (a.name == "MIN" ? o < 0 : o > 0) best = &v;
    }
    return *best;
  }
  if (a.name == "ANY_VALUE") return values[0];
  if (a.name == "MEDIAN") return median(std::move(values), c);
  if (a.name == "LISTAGG") {
    std::string separator;
    if (a.second) {
      f.row = rows[0];
      const Value s = a.second(f);
      if (!s.is_null()) separator = std::string(text_of(s));
    }
    std::string out;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i != 0) out += separator;
      out += text_of(to_varchar(values[i], c));
      if (out.size() > 4000) raise_text(1489, "result of string concatenation is too long");
    }
    return make_text(std::move(out));
  }
  return deviation(a, values, c);
}

}  // namespace

bool is_aggregate_name(const std::string& name) {
  return std::find(std::begin(kAggregates), std::end(kAggregates), name) != std::end(kAggregates);
}

BoundExpr Binder::aggregate(const ast::Expr& e, const std::string& name) {
  if (aggregates == nullptr) raise(934, e.begin);
  if (name == "GROUPING") raise_text(439, "feature not enabled: GROUPING", e.begin);
  Aggregate a;
  a.name = name;
  a.distinct = e.distinct;
  a.star = !e.args.empty() && e.args[0]->kind == ast::ExprKind::kStar;
  if (e.args.empty()) raise(909, e.begin);
  std::vector<Aggregate>* outer = aggregates;
  aggregates = nullptr;  // an aggregate of an aggregate has no meaning here
  if (!a.star) {
    BoundExpr argument = expression(*e.args[0]);
    a.argument = std::move(argument.eval);
    a.argument_type = argument.type;
    if (e.args.size() > 1) a.second = condition(*e.args[1]);
    for (const ast::OrderItem& item : e.within)
      a.order.emplace_back(condition(*item.expr), item.descending);
  }
  aggregates = outer;
  BoundExpr out;
  out.type = result_type(a);
  const std::size_t index = aggregates->size();
  aggregates->push_back(std::move(a));
  out.eval = [index](const Frame& f) { return (*f.aggregates)[index]; };
  return out;
}

BoundExpr Binder::analytic(const ast::Expr& e, const std::string& name) {
  if (analytics == nullptr || !is_analytic_name(name)) raise(30483, e.begin);
  Analytic a;
  a.call.name = name;
  a.call.distinct = e.distinct;
  a.call.star = !e.args.empty() && e.args[0]->kind == ast::ExprKind::kStar;
  std::vector<Aggregate>* outer = aggregates;
  aggregates = nullptr;
  for (const auto& arg : e.args) {
    if (arg->kind == ast::ExprKind::kStar) continue;
    BoundExpr bound = expression(*arg);
    if (a.arguments.empty()) {
      a.call.argument = bound.eval;
      a.call.argument_type = bound.type;
    }
    a.arguments.push_back(std::move(bound.eval));
  }
  for (const auto& item : e.within)
    a.call.order.emplace_back(condition(*item.expr), item.descending);
  for (const auto& part : e.window->partition) a.partition.push_back(condition(*part));
  for (const auto& item : e.window->order) {
    a.order.push_back(
        {condition(*item.expr), item.descending, item.nulls_first.value_or(item.descending)});
  }
  aggregates = outer;
  if (e.window->has_frame && (e.window->from != ast::FrameBound::kUnboundedPreceding ||
                              (e.window->to != ast::FrameBound::kCurrentRow &&
                               e.window->to != ast::FrameBound::kUnboundedFollowing))) {
    raise_text(439, "feature not enabled: this window frame", e.begin);
  }
  a.running = !a.order.empty() &&
              !(e.window->has_frame && e.window->to == ast::FrameBound::kUnboundedFollowing);
  a.rows = e.window->has_frame && e.window->rows;
  BoundExpr out;
  const bool takes_type =
      name == "LAG" || name == "LEAD" || name == "FIRST_VALUE" || name == "LAST_VALUE";
  out.type = takes_type                ? a.call.argument_type
             : is_aggregate_name(name) ? result_type(a.call)
                                       : plain_number();
  const auto slot = static_cast<std::size_t>(analytic_base) + analytics->size();
  analytics->push_back(std::move(a));
  out.eval = [slot](const Frame& f) { return (*f.row)[slot]; };
  return out;
}

std::vector<Value> aggregate_rows(const BlockPlan& plan, const std::vector<const Row*>& rows,
                                  const Frame& frame) {
  std::vector<Value> out;
  for (const Aggregate& a : plan.aggregates) out.push_back(compute(a, rows, frame));
  return out;
}

namespace {

int compare_order(const Analytic& a, const Row& x, const Row& y, Frame f) {
  const ConvertContext& c = f.context->convert();
  for (const Analytic::Order& o : a.order) {
    f.row = &x;
    const Value p = o.eval(f);
    f.row = &y;
    const Value q = o.eval(f);
    if (p.is_null() || q.is_null()) {
      if (p.is_null() == q.is_null()) continue;
      return p.is_null() == o.nulls_first ? -1 : 1;
    }
    const auto order = compare(p, q, c);
    if (order != 0) return (order < 0) != o.descending ? -1 : 1;
  }
  return 0;
}

Value offset_value(const Analytic& a, const std::vector<Row*>& part, std::size_t i, Frame f) {
  f.row = part[i];
  std::int64_t offset = 1;
  if (a.arguments.size() > 1)
    offset = to_number(a.arguments[1](f), f.context->convert()).number().to_int().value_or(1);
  const std::int64_t at = static_cast<std::int64_t>(i) + (a.call.name == "LAG" ? -offset : offset);
  if (at < 0 || at >= static_cast<std::int64_t>(part.size())) {
    return a.arguments.size() > 2 ? a.arguments[2](f) : make_null(a.call.argument_type.type);
  }
  f.row = part[static_cast<std::size_t>(at)];
  return a.arguments[0](f);
}

void compute_partition(const Analytic& a, std::size_t slot, std::vector<Row*>& part,
                       const Frame& frame) {
  std::stable_sort(part.begin(), part.end(),
                   [&](const Row* x, const Row* y) { return compare_order(a, *x, *y, frame) < 0; });
  const std::string& name = a.call.name;
  std::int64_t rank = 1;
  std::int64_t dense = 1;
  std::vector<const Row*> window;
  std::vector<Value> results(part.size());
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (i > 0 && compare_order(a, *part[i - 1], *part[i], frame) != 0) {
      rank = static_cast<std::int64_t>(i) + 1;
      ++dense;
    }
    Frame f = frame;
    if (name == "ROW_NUMBER") {
      results[i] = make_int(static_cast<std::int64_t>(i) + 1);
    } else if (name == "RANK") {
      results[i] = make_int(rank);
    } else if (name == "DENSE_RANK") {
      results[i] = make_int(dense);
    } else if (name == "LAG" || name == "LEAD") {
      results[i] = offset_value(a, part, i, frame);
    } else if (name == "FIRST_VALUE") {
      f.row = part[0];
      results[i] = a.arguments[0](f);
    } else if (name == "LAST_VALUE" || name == "NTILE") {
      f.row = a.running ? part[i] : part.back();
      results[i] = a.arguments[0](f);
    } else {
      // Peers share a result; without an order all rows are peers.
      std::size_t end = a.running ? i + 1 : part.size();
      while (a.running && !a.rows && end < part.size() &&
             compare_order(a, *part[i], *part[end], frame) == 0)
        ++end;
      while (window.size() < end) window.push_back(part[window.size()]);
      results[i] = !a.running && i > 0 ? results[0] : compute(a.call, window, frame);
    }
  }
  for (std::size_t i = 0; i < part.size(); ++i) (*part[i])[slot] = std::move(results[i]);
}

}  // namespace

void compute_analytics(const BlockPlan& plan, std::vector<Row>& rows, const Frame& frame) {
  const std::size_t base = plan.width - plan.analytics.size();
  for (std::size_t k = 0; k < plan.analytics.size(); ++k) {
    const Analytic& a = plan.analytics[k];
    std::map<std::string, std::vector<Row*>> partitions;
    Frame f = frame;
    for (Row& row : rows) {
      f.row = &row;
      std::string key;
      for (const Eval& eval : a.partition) key += value_key(eval(f));
      partitions[key].push_back(&row);
    }
    for (auto& [key, part] : partitions) compute_partition(a, base + k, part, frame);
  }
}

}  // namespace orasim
