// As much of SQL as the wire protocol depends on: the kind of a statement, and how many of its
// binds stand behind RETURNING … INTO and are therefore not sent.
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/trace/execute_request.h"

namespace wherry::oracle::trace {
namespace {

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '#';
}

char closing_of(char open) {
  switch (open) {
    case '[':
      return ']';
    case '(':
      return ')';
    case '{':
      return '}';
    case '<':
      return '>';
    default:
      return open;
  }
}

/// Walks a statement: words in upper case, placeholders with their colon; literals and comments
/// left out.
class Tokens {
 public:
  explicit Tokens(std::string_view sql) : sql_(sql) {}

  /// "" at the end.
  std::string next() {
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      if (c == '\'') {
        skip_literal();
      } else if (c == '"') {
        skip_past("\"", at_ + 1);
      } else if (sql_.substr(at_, 2) == "--") {
        skip_past("\n", at_);
      } else if (sql_.substr(at_, 2) == "/*") {
        skip_past("*/", at_ + 2);
      } else if (is_placeholder()) {
        ++at_;
        return ":" + placeholder_name();
      } else if (is_word_character(c)) {
        const std::string text = word();
        const bool is_quote =
            (text == "Q" || text == "NQ") && at_ + 1 < sql_.size() && sql_[at_] == '\'';
        if (!is_quote) return text;
        skip_past(std::string(1, closing_of(sql_[at_ + 1])) + "'", at_ + 2);
      } else {
        ++at_;
      }
    }
    return {};
  }

 private:
  [[nodiscard]] bool is_placeholder() const {
    return sql_[at_] == ':' && at_ + 1 < sql_.size() && sql_[at_ + 1] != '=' &&
           (is_word_character(sql_[at_ + 1]) || sql_[at_ + 1] == '"');
  }
  std::string placeholder_name() {
    if (sql_[at_] != '"') return word();
    const std::size_t start = at_;
    skip_past("\"", at_ + 1);
    return std::string(sql_.substr(start, at_ - start));
  }
  std::string word() {
    std::string text;
    for (; at_ < sql_.size() && is_word_character(sql_[at_]); ++at_) {
      text.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(sql_[at_]))));
    }
    return text;
  }
  void skip_literal() { skip_past("'", at_ + 1); }
  void skip_past(std::string_view end, std::size_t from) {
    const std::size_t found = sql_.find(end, from);
    at_ = found == sql_.npos ? sql_.size() : found + end.size();
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

}  // namespace

StatementShape shape_of(std::string_view sql) {
  StatementShape shape;
  Tokens tokens(sql);
  const std::string first = tokens.next();
  shape.is_query = first == "SELECT" || first == "WITH";
  shape.is_plsql = first == "BEGIN" || first == "DECLARE" || first == "CALL";
  const bool is_dml =
      first == "INSERT" || first == "UPDATE" || first == "DELETE" || first == "MERGE";
  bool is_returning = false, is_into = false;
  for (std::string word = tokens.next(); !word.empty(); word = tokens.next()) {
    const bool is_placeholder = word[0] == ':';
    if (is_placeholder) shape.placeholders.push_back(word.substr(1));
    if (!is_dml) continue;
    if (word == "RETURNING" || word == "RETURN") {
      is_returning = true;
      is_into = false;
      shape.returning = 0;
    } else if (is_returning && word == "INTO") {
      is_into = true;
    } else if (is_into && is_placeholder) {
      ++shape.returning;
    }
  }
  return shape;
}

}  // namespace wherry::oracle::trace
