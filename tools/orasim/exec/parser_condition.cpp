// Conditions: OR, AND, NOT, comparisons and the predicates.
#include "exec/errors.h"
#include "exec/parser.h"

namespace orasim {

using ast::ExprKind;
using ast::ExprPtr;

ExprPtr Parser::condition() {
  const int begin = peek().begin;
  ExprPtr left = and_condition();
  while (accept("OR")) {
    ExprPtr right = and_condition();
    ExprPtr e = make(ExprKind::kOr, begin);
    e->args.push_back(std::move(left));
    e->args.push_back(std::move(right));
    left = std::move(e);
  }
  return left;
}

ExprPtr Parser::and_condition() {
  const int begin = peek().begin;
  ExprPtr left = not_condition();
  while (accept("AND")) {
    ExprPtr right = not_condition();
    ExprPtr e = make(ExprKind::kAnd, begin);
    e->args.push_back(std::move(left));
    e->args.push_back(std::move(right));
    left = std::move(e);
  }
  return left;
}

ExprPtr Parser::not_condition() {
  const int begin = peek().begin;
  if (!accept("NOT")) return predicate();
  ExprPtr inner = not_condition();
  ExprPtr e = make(ExprKind::kNot, begin);
  e->args.push_back(std::move(inner));
  return e;
}

ExprPtr Parser::predicate() {
  const int begin = peek().begin;
  if (is_word("EXISTS") && is_symbol("(", 1)) {
    take();
    take();
    ast::QueryPtr q = query();
    expect_symbol(")", 907);
    ExprPtr e = make(ExprKind::kExists, begin);
    e->query = std::move(q);
    return e;
  }
  ExprPtr left = additive();
  return predicate_tail(std::move(left), begin);
}

ExprPtr Parser::predicate_tail(ExprPtr left, int begin) {
  const Token& t = peek();
  static constexpr std::string_view kComparisons[] = {"=", "!=", "<", ">", "<=", ">="};
  if (t.kind == TokenKind::kSymbol) {
    for (const auto op : kComparisons) {
      if (t.text != op) continue;
      take();
      auto quantifier = std::string();
      if ((is_word("ANY") || is_word("SOME") || is_word("ALL")) && is_symbol("(", 1)) {
        quantifier = take().text == "ALL" ? "ALL" : "ANY";
      }
      ExprPtr right = additive();
      ExprPtr e = make(ExprKind::kCompare, begin);
      e->op = op;
      e->quantifier = quantifier;
      e->args.push_back(std::move(left));
      e->args.push_back(std::move(right));
      return e;
    }
    return left;
  }
  if (t.kind != TokenKind::kWord) return left;
  bool negated = false;
  if (is_word("NOT") && (is_word("IN", 1) || is_word("LIKE", 1) || is_word("BETWEEN", 1) ||
                         is_word("LIKEC", 1) || is_word("LIKE2", 1) || is_word("LIKE4", 1))) {
    take();
    negated = true;
  }
  if (accept("IN")) return in_condition(std::move(left), begin, negated);
  if (is_word("LIKE") || is_word("LIKEC") || is_word("LIKE2") || is_word("LIKE4")) {
    take();
    return like_condition(std::move(left), begin, negated);
  }
  if (accept("BETWEEN")) {
    ExprPtr low = additive();
    expect("AND", 905);
    ExprPtr high = additive();
    ExprPtr e = make(ExprKind::kBetween, begin);
    e->negated = negated;
    e->args.push_back(std::move(left));
    e->args.push_back(std::move(low));
    e->args.push_back(std::move(high));
    return e;
  }
  if (accept("IS")) return is_condition(std::move(left), begin);
  return left;
}

ExprPtr Parser::is_condition(ExprPtr left, int begin) {
  const bool negated = accept("NOT");
  ExprKind kind = ExprKind::kIsNull;
  std::string op, quantifier;
  if (accept("NULL")) {
    kind = ExprKind::kIsNull;
  } else if (accept("NAN")) {
    kind = ExprKind::kIsNan;
  } else if (accept("INFINITE")) {
    kind = ExprKind::kIsInfinite;
  } else if (accept("JSON")) {
    kind = ExprKind::kIsJson;
    for (const char* shape : {"VALUE", "OBJECT", "ARRAY", "SCALAR"}) {
      if (accept(shape)) quantifier = shape;
    }
    if (is_symbol("(") && (is_word("STRICT", 1) || is_word("LAX", 1))) {
      take();
      if (take().text == "STRICT") op = "STRICT";
      expect_symbol(")", 907);
    }
    if (accept("STRICT")) op = "STRICT";
    accept("LAX");
    accept_words({"FORMAT", "JSON"});
    if (is_word("WITH") || is_word("WITHOUT")) {
      take();
      expect("UNIQUE");
      expect("KEYS");
    }
  } else if (is_word("TRUE") || is_word("FALSE")) {
    kind = ExprKind::kIsTrue;
    op = take().text;
  } else {
    fail(908);
  }
  ExprPtr e = make(kind, begin);
  e->negated = negated;
  e->op = op;
  e->quantifier = quantifier;
  e->args.push_back(std::move(left));
  return e;
}

ExprPtr Parser::in_condition(ExprPtr left, int begin, bool negated) {
  ExprPtr e = make(ExprKind::kIn, begin);
  e->negated = negated;
  e->args.push_back(std::move(left));
  if (!is_symbol("(")) {  // IN :x and IN 'a' are accepted by Oracle
    e->args.push_back(additive());
    e->end = last_end();
    return e;
  }
  ExprPtr right = parenthesized();
  if (right->kind == ExprKind::kSubquery) {
    e->query = std::move(right->query);
  } else if (right->kind == ExprKind::kRow && e->args[0]->kind != ExprKind::kRow) {
    for (auto& item : right->args) e->args.push_back(std::move(item));
  } else if (right->kind == ExprKind::kRow && !right->args.empty() &&
             right->args[0]->kind == ExprKind::kRow) {
    for (auto& item : right->args) e->args.push_back(std::move(item));
  } else {
    e->args.push_back(std::move(right));
  }
  constexpr std::size_t kMaxItems = 1000;
  if (e->args.size() > kMaxItems + 1) raise(1795, e->args[kMaxItems + 1]->begin);
  e->end = last_end();
  return e;
}

ExprPtr Parser::like_condition(ExprPtr left, int begin, bool negated) {
  ExprPtr pattern = additive();
  ExprPtr escape;
  if (accept("ESCAPE")) escape = additive();
  ExprPtr e = make(ExprKind::kLike, begin);
  e->negated = negated;
  e->args.push_back(std::move(left));
  e->args.push_back(std::move(pattern));
  if (escape) e->args.push_back(std::move(escape));
  return e;
}

}  // namespace orasim
