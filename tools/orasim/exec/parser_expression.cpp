// Value expressions: operators, literals, names and calls.
#include <charconv>

#include "exec/errors.h"
#include "exec/literals.h"
#include "exec/parser.h"

namespace orasim {

using ast::ExprKind;
using ast::ExprPtr;

ExprPtr Parser::expression() {
  return additive();
}

ExprPtr Parser::additive() {
  const int begin = peek().begin;
  ExprPtr left = multiplicative();
  while (is_symbol("+") || is_symbol("-") || is_symbol("||")) {
    const std::string op = take().text;
    ExprPtr right = multiplicative();
    ExprPtr e = make(ExprKind::kBinary, begin);
    e->op = op;
    e->args.push_back(std::move(left));
    e->args.push_back(std::move(right));
    left = std::move(e);
  }
  if (is_symbol("|")) fail(996);
  return left;
}

ExprPtr Parser::multiplicative() {
  const int begin = peek().begin;
  ExprPtr left = unary();
  while (is_symbol("*") || is_symbol("/") || (plsql_ && (is_word("MOD") || is_symbol("**")))) {
    const std::string op = take().text;
    ExprPtr right = unary();
    ExprPtr e = make(ExprKind::kBinary, begin);
    e->op = op;
    e->args.push_back(std::move(left));
    e->args.push_back(std::move(right));
    left = std::move(e);
  }
  return left;
}

ExprPtr Parser::unary() {
  const int begin = peek().begin;
  std::string op;
  if (is_symbol("-") || is_symbol("+")) {
    op = take().text;
  } else if (is_word("PRIOR") || (is_word("CONNECT_BY_ROOT") && !is_symbol(".", 1))) {
    op = take().text;
  } else {
    return postfix();
  }
  ExprPtr inner = unary();
  ExprPtr e = make(ExprKind::kUnary, begin);
  e->op = op;
  e->args.push_back(std::move(inner));
  return e;
}

ExprPtr Parser::postfix() {
  const int begin = peek().begin;
  ExprPtr e = primary();
  for (;;) {
    if (is_word("AT") && (is_word("TIME", 1) || is_word("LOCAL", 1))) {
      take();
      ExprPtr zoned = make(ExprKind::kAtTimeZone, begin);
      zoned->args.push_back(std::move(e));
      if (!accept("LOCAL")) {
        take();
        expect("ZONE");
        zoned->args.push_back(additive());
      }
      zoned->end = last_end();
      e = std::move(zoned);
    } else if (e->kind == ExprKind::kBinary &&
               ((is_word("DAY") && (is_word("TO", 1) || is_symbol("(", 1))) ||
                (is_word("YEAR") && (is_word("TO", 1) || is_symbol("(", 1))))) {
      DataType type;
      interval_qualifier(type);
      ExprPtr of = make(ExprKind::kIntervalOf, begin);
      of->type = type;
      of->args.push_back(std::move(e));
      e = std::move(of);
    } else {
      return e;
    }
  }
}

ExprPtr Parser::primary() {
  const Token& t = peek();
  const int begin = t.begin;
  switch (t.kind) {
    case TokenKind::kNumber:
      return number_literal();
    case TokenKind::kString:
    case TokenKind::kNational: {
      const bool national = t.kind == TokenKind::kNational;
      const std::string text = take().text;
      ExprPtr e = make(ExprKind::kLiteral, begin);
      e->value = make_text(text, Type::kChar, national);
      return e;
    }
    case TokenKind::kBind: {
      const int index = add_bind(take());
      if (accept("INDICATOR")) take();
      ExprPtr e = make(ExprKind::kBind, begin);
      e->bind = index;
      return e;
    }
    case TokenKind::kWord:
      return word_primary();
    case TokenKind::kQuoted:
      return name_or_call();
    case TokenKind::kSymbol:
      if (t.text == "(") return parenthesized();
      fail(936);
    default:
      fail(936);
  }
}

ExprPtr Parser::number_literal() {
  const int begin = peek().begin;
  std::string text = take().text;
  ExprPtr e = make(ExprKind::kLiteral, begin);
  const char suffix = text.back();
  if (suffix == 'F' || suffix == 'D') {
    text.pop_back();
    double d = 0;
    std::from_chars(text.data(), text.data() + text.size(), d);
    e->value.type = suffix == 'F' ? Type::kBinaryFloat : Type::kBinaryDouble;
    if (suffix == 'F') {
      e->value.data = static_cast<float>(d);
    } else {
      e->value.data = d;
    }
    return e;
  }
  const auto n = Number::parse(text);
  if (!n) raise(1426, begin);
  e->value = make_number(*n);
  return e;
}

ExprPtr Parser::parenthesized() {
  const int begin = peek().begin;
  expect_symbol("(", 906);
  ExprPtr inner;
  if (is_word("SELECT") || is_word("WITH")) {
    ast::QueryPtr q = query();
    inner = make(ExprKind::kSubquery, begin);
    inner->query = std::move(q);
  } else if (is_symbol(")")) {
    fail(936);
  } else {
    inner = condition();
    if (inner->kind == ExprKind::kSubquery &&
        (is_word("UNION") || is_word("MINUS") || is_word("INTERSECT") || is_word("EXCEPT"))) {
      inner->query = continue_set(std::move(inner->query));
    }
  }
  if (is_symbol(",")) {
    ExprPtr row = make(ExprKind::kRow, begin);
    row->args.push_back(std::move(inner));
    while (accept_symbol(",")) row->args.push_back(condition());
    inner = std::move(row);
  }
  expect_symbol(")", 907);
  inner->begin = begin;
  inner->end = last_end();
  return inner;
}

ExprPtr Parser::word_primary() {
  const Token& t = peek();
  const std::string& w = t.text;
  const int begin = t.begin;
  const TokenKind next = peek(1).kind;
  if (w == "NULL") {
    take();
    return make(ExprKind::kLiteral, begin);
  }
  if (w == "CASE") return case_expression();
  if (w == "CAST" && is_symbol("(", 1)) return cast_expression();
  if (w == "EXTRACT" && is_symbol("(", 1)) return extract_expression();
  if (w == "TRIM" && is_symbol("(", 1)) return trim_call();
  if (w == "XMLSERIALIZE" && is_symbol("(", 1)) return xmlserialize_call();
  if (is_symbol("(", 1)) {
    if (w == "VECTOR" || w == "TO_VECTOR" || w == "VECTOR_DISTANCE") {
      return vector_call();
    }
    if (w == "JSON_OBJECT" || w == "JSON_ARRAY") return json_generator();
    if (w == "XMLPARSE") return xmlparse_call();
    for (const char* name : {"JSON_SERIALIZE", "JSON_VALUE", "JSON_QUERY", "JSON_EXISTS",
                             "FROM_VECTOR", "VECTOR_SERIALIZE"}) {
      if (w == name) return document_call();
    }
  }
  if (w == "CURSOR" && is_symbol("(", 1)) {
    take();
    ExprPtr e = parenthesized();
    if (e->kind != ExprKind::kSubquery) raise(22902, begin);
    e->op = "CURSOR";
    return e;
  }
  if (w == "INTERVAL" && (next == TokenKind::kString || next == TokenKind::kNational)) {
    return interval_literal();
  }
  if ((w == "DATE" || w == "TIMESTAMP") && next == TokenKind::kString) {
    const bool date = w == "DATE";
    take();
    const std::string text = take().text;
    ExprPtr e = make(ExprKind::kLiteral, begin);
    e->value = date ? parse_date_literal(text, begin) : parse_timestamp_literal(text, begin);
    return e;
  }
  if (w == "DEFAULT") {
    take();
    return make(ExprKind::kDefault, begin);
  }
  if (w == "NOT" || w == "EXISTS") return condition();
  return name_or_call();
}

ExprPtr Parser::case_expression() {
  const int begin = peek().begin;
  take();
  ExprPtr e = make(ExprKind::kCase, begin);
  if (!is_word("WHEN")) {
    e->has_operand = true;
    e->args.push_back(expression());
  }
  if (!is_word("WHEN")) fail(905);
  while (accept("WHEN")) {
    e->args.push_back(e->has_operand ? expression() : condition());
    expect("THEN");
    e->args.push_back(plsql_ ? condition() : expression());
  }
  if (accept("ELSE")) {
    e->has_else = true;
    e->args.push_back(plsql_ ? condition() : expression());
  }
  expect("END");
  e->end = last_end();
  return e;
}

ExprPtr Parser::cast_expression() {
  const int begin = peek().begin;
  take();
  take();
  ExprPtr inner = expression();
  expect("AS");
  const DataType type = data_type();
  expect_symbol(")", 907);
  ExprPtr e = make(ExprKind::kCast, begin);
  e->type = type;
  e->args.push_back(std::move(inner));
  return e;
}

ExprPtr Parser::extract_expression() {
  const int begin = peek().begin;
  take();
  take();
  const std::string field = take().text;
  expect("FROM");
  ExprPtr inner = expression();
  expect_symbol(")", 907);
  ExprPtr e = make(ExprKind::kExtract, begin);
  e->op = field;
  e->args.push_back(std::move(inner));
  return e;
}

ExprPtr Parser::trim_call() {
  const int begin = peek().begin;
  ExprPtr e = make(ExprKind::kCall, begin);
  e->name.push_back({"TRIM", false, begin});
  take();
  take();
  std::string side = "BOTH";
  bool has_side = false;
  if (is_word("LEADING") || is_word("TRAILING") || is_word("BOTH")) {
    side = take().text;
    has_side = true;
  }
  if (has_side && accept("FROM")) {
    e->args.push_back(expression());
  } else {
    ExprPtr first = expression();
    if (accept("FROM")) {
      ExprPtr text = expression();
      e->args.push_back(std::move(text));
      e->args.push_back(std::move(first));
    } else {
      e->args.push_back(std::move(first));
    }
  }
  e->op = side;
  expect_symbol(")", 907);
  e->end = last_end();
  return e;
}

ExprPtr Parser::xmlserialize_call() {
  const int begin = peek().begin;
  ExprPtr e = make(ExprKind::kCast, begin);
  take();
  take();
  if (!accept("CONTENT")) accept("DOCUMENT");
  e->args.push_back(expression());
  e->type.type = Type::kClob;
  if (accept("AS")) e->type = data_type();
  while (!is_symbol(")") && !at_end()) take();
  expect_symbol(")", 907);
  e->end = last_end();
  return e;
}

ExprPtr Parser::interval_literal() {
  const int begin = peek().begin;
  take();
  const std::string text = take().text;
  const std::string field = peek().text;
  DataType type;
  if (!interval_qualifier(type)) raise(30089, peek().begin);
  const std::string last = tokens_[at_ - 1].text == ")" ? "" : tokens_[at_ - 1].text;
  ExprPtr e = make(ExprKind::kLiteral, begin);
  e->value = parse_interval_literal(text, field, last, type, begin);
  e->type = type;
  return e;
}

/// YEAR[(p)] [TO MONTH], MONTH, DAY[(p)] [TO HOUR|MINUTE|SECOND[(s)]], …
bool Parser::interval_qualifier(DataType& type) {
  static constexpr std::string_view kFields[] = {"YEAR", "MONTH",  "DAY",
                                                 "HOUR", "MINUTE", "SECOND"};
  auto field = [&]() -> int {
    for (int i = 0; i < 6; ++i) {
      if (accept(kFields[i])) return i;
    }
    return -1;
  };
  const int first = field();
  if (first < 0) return false;
  type.type = first < 2 ? Type::kIntervalYm : Type::kIntervalDs;
  type.precision = 2;
  type.scale = first < 2 ? 0 : 6;
  if (accept_symbol("(")) {
    type.precision = static_cast<std::int16_t>(integer(30088));
    if (accept_symbol(",")) type.scale = static_cast<std::int16_t>(integer(30088));
    expect_symbol(")", 907);
  }
  if (accept("TO")) {
    const int last = field();
    if (last < first) fail(30089);
    if (last == 5 && accept_symbol("(")) {
      type.scale = static_cast<std::int16_t>(integer(30088));
      expect_symbol(")", 907);
    }
  }
  return true;
}

ExprPtr Parser::name_or_call() {
  const int begin = peek().begin;
  ExprPtr e = make(ExprKind::kName, begin);
  e->name.push_back(identifier(936));
  while (is_symbol(".")) {
    take();
    if (accept_symbol("*")) {
      e->kind = ExprKind::kStar;
      e->end = last_end();
      return e;
    }
    if (peek().kind == TokenKind::kWord) {  // s.NEXTVAL, t.ROWID, t.LEVEL
      const Token& t = take();
      e->name.push_back({t.text, false, t.begin});
    } else {
      e->name.push_back(identifier(1747));
    }
  }
  if (is_symbol("(") && is_symbol("+", 1) && is_symbol(")", 2)) {
    at_ += 3;
    e->outer = true;
  } else if (is_symbol("(")) {
    e->kind = ExprKind::kCall;
    call_arguments(*e);
    call_suffixes(*e);
    e->end = last_end();
    return method_calls(std::move(e));
  } else if (plsql_ && accept_symbol("%")) {
    e->op = take().text;  // cursor attributes: SQL%ROWCOUNT, SQL%FOUND, …
  }
  e->end = last_end();
  return e;
}

void Parser::call_arguments(ast::Expr& call) {
  expect_symbol("(", 906);
  if (accept_symbol(")")) return;
  if (accept("DISTINCT") || accept("UNIQUE")) {
    call.distinct = true;
  } else {
    accept("ALL");
  }
  do {
    if (is_symbol("*") && is_symbol(")", 1)) {
      const int begin = take().begin;
      call.args.push_back(make(ExprKind::kStar, begin));
      break;
    }
    if (peek().kind == TokenKind::kWord && is_symbol("=>", 1)) {
      call.arg_names.resize(call.args.size());
      call.arg_names.push_back(take().text);
      take();
    } else if (!call.arg_names.empty()) {
      call.arg_names.emplace_back();
    }
    call.args.push_back(condition());
    if (call.name.back().text == "TRANSLATE" && accept("USING")) {
      call.op = take().text;
    }
    if (is_word("IGNORE") || is_word("RESPECT")) {
      call.ignore_nulls = take().text == "IGNORE";
      expect("NULLS");
    }
  } while (accept_symbol(","));
  if (is_word("ON")) listagg_overflow(call);
  expect_symbol(")", 907);
}

void Parser::listagg_overflow(ast::Expr& call) {
  take();
  expect("OVERFLOW");
  if (accept("ERROR")) return;
  expect("TRUNCATE");
  call.overflow_truncate = true;
  call.overflow_text = "...";
  if (peek().kind == TokenKind::kString) call.overflow_text = take().text;
  if (accept("WITHOUT")) {
    call.overflow_count = false;
    expect("COUNT");
  } else if (accept("WITH")) {
    expect("COUNT");
  }
}

void Parser::call_suffixes(ast::Expr& call) {
  if (accept_words({"WITHIN", "GROUP"})) {
    expect_symbol("(", 906);
    expect("ORDER");
    expect("BY", 924);
    call.within = order_items();
    expect_symbol(")", 907);
  }
  if (is_word("KEEP") && is_symbol("(", 1)) {
    take();
    take();
    expect("DENSE_RANK");
    call.keep = take().text;
    expect("ORDER");
    expect("BY", 924);
    call.within = order_items();
    expect_symbol(")", 907);
  }
  if ((is_word("IGNORE") || is_word("RESPECT")) && is_word("NULLS", 1)) {
    call.ignore_nulls = take().text == "IGNORE";
    take();
  }
  if (is_word("OVER") && is_symbol("(", 1)) {
    take();
    call.window = window_spec();
  }
}

std::unique_ptr<ast::WindowSpec> Parser::window_spec() {
  auto w = std::make_unique<ast::WindowSpec>();
  expect_symbol("(", 906);
  if (accept("PARTITION")) {
    expect("BY", 924);
    do {
      w->partition.push_back(expression());
    } while (accept_symbol(","));
  }
  if (accept("ORDER")) {
    expect("BY", 924);
    w->order = order_items();
  }
  if (is_word("ROWS") || is_word("RANGE")) window_frame(*w);
  expect_symbol(")", 907);
  return w;
}

void Parser::window_frame(ast::WindowSpec& w) {
  w.has_frame = true;
  w.rows = take().text == "ROWS";
  if (accept("BETWEEN")) {
    w.from = frame_bound(w.from_offset);
    expect("AND");
    w.to = frame_bound(w.to_offset);
  } else {
    w.from = frame_bound(w.from_offset);
    w.to = ast::FrameBound::kCurrentRow;
  }
}

ast::FrameBound Parser::frame_bound(ExprPtr& offset) {
  if (accept("UNBOUNDED")) {
    if (accept("PRECEDING")) return ast::FrameBound::kUnboundedPreceding;
    expect("FOLLOWING");
    return ast::FrameBound::kUnboundedFollowing;
  }
  if (accept_words({"CURRENT", "ROW"})) return ast::FrameBound::kCurrentRow;
  offset = expression();
  if (accept("PRECEDING")) return ast::FrameBound::kPreceding;
  expect("FOLLOWING");
  return ast::FrameBound::kFollowing;
}

}  // namespace orasim
