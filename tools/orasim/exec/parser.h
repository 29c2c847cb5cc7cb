// Recursive-descent parser of the part of Oracle SQL that the simulator executes. One Parser reads
// one statement text; the methods of the sublanguages live in parser_*.cpp.
// Errors: OraError with the byte offset of the token that does not fit, as Oracle reports it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/session.h"
#include "exec/ast.h"
#include "exec/lexer.h"

namespace orasim {

class Parser {
 public:
  /// `sql` must outlive the parser. `plsql`: placeholders are one bind per name.
  explicit Parser(std::string_view sql, bool plsql = false);

  // --- statements -----------------------------------------------------------------------------
  ast::QueryPtr query();  ///< WITH / SELECT / ( … ) with ORDER BY, FOR UPDATE
  ast::Insert insert();
  ast::Update update();
  ast::Delete remove();
  ast::Merge merge();

  // --- pieces ---------------------------------------------------------------------------------
  ast::ExprPtr expression();  ///< value expression
  ast::ExprPtr condition();   ///< OR level
  DataType data_type();
  /// The same, or the name of a type that was made by CREATE TYPE, yet to be resolved.
  DataType column_type();
  ast::Ident identifier(int error = 904);
  ast::Name qualified_name(int error = 903);
  std::vector<ast::Ident> identifier_list();  ///< ( a, b, … )

  // --- tokens ---------------------------------------------------------------------------------
  [[nodiscard]] const Token& peek(std::size_t k = 0) const;
  const Token& take();
  [[nodiscard]] bool is_word(std::string_view w, std::size_t k = 0) const;
  [[nodiscard]] bool is_symbol(std::string_view s, std::size_t k = 0) const;
  bool accept(std::string_view word);
  bool accept_symbol(std::string_view symbol);
  /// Two or more words in a row, all or none.
  bool accept_words(std::initializer_list<std::string_view> words);
  void expect(std::string_view word, int error = 905);
  void expect_symbol(std::string_view symbol, int error);
  [[nodiscard]] bool at_end() const;
  /// Only the end may follow: ORA-00933, or 00911 at a semicolon.
  void expect_end();
  [[noreturn]] void fail(int code) const;
  /// Text between two offsets of the statement.
  [[nodiscard]] std::string source(int begin, int end) const;
  [[nodiscard]] std::string_view sql() const { return sql_; }
  [[nodiscard]] int last_end() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }
  [[nodiscard]] std::size_t mark() const { return at_; }
  void reset(std::size_t mark) { at_ = mark; }
  /// Skips one balanced ( … ), the opening one being next.
  void skip_parentheses();
  /// The text inside the next balanced ( … ).
  std::string parenthesized_text();
  std::int64_t integer(int error);

  int add_bind(const Token& token);
  /// PL/SQL: a bind that is given a value.
  int add_target_bind(const Token& token);
  /// The same of a bind that was read before: an IN OUT argument.
  void make_target(int bind) { binds_[static_cast<std::size_t>(bind)].is_written = true; }
  int add_returning_bind(const Token& token);
  ast::Returning returning();
  [[nodiscard]] std::vector<BindInfo> take_binds() { return std::move(binds_); }
  [[nodiscard]] bool plsql() const { return plsql_; }

 private:
  friend class PlsqlParser;
  // Expressions, lowest level last.
  ast::ExprPtr and_condition();
  ast::ExprPtr not_condition();
  ast::ExprPtr predicate();
  ast::ExprPtr predicate_tail(ast::ExprPtr left, int begin);
  ast::ExprPtr is_condition(ast::ExprPtr left, int begin);
  ast::ExprPtr in_condition(ast::ExprPtr left, int begin, bool negated);
  ast::ExprPtr like_condition(ast::ExprPtr left, int begin, bool negated);
  ast::ExprPtr additive();
  ast::ExprPtr multiplicative();
  ast::ExprPtr unary();
  ast::ExprPtr postfix();
  ast::ExprPtr primary();
  ast::ExprPtr number_literal();
  ast::ExprPtr parenthesized();
  ast::ExprPtr word_primary();
  ast::ExprPtr case_expression();
  ast::ExprPtr cast_expression();
  ast::ExprPtr extract_expression();
  ast::ExprPtr trim_call();
  ast::ExprPtr xmlserialize_call();
  ast::ExprPtr document_call();
  void document_clauses(ast::Expr& call, DataType& returning);
  DataType returning_type();
  ast::ExprPtr vector_call();
  ast::ExprPtr json_generator();
  ast::ExprPtr json_item();
  ast::ExprPtr xmlparse_call();
  ast::ExprPtr wrapped(const char* function, ast::ExprPtr inner);
  ast::ExprPtr method_calls(ast::ExprPtr e);
  ast::ExprPtr interval_literal();
  ast::ExprPtr name_or_call();
  void call_arguments(ast::Expr& call);
  void call_suffixes(ast::Expr& call);
  void listagg_overflow(ast::Expr& call);
  std::unique_ptr<ast::WindowSpec> window_spec();
  void window_frame(ast::WindowSpec& w);
  ast::FrameBound frame_bound(ast::ExprPtr& offset);
  bool interval_qualifier(DataType& type);
  ast::ExprPtr make(ast::ExprKind kind, int begin);

  // Queries.
  ast::QueryPtr set_expression();
  ast::QueryPtr intersect_or_term();
  ast::QueryPtr query_term();
  std::unique_ptr<ast::QueryBlock> query_block();
  void with_clause(ast::Query& q);
  void select_item(ast::QueryBlock& b);
  void without_from(ast::QueryBlock& b);
  void select_into(ast::QueryBlock& b);
  void group_by(ast::QueryBlock& b);
  std::vector<std::vector<int>> grouping_element(ast::QueryBlock& b);
  int grouping_expression(ast::QueryBlock& b);
  std::vector<int> grouping_list(ast::QueryBlock& b);
  void hierarchical(ast::QueryBlock& b);
  std::vector<ast::OrderItem> order_items();
  void tail_clauses(ast::Query& q);
  ast::TableRefPtr table_reference();
  ast::TableRefPtr table_primary();
  void table_suffixes(ast::TableRef& t);
  void sample(ast::TableRef& t);
  bool join_tail(ast::TableRefPtr& left);
  [[nodiscard]] bool alias_follows(bool table) const;
  ast::QueryPtr continue_set(ast::QueryPtr left);

  void dml_table(ast::Name& table, ast::QueryPtr& view);
  ast::InsertTarget insert_target(bool with_values);
  std::vector<ast::Assignment> assignments();

  int bind_number(const Token& token);

  std::string_view sql_;
  bool plsql_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int input_binds_ = 0;
  int returning_binds_ = 0;
  std::vector<BindInfo> binds_;
};

/// Words that may not name a column, table or alias unless quoted.
bool is_reserved(std::string_view upper_word);

}  // namespace orasim
