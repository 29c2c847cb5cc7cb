// INSERT, UPDATE, DELETE, MERGE and their RETURNING clause.
#include "exec/errors.h"
#include "exec/parser.h"

namespace orasim {

ast::Returning Parser::returning() {
  ast::Returning r;
  if (!accept("RETURNING") && !accept("RETURN")) return r;
  do {
    r.exprs.push_back(expression());
  } while (accept_symbol(","));
  expect("INTO", 925);
  do {
    if (peek().kind == TokenKind::kBind) {
      r.binds.push_back(add_returning_bind(take()));
      r.variables.emplace_back();
    } else if (plsql_) {
      r.binds.push_back(-1);
      r.variables.push_back(qualified_name(904));
    } else {
      fail(904);
    }
  } while (accept_symbol(","));
  if (r.binds.size() < r.exprs.size()) fail(947);
  if (r.binds.size() > r.exprs.size()) fail(913);
  return r;
}

/// The table of a DML statement, or a query in parentheses in its place.
void Parser::dml_table(ast::Name& table, ast::QueryPtr& view) {
  if (!is_symbol("(")) {
    table = qualified_name(903);
    if (is_word("PARTITION") && is_symbol("(", 1)) {
      take();
      skip_parentheses();
    }
    return;
  }
  take();
  view = query();
  expect_symbol(")", 907);
}

ast::InsertTarget Parser::insert_target(bool with_values) {
  ast::InsertTarget t;
  expect("INTO", 925);
  t.pos = peek().begin;
  dml_table(t.table, t.view);
  if (!is_word("VALUES") && alias_follows(true)) t.alias = identifier(903);
  if (is_symbol("(") && !is_word("SELECT", 1) && !is_word("WITH", 1) && !is_symbol("(", 1)) {
    expect_symbol("(", 906);
    do {
      t.columns.push_back(qualified_name(904).back());
    } while (accept_symbol(","));
    expect_symbol(")", 917);
  }
  if (with_values && accept("VALUES")) {
    expect_symbol("(", 906);
    do {
      t.values.push_back(plsql_ ? condition() : expression());
    } while (accept_symbol(","));
    expect_symbol(")", 917);
  }
  return t;
}

ast::Insert Parser::insert() {
  ast::Insert insert;
  expect("INSERT");
  if ((is_word("ALL") || is_word("FIRST")) && (is_word("INTO", 1) || is_word("WHEN", 1))) {
    insert.multi = true;
    insert.first = take().text == "FIRST";
    ast::ExprPtr when;
    bool is_else = false;
    while (is_word("INTO") || is_word("WHEN") || is_word("ELSE")) {
      if (accept("WHEN")) {
        when = condition();
        expect("THEN");
        insert.targets.push_back(insert_target(true));
        insert.targets.back().when = std::move(when);
        continue;
      }
      if (accept("ELSE")) is_else = true;
      insert.targets.push_back(insert_target(true));
      insert.targets.back().is_else = is_else;
    }
    insert.query = query();
    return insert;
  }
  insert.targets.push_back(insert_target(true));
  if (insert.targets[0].values.empty()) {
    if (!is_word("SELECT") && !is_word("WITH") && !is_symbol("(")) fail(926);
    insert.query = query();
  }
  insert.returning = returning();
  return insert;
}

std::vector<ast::Assignment> Parser::assignments() {
  std::vector<ast::Assignment> list;
  do {
    ast::Assignment a;
    if (is_symbol("(")) {
      a.columns = identifier_list();
    } else {
      a.columns.push_back(qualified_name(904).back());
    }
    expect_symbol("=", 927);
    a.value = plsql_ ? condition() : expression();
    list.push_back(std::move(a));
  } while (accept_symbol(","));
  return list;
}

ast::Update Parser::update() {
  ast::Update u;
  expect("UPDATE");
  u.pos = peek().begin;
  dml_table(u.table, u.view);
  if (!is_word("SET") && alias_follows(true)) u.alias = identifier(903);
  expect("SET", 971);
  u.set = assignments();
  if (accept("WHERE")) u.where = condition();
  u.returning = returning();
  return u;
}

ast::Delete Parser::remove() {
  ast::Delete d;
  expect("DELETE");
  accept("FROM");
  d.pos = peek().begin;
  dml_table(d.table, d.view);
  if (alias_follows(true)) d.alias = identifier(903);
  if (accept("WHERE")) d.where = condition();
  d.returning = returning();
  return d;
}

ast::Merge Parser::merge() {
  ast::Merge m;
  expect("MERGE");
  expect("INTO", 925);
  m.pos = peek().begin;
  m.table = qualified_name(903);
  if (alias_follows(true)) m.alias = identifier(903);
  expect("USING");
  auto target = std::make_unique<ast::TableRef>();
  target->pos = m.pos;
  target->name = m.table;
  target->alias = m.alias;
  auto join = std::make_unique<ast::TableRef>();
  join->kind = ast::TableRef::Kind::kJoin;
  join->join = ast::JoinKind::kLeft;
  join->left = table_primary();
  join->right = std::move(target);
  expect("ON", 969);
  join->on = condition();
  m.rows.from.push_back(std::move(join));
  while (accept("WHEN")) {
    const bool not_matched = accept("NOT");
    expect("MATCHED");
    expect("THEN");
    if (!not_matched) {
      expect("UPDATE");
      expect("SET", 971);
      m.has_update = true;
      m.set = assignments();
      if (accept("WHERE")) m.update_where = condition();
      if (accept("DELETE")) {
        expect("WHERE");
        m.delete_where = condition();
      }
      continue;
    }
    expect("INSERT");
    m.has_insert = true;
    if (is_symbol("(")) {
      expect_symbol("(", 906);
      do {
        m.insert_columns.push_back(qualified_name(904).back());
      } while (accept_symbol(","));
      expect_symbol(")", 907);
    }
    expect("VALUES", 926);
    expect_symbol("(", 906);
    do {
      m.insert_values.push_back(expression());
    } while (accept_symbol(","));
    expect_symbol(")", 907);
    if (accept("WHERE")) m.insert_where = condition();
  }
  if (!m.has_update && !m.has_insert) fail(905);
  return m;
}

}  // namespace orasim
