#include "wire/sql_scan.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace orasim::wire {

namespace {

bool word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '#' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  SqlShape run() {
    while (at_ < sql_.size()) step();
    return std::move(shape_);
  }

 private:
  void step() {
    const char c = sql_[at_];
    const bool after_literal = after_literal_;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at_;
      return;
    }
    if (skip_comment()) return;
    after_literal_ = false;
    if (c == '\'') {
      skip_to("'", at_ + 1);
      after_literal_ = true;
    } else if (c == '"') {
      skip_to("\"", at_ + 1);
    } else if (word_char(c)) {
      word();
    } else if (c == ':' && !after_literal && at_ + 1 < sql_.size()) {
      placeholder();
    } else {
      ++at_;
    }
  }

  bool skip_comment() {
    const std::string_view rest = sql_.substr(at_);
    if (rest.starts_with("--")) {
      skip_to("\n", at_ + 2);
    } else if (rest.starts_with("/*")) {
      skip_to("*/", at_ + 2);
    } else {
      return false;
    }
    return true;
  }

  void skip_to(std::string_view end, std::size_t from) {
    const std::size_t found = sql_.find(end, from);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }

  // q'[…]' and nq'[…]': the closing delimiter mirrors the opening one.
  bool skip_q_quote(std::string_view word) {
    if ((word != "Q" && word != "NQ") || at_ + 1 >= sql_.size() || sql_[at_] != '\'') return false;
    const char open = sql_[at_ + 1];
    const char close = open == '['   ? ']'
                       : open == '{' ? '}'
                       : open == '(' ? ')'
                       : open == '<' ? '>'
                                     : open;
    skip_to(std::string{close, '\''}, at_ + 2);
    after_literal_ = true;
    return true;
  }

  void word() {
    const std::size_t from = at_;
    while (at_ < sql_.size() && word_char(sql_[at_])) ++at_;
    std::string text(sql_.substr(from, at_ - from));
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
      return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    if (skip_q_quote(text)) return;
    if (!started_) first_word(text);
    if (text == "RETURNING" || text == "RETURN") returning_ = true;
    if (text == "INTO" && returning_ && shape_.is_dml) into_ = true;
  }

  void first_word(const std::string& text) {
    started_ = true;
    shape_.is_query = text == "SELECT" || text == "WITH";
    shape_.is_plsql = text == "BEGIN" || text == "DECLARE" || text == "CALL";
    shape_.is_dml = text == "INSERT" || text == "UPDATE" || text == "DELETE" || text == "MERGE";
  }

  void placeholder() {
    std::size_t from = ++at_;
    while (at_ < sql_.size() && sql_[at_] == ' ') from = ++at_;
    if (at_ < sql_.size() && sql_[at_] == '"') {
      skip_to("\"", at_ + 1);
    } else {
      while (at_ < sql_.size() && word_char(sql_[at_])) ++at_;
    }
    if (at_ == from) return;  // ":=" and the like
    std::string name(sql_.substr(from, at_ - from));
    if (name.front() != '"') {
      std::transform(name.begin(), name.end(), name.begin(), [](char c) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      });
    }
    if (shape_.is_plsql) {
      if (std::find(names_.begin(), names_.end(), name) != names_.end()) return;
      names_.push_back(std::move(name));
    }
    shape_.returning.push_back(into_);
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  SqlShape shape_;
  std::vector<std::string> names_;
  bool started_ = false;
  bool after_literal_ = false;
  bool returning_ = false;
  bool into_ = false;
};

}  // namespace

SqlShape scan_sql(std::string_view sql) {
  return Scanner(sql).run();
}

}  // namespace orasim::wire
