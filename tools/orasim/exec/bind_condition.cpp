// Conditions: comparisons, LIKE, IN, EXISTS, IS …, AND/OR/NOT in three-valued logic.
#include <cmath>
#include <unordered_set>

#include "engine/json.h"
#include "exec/binder.h"

namespace orasim {

using ast::ExprKind;

namespace {

bool holds(const std::string& op, std::strong_ordering order) {
  if (op == "=") return order == 0;
  if (op == "!=") return order != 0;
  if (op == "<") return order < 0;
  if (op == ">") return order > 0;
  if (op == "<=") return order <= 0;
  return order >= 0;
}

Value negate(const Value& v, bool negated) {
  return v.is_null() || !negated ? v : boolean(!truth(v));
}

/// Results of a subquery that does not depend on the row, kept for one execution.
struct KeptRows {
  std::uint64_t execution_id = 0;
  bool is_filled = false;
  std::vector<Row> rows;
  std::unordered_set<std::string> keys;
  bool has_null = false;
};

void fill(KeptRows& kept, const BoundQuery& query, const Frame& f, bool one_row) {
  kept.rows.clear();
  kept.keys.clear();
  kept.has_null = false;
  auto stream = query.open(*f.context, &f);
  Row row;
  while (stream->next(row)) {
    kept.rows.push_back(row);
    if (one_row && kept.rows.size() > 1) return;
    for (const Value& v : row) kept.has_null = kept.has_null || v.is_null();
    kept.keys.insert(row_key(row));
  }
}

const KeptRows& rows_of(const std::shared_ptr<KeptRows>& kept, const BoundQuery& query,
                        const Frame& f, bool one_row) {
  const bool reusable =
      !query.is_correlated() && kept->is_filled && kept->execution_id == f.context->execution_id;
  if (!reusable) {
    fill(*kept, query, f, one_row);
    kept->is_filled = true;
    kept->execution_id = f.context->execution_id;
  }
  return *kept;
}

Value equal_rows(const Row& a, const Row& b, const ConvertContext& c) {
  bool is_unknown = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].is_null() || b[i].is_null()) {
      is_unknown = true;
    } else if (orasim::compare(a[i], b[i], c) != 0) {
      return boolean(false);
    }
  }
  return is_unknown ? unknown() : boolean(true);
}

}  // namespace

std::shared_ptr<BoundQuery> Binder::subquery(const ast::Query& q) {
  auto bound = bind_query(q, env_, &scope_);
  if (bound->is_correlated()) {
    // It may read any column around it: conservative, and right.
    for (const ScopeColumn& c : scope_.columns) used_tables.insert(c.table);
  }
  return bound;
}

namespace {

/// Rows kept for a cursor of a row: by the time they are fetched the row itself is gone.
class KeptCursor final : public RowStream {
 public:
  explicit KeptCursor(std::vector<Row> rows) : rows_(std::move(rows)) {}
  bool next(Row& row) override {
    if (at_ == rows_.size()) return false;
    row = std::move(rows_[at_++]);
    return true;
  }

 private:
  std::vector<Row> rows_;
  std::size_t at_ = 0;
};

}  // namespace

BoundExpr Binder::cursor_subquery(const ast::Expr& e) {
  auto query = subquery(*e.query);
  BoundExpr out;
  out.type = simple_type(Type::kCursor);
  out.nullable = false;
  out.eval = [query](const Frame& f) {
    std::vector<Row> rows;
    auto stream = query->open(*f.context, &f);
    Row row;
    while (stream->next(row)) rows.push_back(row);
    auto cursor = std::make_shared<OpenCursor>();
    cursor->columns = query->columns();
    cursor->rows = std::make_unique<KeptCursor>(std::move(rows));
    return Value{Type::kCursor, false, std::move(cursor)};
  };
  return out;
}

