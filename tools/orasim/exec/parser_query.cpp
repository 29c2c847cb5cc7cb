// Queries: WITH, set operators, query blocks, ORDER BY and row limiting.
#include <algorithm>
#include <charconv>

#include "exec/errors.h"
#include "exec/parser.h"

namespace orasim {

using ast::ExprPtr;
using ast::QueryPtr;

QueryPtr Parser::query() {
  const int begin = peek().begin;
  std::vector<ast::Cte> with;
  if (is_word("WITH")) {
    ast::Query holder;
    with_clause(holder);
    with = std::move(holder.with);
  }
  QueryPtr q = set_expression();
  for (auto& cte : q->with) with.push_back(std::move(cte));
  q->with = std::move(with);
  q->begin = begin;
  tail_clauses(*q);
  q->end = last_end();
  return q;
}

void Parser::with_clause(ast::Query& q) {
  expect("WITH");
  do {
    ast::Cte cte;
    cte.name = identifier(903);
    if (is_symbol("(")) cte.columns = identifier_list();
    expect("AS");
    expect_symbol("(", 906);
    cte.query = std::shared_ptr<ast::Query>(query());
    expect_symbol(")", 907);
    q.with.push_back(std::move(cte));
  } while (accept_symbol(","));
}

QueryPtr Parser::set_expression() {
  return continue_set(query_term());
}

/// Oracle gives all set operators the same rank and reads them from the left.
QueryPtr Parser::continue_set(QueryPtr left) {
  for (;;) {
    ast::SetOperator op = ast::SetOperator::kNone;
    if (accept("UNION")) {
      op = accept("ALL") ? ast::SetOperator::kUnionAll : ast::SetOperator::kUnion;
    } else if (accept("MINUS") || accept("EXCEPT")) {
      op = ast::SetOperator::kMinus;
    } else if (accept("INTERSECT")) {
      op = ast::SetOperator::kIntersect;
    } else {
      return left;
    }
    auto q = std::make_unique<ast::Query>();
    q->begin = left->begin;
    q->op = op;
    q->left = std::move(left);
    q->right = query_term();
    q->end = last_end();
    left = std::move(q);
  }
}

QueryPtr Parser::query_term() {
  const int begin = peek().begin;
  if (accept_symbol("(")) {
    QueryPtr q = query();
    expect_symbol(")", 907);
    return q;
  }
  auto q = std::make_unique<ast::Query>();
  q->begin = begin;
  q->block = query_block();
  q->end = last_end();
  return q;
}

std::unique_ptr<ast::QueryBlock> Parser::query_block() {
  auto b = std::make_unique<ast::QueryBlock>();
  b->pos = peek().begin;
  expect("SELECT", 928);
  if (accept("DISTINCT") || accept("UNIQUE")) {
    b->distinct = true;
  } else {
    accept("ALL");
  }
  do {
    select_item(*b);
  } while (accept_symbol(","));
  if (plsql_ && (is_word("INTO") || is_word("BULK"))) select_into(*b);
  if (accept("FROM")) {
    do {
      b->from.push_back(table_reference());
    } while (accept_symbol(","));
  } else {
    without_from(*b);
  }
  if (accept("WHERE")) b->where = condition();
  hierarchical(*b);
  if (is_word("GROUP") || is_word("HAVING")) group_by(*b);
  return b;
}

/// Since 23ai a query without FROM is one over DUAL; older servers miss the word (ORA-00923).
void Parser::without_from(ast::QueryBlock& b) {
  static constexpr std::string_view kNext[] = {"WHERE",  "CONNECT",   "START", "GROUP",
                                               "HAVING", "ORDER",     "UNION", "MINUS",
                                               "EXCEPT", "INTERSECT", "FETCH", "OFFSET"};
  const bool ends = at_end() || is_symbol(")") || is_symbol(";") ||
                    std::any_of(std::begin(kNext), std::end(kNext),
                                [this](std::string_view word) { return is_word(word); });
  if (!ends) fail(923);
  b.from_pos = peek().begin;
  auto dual = std::make_unique<ast::TableRef>();
  dual->pos = b.from_pos;
  dual->name = {{"SYS", true, b.from_pos}, {"DUAL", true, b.from_pos}};
  b.from.push_back(std::move(dual));
}

void Parser::select_item(ast::QueryBlock& b) {
  ast::SelectItem item;
  const int begin = peek().begin;
  if (is_word("FROM")) fail(936);
  if (accept_symbol("*")) {
    item.expr = make(ast::ExprKind::kStar, begin);
    b.items.push_back(std::move(item));
    return;
  }
  item.expr = expression();
  if (accept("AS")) {
    item.alias = identifier(923);
  } else if (alias_follows(false)) {
    item.alias = identifier(923);
  }
  b.items.push_back(std::move(item));
}

void Parser::select_into(ast::QueryBlock& b) {
  if (accept("BULK")) {
    expect("COLLECT");
    b.is_bulk = true;
  }
  expect("INTO");
  do {
    if (peek().kind == TokenKind::kBind) {
      b.into_binds.push_back(add_target_bind(take()));
      b.into.emplace_back();
    } else {
      b.into_binds.push_back(-1);
      b.into.push_back(qualified_name(904));
    }
  } while (accept_symbol(","));
}

bool Parser::alias_follows(bool table) const {
  const Token& t = peek();
  if (t.kind == TokenKind::kQuoted) return true;
  if (t.kind != TokenKind::kWord || is_reserved(t.text)) return false;
  if (!table) return !(plsql_ && t.text == "BULK");
  static constexpr std::string_view kAfterTable[] = {
      "LEFT",   "RIGHT",   "INNER", "FULL",      "CROSS",        "JOIN",   "NATURAL",
      "USING",  "OFFSET",  "FETCH", "PARTITION", "SUBPARTITION", "SAMPLE", "VERSIONS",
      "PIVOT",  "UNPIVOT", "WHEN",  "LOG",       "OUTER",        "APPLY",  "RETURNING",
      "RETURN", "MODEL",   "LOOP",  "EXCEPT"};
  return std::find(std::begin(kAfterTable), std::end(kAfterTable), t.text) == std::end(kAfterTable);
}

ast::TableRefPtr Parser::table_reference() {
  ast::TableRefPtr left = table_primary();
  while (join_tail(left)) {
  }
  return left;
}

ast::TableRefPtr Parser::table_primary() {
  auto t = std::make_unique<ast::TableRef>();
  t->pos = peek().begin;
  t->lateral = is_word("LATERAL") && is_symbol("(", 1);
  if (t->lateral) take();
  if (is_symbol("(")) {
    std::size_t k = 1;
    while (is_symbol("(", k)) ++k;
    if (is_word("SELECT", k) || is_word("WITH", k)) {
      const auto start = mark();
      take();
      t->kind = ast::TableRef::Kind::kQuery;
      t->query = query();
      if (accept_symbol(")")) {
        table_suffixes(*t);
        return t;
      }
      reset(start);  // ((SELECT …) a JOIN …)
    }
    take();
    ast::TableRefPtr inner = table_reference();
    expect_symbol(")", 907);
    return inner;
  }
  if (is_word("TABLE") && is_symbol("(", 1)) fail(22905);
  t->name = qualified_name(903);
  table_suffixes(*t);
  return t;
}

void Parser::table_suffixes(ast::TableRef& t) {
  if (is_word("PARTITION") && is_symbol("(", 1)) {
    take();
    take();
    t.partition = identifier(904);
    expect_symbol(")", 907);
  }
  if (is_word("SAMPLE")) sample(t);
  auto as_of = [&] {
    if (!is_word("AS") || !is_word("OF", 1)) return;
    take();
    take();
    if (accept("TIMESTAMP")) {
      t.as_of_timestamp = true;
    } else {
      expect("SCN");
    }
    t.as_of = expression();
  };
  as_of();
  if (alias_follows(true)) t.alias = identifier(903);
  as_of();
}

void Parser::sample(ast::TableRef& t) {
  const int pos = take().begin;
  if (t.kind != ast::TableRef::Kind::kTable) {
    raise_text(3001, "unimplemented feature: SAMPLE of a query", pos);
  }
  ast::Sample& sample = t.sample.emplace();
  sample.by_block = accept("BLOCK");
  expect_symbol("(", 906);
  const Token percent = take();
  const char* const end = percent.text.data() + percent.text.size();
  const auto read = std::from_chars(percent.text.data(), end, sample.percent);
  const bool is_number = percent.kind == TokenKind::kNumber && read.ptr == end;
  if (!is_number || sample.percent < 0.000001 || sample.percent >= 100) {
    raise_text(30562, "SAMPLE percentage must be in the range [0.000001,100)", percent.begin);
  }
  expect_symbol(")", 907);
  if (!accept("SEED")) return;
  expect_symbol("(", 906);
  sample.seed = static_cast<std::uint32_t>(integer(30175));
  expect_symbol(")", 907);
}

bool Parser::join_tail(ast::TableRefPtr& left) {
  auto join = std::make_unique<ast::TableRef>();
  join->kind = ast::TableRef::Kind::kJoin;
  join->pos = peek().begin;
  const auto start = mark();
  if ((is_word("CROSS") || is_word("OUTER")) && is_word("APPLY", 1)) {
    join->join = take().text == "CROSS" ? ast::JoinKind::kCross : ast::JoinKind::kLeft;
    take();
    join->left = std::move(left);
    join->right = table_primary();
    join->right->lateral = join->right->kind == ast::TableRef::Kind::kQuery;
    left = std::move(join);
    return true;
  }
  join->natural = accept("NATURAL");
  if (accept("CROSS")) {
    join->join = ast::JoinKind::kCross;
  } else if (accept("LEFT")) {
    join->join = ast::JoinKind::kLeft;
  } else if (accept("RIGHT")) {
    join->join = ast::JoinKind::kRight;
  } else if (accept("FULL")) {
    join->join = ast::JoinKind::kFull;
  } else {
    accept("INNER");
  }
  accept("OUTER");
  if (!accept("JOIN")) {
    if (mark() != start) fail(905);
    return false;
  }
  join->left = std::move(left);
  join->right = table_primary();
  if (join->join != ast::JoinKind::kCross && !join->natural) {
    if (accept("ON")) {
      join->on = condition();
    } else if (is_word("USING")) {
      take();
      join->using_columns = identifier_list();
    } else {
      fail(905);
    }
  }
  left = std::move(join);
  return true;
}

void Parser::hierarchical(ast::QueryBlock& b) {
  for (int i = 0; i < 2; ++i) {
    if (accept("START")) {
      expect("WITH");
      b.start_with = condition();
    } else if (is_word("CONNECT") && is_word("BY", 1)) {
      take();
      take();
      b.nocycle = accept("NOCYCLE");
      b.connect_by = condition();
    }
  }
}

int Parser::grouping_expression(ast::QueryBlock& b) {
  ExprPtr e = expression();
  const std::string text = upper_ascii(source(e->begin, e->end));
  for (std::size_t i = 0; i < b.group_by.size(); ++i) {
    if (upper_ascii(source(b.group_by[i]->begin, b.group_by[i]->end)) == text) {
      return static_cast<int>(i);
    }
  }
  b.group_by.push_back(std::move(e));
  return static_cast<int>(b.group_by.size()) - 1;
}

std::vector<int> Parser::grouping_list(ast::QueryBlock& b) {
  std::vector<int> list;
  expect_symbol("(", 906);
  if (accept_symbol(")")) return list;
  do {
    list.push_back(grouping_expression(b));
  } while (accept_symbol(","));
  expect_symbol(")", 907);
  return list;
}

/// One element of GROUP BY as the grouping sets it stands for.
std::vector<std::vector<int>> Parser::grouping_element(ast::QueryBlock& b) {
  if (is_word("ROLLUP") && is_symbol("(", 1)) {
    take();
    std::vector<int> list = grouping_list(b);
    std::vector<std::vector<int>> sets = {list};
    while (!list.empty()) {
      list.pop_back();
      sets.push_back(list);
    }
    return sets;
  }
  if (is_word("CUBE") && is_symbol("(", 1)) {
    take();
    const std::vector<int> list = grouping_list(b);
    std::vector<std::vector<int>> sets;
    for (unsigned mask = 0; mask < 1U << list.size(); ++mask) {
      std::vector<int> set;
      for (std::size_t i = 0; i < list.size(); ++i) {
        if ((mask >> (list.size() - 1 - i) & 1U) == 0) set.push_back(list[i]);
      }
      sets.push_back(set);
    }
    return sets;
  }
  if (accept_words({"GROUPING", "SETS"})) {
    std::vector<std::vector<int>> sets;
    expect_symbol("(", 906);
    do {
      for (auto& set : grouping_element(b)) sets.push_back(std::move(set));
    } while (accept_symbol(","));
    expect_symbol(")", 907);
    return sets;
  }
  if (is_symbol("(") && is_symbol(")", 1)) {
    take();
    take();
    return {{}};
  }
  if (is_symbol("(")) {  // (a, b) is a list; (a) + b an expression
    const auto start = mark();
    const std::size_t known = b.group_by.size();
    std::vector<int> list = grouping_list(b);
    if (is_symbol(",") || is_symbol(")") || at_end() || peek().kind == TokenKind::kWord) {
      return {list};
    }
    reset(start);
    b.group_by.resize(known);
  }
  return {{grouping_expression(b)}};
}

void Parser::group_by(ast::QueryBlock& b) {
  if (accept("HAVING")) b.having = condition();
  if (accept("GROUP")) {
    expect("BY", 924);
    b.has_group_by = true;
    std::vector<std::vector<int>> sets = {{}};
    bool plain = true;
    do {
      const auto start = mark();
      const auto element = grouping_element(b);
      plain = plain && element.size() == 1;
      if (start == mark()) fail(936);
      std::vector<std::vector<int>> product;
      for (const auto& left : sets) {
        for (const auto& right : element) {
          product.push_back(left);
          product.back().insert(product.back().end(), right.begin(), right.end());
        }
      }
      sets = std::move(product);
    } while (accept_symbol(","));
    if (!plain || sets[0].empty()) b.grouping_sets = std::move(sets);
  }
  if (!b.having && accept("HAVING")) b.having = condition();
}

std::vector<ast::OrderItem> Parser::order_items() {
  std::vector<ast::OrderItem> items;
  do {
    ast::OrderItem item;
    item.expr = expression();
    if (accept("DESC")) {
      item.descending = true;
    } else {
      accept("ASC");
    }
    if (accept("NULLS")) {
      item.nulls_first = is_word("FIRST");
      if (!accept("FIRST")) expect("LAST");
    }
    items.push_back(std::move(item));
  } while (accept_symbol(","));
  return items;
}

void Parser::tail_clauses(ast::Query& q) {
  if (is_word("ORDER")) {
    take();
    q.order_siblings = accept("SIBLINGS");
    expect("BY", 924);
    q.order_by = order_items();
  }
  if (accept("OFFSET")) {
    q.offset = expression();
    if (!accept("ROWS")) expect("ROW");
  }
  if (is_word("FETCH") && (is_word("FIRST", 1) || is_word("NEXT", 1))) {
    take();
    take();
    if (!is_word("ROW") && !is_word("ROWS")) {
      q.fetch = expression();
      q.fetch_percent = accept("PERCENT");
    } else {
      auto one = std::make_unique<ast::Expr>();
      one->value = make_int(1);
      q.fetch = std::move(one);
    }
    if (!accept("ROWS")) expect("ROW");
    if (!accept("ONLY")) {
      expect("WITH");
      expect("TIES");
      q.with_ties = true;
    }
  }
  if (is_word("FOR") && is_word("UPDATE", 1)) {
    take();
    take();
    q.lock = ast::RowLock::kWait;
    if (accept("OF")) {
      do {
        qualified_name(904);
      } while (accept_symbol(","));
    }
    if (accept("NOWAIT")) {
      q.lock = ast::RowLock::kNoWait;
    } else if (accept("WAIT")) {
      q.lock_wait_secs = integer(30005);
      if (*q.lock_wait_secs < 0) fail(30005);
      if (*q.lock_wait_secs == 0) q.lock = ast::RowLock::kNoWait;
    } else if (accept("SKIP")) {
      expect("LOCKED");
      q.lock = ast::RowLock::kSkipLocked;
    }
  }
}

}  // namespace orasim
