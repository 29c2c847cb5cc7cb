#include "exec/parser.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "exec/errors.h"

namespace orasim {

bool is_reserved(std::string_view w) {
  static const std::unordered_set<std::string_view> kWords = {
      "ACCESS",    "ADD",        "ALL",        "ALTER",     "AND",      "ANY",       "AS",
      "ASC",       "AUDIT",      "BETWEEN",    "BY",        "CHAR",     "CHECK",     "CLUSTER",
      "COLUMN",    "COMMENT",    "COMPRESS",   "CONNECT",   "CREATE",   "CURRENT",   "DATE",
      "DECIMAL",   "DEFAULT",    "DELETE",     "DESC",      "DISTINCT", "DROP",      "ELSE",
      "EXCLUSIVE", "EXISTS",     "FILE",       "FLOAT",     "FOR",      "FROM",      "GRANT",
      "GROUP",     "HAVING",     "IDENTIFIED", "IMMEDIATE", "IN",       "INCREMENT", "INDEX",
      "INITIAL",   "INSERT",     "INTEGER",    "INTERSECT", "INTO",     "IS",        "LIKE",
      "LOCK",      "LONG",       "MAXEXTENTS", "MINUS",     "MLSLABEL", "MODE",      "MODIFY",
      "NOAUDIT",   "NOCOMPRESS", "NOT",        "NOWAIT",    "NULL",     "NUMBER",    "OF",
      "OFFLINE",   "ON",         "ONLINE",     "OPTION",    "OR",       "ORDER",     "PCTFREE",
      "PRIOR",     "PUBLIC",     "RAW",        "RENAME",    "RESOURCE", "REVOKE",    "ROW",
      "ROWS",      "SELECT",     "SESSION",    "SET",       "SHARE",    "SIZE",      "SMALLINT",
      "START",     "SUCCESSFUL", "SYNONYM",    "TABLE",     "THEN",     "TO",        "TRIGGER",
      "UNION",     "UNIQUE",     "UPDATE",     "VALIDATE",  "VALUES",   "VARCHAR",   "VARCHAR2",
      "VIEW",      "WHENEVER",   "WHERE",      "WITH",      "LEVEL",    "ROWNUM",    "ROWID",
      "SYSDATE",   "UID",        "USER"};
  return kWords.contains(w);
}

Parser::Parser(std::string_view sql, bool plsql)
    : sql_(sql), plsql_(plsql), tokens_(tokenize(sql)) {}

const Token& Parser::peek(std::size_t k) const {
  const Token& t = tokens_[std::min(at_ + k, tokens_.size() - 1)];
  if (t.kind == TokenKind::kError && at_ + k >= tokens_.size() - 1) raise(t.error, t.begin);
  return t;
}

const Token& Parser::take() {
  const Token& t = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return t;
}

bool Parser::is_word(std::string_view w, std::size_t k) const {
  const Token& t = peek(k);
  return t.kind == TokenKind::kWord && t.text == w;
}

bool Parser::is_symbol(std::string_view s, std::size_t k) const {
  const Token& t = peek(k);
  return t.kind == TokenKind::kSymbol && t.text == s;
}

bool Parser::accept(std::string_view word) {
  if (!is_word(word)) return false;
  ++at_;
  return true;
}

bool Parser::accept_symbol(std::string_view symbol) {
  if (!is_symbol(symbol)) return false;
  ++at_;
  return true;
}

bool Parser::accept_words(std::initializer_list<std::string_view> words) {
  std::size_t k = 0;
  for (const auto w : words) {
    if (!is_word(w, k++)) return false;
  }
  at_ += words.size();
  return true;
}

void Parser::expect(std::string_view word, int error) {
  if (!accept(word)) fail(error);
}

void Parser::expect_symbol(std::string_view symbol, int error) {
  if (!accept_symbol(symbol)) fail(error);
}

bool Parser::at_end() const {
  return peek().kind == TokenKind::kEnd;
}

void Parser::expect_end() {
  if (is_symbol(";")) fail(911);
  if (!at_end()) fail(933);
}

void Parser::fail(int code) const {
  // SQL has no semicolon: the client ends a statement with it.
  raise(is_symbol(";") && !plsql_ ? 911 : code, peek().begin);
}

std::string Parser::source(int begin, int end) const {
  return std::string(sql_.substr(static_cast<std::size_t>(begin),
                                 static_cast<std::size_t>(std::max(0, end - begin))));
}

void Parser::skip_parentheses() {
  expect_symbol("(", 906);
  for (int depth = 1; depth > 0;) {
    if (at_end()) fail(907);
    const Token& t = take();
    if (t.kind != TokenKind::kSymbol) continue;
    if (t.text == "(") ++depth;
    if (t.text == ")") --depth;
  }
}

std::string Parser::parenthesized_text() {
  const int begin = peek().end;
  skip_parentheses();
  return source(begin, tokens_[at_ - 1].begin);
}

std::int64_t Parser::integer(int error) {
  const bool negative = accept_symbol("-");
  if (!negative) accept_symbol("+");
  if (peek().kind != TokenKind::kNumber) fail(error);
  const std::string text = take().text;
  std::int64_t value = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (r.ec != std::errc() || r.ptr != text.data() + text.size()) raise(error, peek().begin);
  return negative ? -value : value;
}

ast::Ident Parser::identifier(int error) {
  const Token& t = peek();
  const bool quoted = t.kind == TokenKind::kQuoted;
  if (!quoted && (t.kind != TokenKind::kWord || is_reserved(t.text))) {
    // Pseudo columns are reserved too, but read as names wherever a name may stand.
    static const std::unordered_set<std::string_view> kPseudo = {"ROWID",   "ROWNUM", "LEVEL",
                                                                 "SYSDATE", "USER",   "UID"};
    if (t.kind != TokenKind::kWord || (error != 904 && error != 936) || !kPseudo.contains(t.text))
      fail(error);
  }
  if (t.text.size() > 128) raise(972, t.begin);
  ast::Ident id{t.text, quoted, t.begin};
  take();
  return id;
}

ast::Name Parser::qualified_name(int error) {
  ast::Name name;
  name.push_back(identifier(error));
  while (is_symbol(".")) {
    take();
    name.push_back(identifier(error == 903 ? 903 : 904));
  }
  if (accept_symbol("@"))
    raise_text(2019, "connection description for remote database not found", peek().begin);
  return name;
}

std::vector<ast::Ident> Parser::identifier_list() {
  std::vector<ast::Ident> list;
  expect_symbol("(", 906);
  do {
    list.push_back(identifier(904));
  } while (accept_symbol(","));
  expect_symbol(")", 907);
  return list;
}

int Parser::add_bind(const Token& token) {
  const int number = bind_number(token);
  if (plsql_) binds_[static_cast<std::size_t>(number)].is_read = true;
  return number;
}

int Parser::add_target_bind(const Token& token) {
  const int number = bind_number(token);
  if (plsql_) binds_[static_cast<std::size_t>(number)].is_written = true;
  return number;
}

int Parser::bind_number(const Token& token) {
  if (plsql_) {
    for (std::size_t i = 0; i < binds_.size(); ++i) {
      if (binds_[i].name == token.text) return static_cast<int>(i);
    }
  }
  binds_.push_back({token.text, false});
  return input_binds_++;
}

int Parser::add_returning_bind(const Token& token) {
  if (plsql_) return add_target_bind(token);
  binds_.push_back({token.text, true});
  return returning_binds_++;
}

ast::ExprPtr Parser::make(ast::ExprKind kind, int begin) {
  auto e = std::make_unique<ast::Expr>();
  e->kind = kind;
  e->begin = begin;
  e->end = last_end();
  return e;
}

}  // namespace orasim