BoundExpr Binder::scalar_subquery(const ast::Expr& e) {
  if (e.op == "CURSOR") return cursor_subquery(e);
  auto query = subquery(*e.query);
  if (query->columns().size() != 1) raise(913, e.begin);
  BoundExpr out;
  out.type = query->columns()[0].type;
  out.eval = [query, kept = std::make_shared<KeptRows>(), type = out.type.type](const Frame& f) {
    const KeptRows& rows = rows_of(kept, *query, f, true);
    if (rows.rows.size() > 1) raise(1427);
    return rows.rows.empty() ? make_null(type) : rows.rows[0][0];
  };
  return out;
}

/// LONGs are not compared.
Eval Binder::comparable(const ast::Expr& e) {
  BoundExpr bound = expression(e);
  if (is_long(bound.type.type)) raise(997, e.begin);
  return std::move(bound.eval);
}

BoundExpr Binder::compare(const ast::Expr& e) {
  if (!e.quantifier.empty()) return compare_any(e);
  if (e.args[0]->kind == ExprKind::kRow) return compare_rows(e);
  Eval a = comparable(*e.args[0]);
  Eval b = comparable(*e.args[1]);
  return bound_condition([op = e.op, a = std::move(a), b = std::move(b)](const Frame& f) {
    const Value x = a(f);
    if (x.is_null()) return unknown();
    const Value y = b(f);
    if (y.is_null()) return unknown();
    return boolean(holds(op, orasim::compare(x, y, f.context->convert())));
  });
}

BoundExpr Binder::compare_rows(const ast::Expr& e) {
  if (e.op != "=" && e.op != "!=") raise(1796, e.begin);
  std::vector<Eval> left;
  for (const auto& item : e.args[0]->args) left.push_back(condition(*item));
  const auto negated = e.op == "!=";
  if (e.args[1]->kind == ExprKind::kSubquery) {
    auto query = subquery(*e.args[1]->query);
    if (query->columns().size() != left.size()) raise(947, e.begin);
    return bound_condition(
        [left, query, negated, kept = std::make_shared<KeptRows>()](const Frame& f) {
          const KeptRows& rows = rows_of(kept, *query, f, true);
          if (rows.rows.size() > 1) raise(1427);
          if (rows.rows.empty()) return unknown();
          Row values;
          for (const Eval& eval : left) values.push_back(eval(f));
          return negate(equal_rows(values, rows.rows[0], f.context->convert()), negated);
        });
  }
  if (e.args[1]->kind != ExprKind::kRow || e.args[1]->args.size() != left.size())
    raise(920, e.begin);
  std::vector<Eval> right;
  for (const auto& item : e.args[1]->args) right.push_back(condition(*item));
  return bound_condition([left, right, negated](const Frame& f) {
    Row a;
    Row b;
    for (const Eval& eval : left) a.push_back(eval(f));
    for (const Eval& eval : right) b.push_back(eval(f));
    return negate(equal_rows(a, b, f.context->convert()), negated);
  });
}

/// x op ANY / ALL ( list or subquery ).
BoundExpr Binder::compare_any(const ast::Expr& e) {
  Eval a = expression(*e.args[0]).eval;
  const bool all = e.quantifier == "ALL";
  const ast::Expr& right = *e.args[1];
  std::shared_ptr<BoundQuery> query;
  std::vector<Eval> items;
  if (right.kind == ExprKind::kSubquery) {
    query = subquery(*right.query);
  } else if (right.kind == ExprKind::kRow) {
    for (const auto& item : right.args) items.push_back(condition(*item));
  } else {
    items.push_back(condition(right));
  }
  return bound_condition(
      [op = e.op, a, all, query, items, kept = std::make_shared<KeptRows>()](const Frame& f) {
        const Value x = a(f);
        std::vector<Value> others;
        if (query) {
          for (const Row& row : rows_of(kept, *query, f, false).rows) others.push_back(row[0]);
        } else {
          for (const Eval& item : items) others.push_back(item(f));
        }
        bool is_unknown = false;
        for (const Value& y : others) {
          if (x.is_null() || y.is_null()) {
            is_unknown = true;
            continue;
          }
          const bool hit = holds(op, orasim::compare(x, y, f.context->convert()));
          if (hit != all) return boolean(hit);
        }
        return is_unknown ? unknown() : boolean(all);
      });
}

BoundExpr Binder::between(const ast::Expr& e) {
  Eval a = condition(*e.args[0]);
  Eval low = condition(*e.args[1]);
  Eval high = condition(*e.args[2]);
  return bound_condition([a, low, high, negated = e.negated](const Frame& f) {
    const ConvertContext& c = f.context->convert();
    const Value x = a(f);
    const Value l = low(f);
    const Value h = high(f);
    if (x.is_null()) return unknown();
    if (!l.is_null() && orasim::compare(x, l, c) < 0) return boolean(negated);
    if (!h.is_null() && orasim::compare(x, h, c) > 0) return boolean(negated);
    return l.is_null() || h.is_null() ? unknown() : boolean(!negated);
  });
}

bool like_matches(std::string_view text, std::string_view pattern, std::string_view escape) {
  const auto width = [](std::string_view s) { return std::max<std::size_t>(1, char_offset(s, 1)); };
  std::string_view retry_pattern;
  std::string_view retry_text;
  bool can_retry = false;
  for (;;) {
    if (pattern.empty() && text.empty()) return true;
    bool literal = false;
    std::string_view p = pattern;
    if (!p.empty() && !escape.empty() && p.substr(0, escape.size()) == escape) {
      p.remove_prefix(escape.size());
      if (p.empty()) raise(1424);
      if (p[0] != '%' && p[0] != '_' && p.substr(0, escape.size()) != escape) raise(1424);
      literal = true;
    }
    if (!p.empty() && !literal && p[0] == '%') {
      pattern = p.substr(1);
      retry_pattern = pattern;
      retry_text = text;
      can_retry = true;
      continue;
    }
    if (!p.empty() && !text.empty()) {
      const std::size_t tw = width(text);
      const std::size_t pw = width(p);
      if ((!literal && p[0] == '_') || p.substr(0, pw) == text.substr(0, tw)) {
        pattern = p.substr(pw);
        text.remove_prefix(tw);
        continue;
      }
    }
    if (!can_retry || retry_text.empty()) return false;
    retry_text.remove_prefix(width(retry_text));
    text = retry_text;
    pattern = retry_pattern;
  }
}

BoundExpr Binder::like(const ast::Expr& e) {
  Eval a = condition(*e.args[0]);
  Eval pattern = condition(*e.args[1]);
  Eval escape = e.args.size() > 2 ? condition(*e.args[2]) : Eval();
  return bound_condition([a, pattern, escape, negated = e.negated](const Frame& f) {
    const ConvertContext& c = f.context->convert();
    const Value x = a(f);
    const Value p = pattern(f);
    if (x.is_null() || p.is_null()) return unknown();
    std::string mark;
    if (escape) {
      const Value v = escape(f);
      if (v.is_null() || char_count(text_of(v)) != 1) raise(1425);
      mark = std::string(text_of(v));
    }
    const Value text = x.type == Type::kClob ? x : to_varchar(x, c);
    const Value wanted = to_varchar(p, c);
    return boolean(like_matches(text_of(text), text_of(wanted), mark) != negated);
  });
}

BoundExpr Binder::in(const ast::Expr& e) {
  if (e.query) return in_subquery(e);
  if (e.args[0]->kind == ExprKind::kRow) {
    std::vector<Eval> left;
    for (const auto& item : e.args[0]->args) left.push_back(condition(*item));
    std::vector<std::vector<Eval>> rows;
    for (std::size_t i = 1; i < e.args.size(); ++i) {
      if (e.args[i]->kind != ExprKind::kRow || e.args[i]->args.size() != left.size())
        raise(920, e.begin);
      std::vector<Eval> items;
      for (const auto& item : e.args[i]->args) items.push_back(condition(*item));
      rows.push_back(std::move(items));
    }
    return bound_condition([left, rows, negated = e.negated](const Frame& f) {
      Row a;
      for (const Eval& eval : left) a.push_back(eval(f));
      bool is_unknown = false;
      for (const auto& items : rows) {
        Row b;
        for (const Eval& eval : items) b.push_back(eval(f));
        const Value v = equal_rows(a, b, f.context->convert());
        if (is_true(v)) return boolean(!negated);
        is_unknown = is_unknown || v.is_null();
      }
      return is_unknown ? unknown() : boolean(negated);
    });
  }
  return in_list(e);
}

namespace {

/// The numbers of a list that needs no row, evaluated once an execution.
struct KeptList {
  std::uint64_t execution_id = 0;
  bool is_filled = false, has_null = false;
  std::unordered_set<std::string> keys;

  void fill(const std::vector<Eval>& items, const Frame& f) {
    if (is_filled && execution_id == f.context->execution_id) return;
    *this = {};
    is_filled = true;
    execution_id = f.context->execution_id;
    for (const Eval& item : items) {
      const Value v = to_number(item(f), f.context->convert());
      has_null = has_null || v.is_null();
      if (!v.is_null()) keys.insert(value_key(v));
    }
  }
};

}  // namespace

BoundExpr Binder::in_list(const ast::Expr& e) {
  const BoundExpr left = expression(*e.args[0]);
  const Eval& a = left.eval;
  std::vector<Eval> items;
  bool is_constant = true;
  for (std::size_t i = 1; i < e.args.size(); ++i) {
    BoundExpr item = expression(*e.args[i]);
    is_constant = is_constant && item.is_constant;
    items.push_back(std::move(item.eval));
  }
  constexpr std::size_t kFew = 8;  // fewer are compared one by one as quickly
  if (is_constant && items.size() > kFew && left.type.type == Type::kNumber) {
    return bound_condition(
        [a, items, negated = e.negated, kept = std::make_shared<KeptList>()](const Frame& f) {
          const Value x = a(f);
          if (x.is_null()) return unknown();
          kept->fill(items, f);
          if (kept->keys.contains(value_key(x))) return boolean(!negated);
          return kept->has_null ? unknown() : boolean(negated);
        });
  }
  return bound_condition([a, items, negated = e.negated](const Frame& f) {
    const Value x = a(f);
    if (x.is_null()) return unknown();
    bool is_unknown = false;
    for (const Eval& item : items) {
      const Value y = item(f);
      if (y.is_null()) {
        is_unknown = true;
      } else if (orasim::compare(x, y, f.context->convert()) == 0) {
        return boolean(!negated);
      }
    }
    return is_unknown ? unknown() : boolean(negated);
  });
}

BoundExpr Binder::in_subquery(const ast::Expr& e) {
  std::vector<Eval> left;
  if (e.args[0]->kind == ExprKind::kRow) {
    for (const auto& item : e.args[0]->args) left.push_back(condition(*item));
  } else {
    left.push_back(condition(*e.args[0]));
  }
  auto query = subquery(*e.query);
  if (query->columns().size() != left.size())
    raise(query->columns().size() > left.size() ? 913 : 947, e.begin);
  std::vector<Type> types;
  for (const ColumnInfo& c : query->columns()) types.push_back(c.type.type);
  return bound_condition([left, query, types, negated = e.negated,
                          kept = std::make_shared<KeptRows>()](const Frame& f) {
    const ConvertContext& c = f.context->convert();
    const KeptRows& rows = rows_of(kept, *query, f, false);
    if (rows.rows.empty()) return boolean(negated);
    Row values;
    bool has_null = false;
    for (std::size_t i = 0; i < left.size(); ++i) {
      Value v = left[i](f);
      has_null = has_null || v.is_null();
      const bool same = v.type == types[i] || (is_text(v.type) && is_text(types[i]));
      values.push_back(same || v.is_null() ? std::move(v) : orasim::convert(v, types[i], c));
    }
    if (!has_null && rows.keys.count(row_key(values)) != 0) return boolean(!negated);
    if (!has_null && !rows.has_null) return boolean(negated);
    bool is_unknown = false;
    for (const Row& row : rows.rows) {
      const Value v = equal_rows(values, row, c);
      if (is_true(v)) return boolean(!negated);
      is_unknown = is_unknown || v.is_null();
    }
    return is_unknown ? unknown() : boolean(negated);
  });
}

BoundExpr Binder::exists(const ast::Expr& e) {
  auto query = subquery(*e.query);
  return bound_condition([query, negated = e.negated](const Frame& f) {
    auto stream = query->open(*f.context, &f);
    Row row;
    return boolean(stream->next(row) != negated);
  });
}

namespace {

bool has_shape(const Json& document, const std::string& shape) {
  if (shape == "OBJECT") return document.shape == Json::Shape::kObject;
  if (shape == "ARRAY") return document.shape == Json::Shape::kArray;
  if (shape == "SCALAR") return document.shape == Json::Shape::kScalar;
  return true;
}

bool is_json(const Value& v, bool strict, const std::string& shape) {
  if (v.type == Type::kJson) return has_shape(decode_oson(v.lob()->data), shape);
  const bool has_text = is_text(v.type) || is_lob(v.type) || v.type == Type::kRaw;
  if (!has_text) raise_inconsistent("CHAR", type_word(v.type));
  try {
    const std::string_view text = text_of(v);
    const JsonSyntax syntax = strict ? JsonSyntax::kStrict : JsonSyntax::kLax;
    return has_shape(is_oson(text) ? decode_oson(text) : parse_json(text, syntax), shape);
  } catch (const OraError&) {
    return false;
  }
}

}  // namespace

BoundExpr Binder::is_test(const ast::Expr& e) {
  Eval a = condition(*e.args[0]);
  const bool negated = e.negated;
  switch (e.kind) {
    case ExprKind::kIsNull:
      return bound_condition(
          [a, negated](const Frame& f) { return boolean(a(f).is_null() != negated); });
    case ExprKind::kIsTrue:
      return bound_condition([a, negated, wanted = e.op == "TRUE"](const Frame& f) {
        const Value v = a(f);
        const bool hit = !v.is_null() && truth(v) == wanted;
        return boolean(hit != negated);
      });
    case ExprKind::kIsNan:
    case ExprKind::kIsInfinite:
      return bound_condition([a, negated, nan = e.kind == ExprKind::kIsNan](const Frame& f) {
        const Value v = a(f);
        if (v.is_null()) return unknown();
        const double d =
            std::get<double>(to_binary(v, Type::kBinaryDouble, f.context->convert()).data);
        return boolean((nan ? std::isnan(d) : std::isinf(d)) != negated);
      });
    default:
      return bound_condition(
          [a, negated, strict = e.op == "STRICT", shape = e.quantifier](const Frame& f) {
            const Value v = a(f);
            if (v.is_null()) return unknown();
            return boolean(is_json(v, strict, shape) != negated);
          });
  }
}

BoundExpr Binder::logic(const ast::Expr& e) {
  Eval a = condition(*e.args[0]);
  if (e.kind == ExprKind::kNot) {
    return bound_condition([a](const Frame& f) { return negate(a(f), true); });
  }
  Eval b = condition(*e.args[1]);
  // AND is decided by FALSE, OR by TRUE.
  const bool decisive = e.kind == ExprKind::kOr;
  return bound_condition([a, b, decisive](const Frame& f) {
    const Value x = a(f);
    if (!x.is_null() && truth(x) == decisive) return x;
    const Value y = b(f);
    if (!y.is_null() && truth(y) == decisive) return y;
    return x.is_null() || y.is_null() ? unknown() : boolean(!decisive);
  });
}

}  // namespace orasim
