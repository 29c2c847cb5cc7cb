#include "connect/oracle/statement.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>

namespace wherry::oracle {
namespace {

/// Walks over a statement's words; quotes, q-quotes and comments are skipped whole.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  /// The next word in upper case, "" at the end. Other characters are passed over.
  std::string next() {
    while (at_ < text_.size()) {
      if (skip_comment() || skip_quoted()) continue;
      const char c = text_[at_];
      if (is_word(c)) return word();
      ++at_;
    }
    return {};
  }

 private:
  static bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '#';
  }
  [[nodiscard]] bool starts(std::string_view token) const {
    return text_.substr(at_).starts_with(token);
  }
  void skip_past(std::string_view token, std::size_t from) {
    const std::size_t end = text_.find(token, from);
    at_ = end == text_.npos ? text_.size() : end + token.size();
  }
  bool skip_comment() {
    if (starts("--")) {
      skip_past("\n", at_);
      return true;
    }
    if (starts("/*")) {
      skip_past("*/", at_ + 2);
      return true;
    }
    return false;
  }
  bool skip_quoted() {
    const char c = text_[at_];
    if (c == '\'' || c == '"') {
      skip_past(std::string_view(&text_[at_], 1), at_ + 1);
      return true;
    }
    if ((c == 'q' || c == 'Q') && at_ + 2 < text_.size() && text_[at_ + 1] == '\'') {
      const std::string end = {closing(text_[at_ + 2]), '\''};
      skip_past(end, at_ + 3);
      return true;
    }
    return false;
  }
  static char closing(char open) {
    switch (open) {
      case '[': return ']';
      case '(': return ')';
      case '{': return '}';
      case '<': return '>';
      default: return open;
    }
  }
  std::string word() {
    std::string word;
    while (at_ < text_.size() && is_word(text_[at_])) {
      word.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(text_[at_++]))));
    }
    return word;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

struct Keyword {
  std::string_view word;
  StatementKind kind;
};
constexpr Keyword kKeywords[] = {
    {"SELECT", StatementKind::kQuery}, {"WITH", StatementKind::kQuery},
    {"BEGIN", StatementKind::kPlsql},  {"DECLARE", StatementKind::kPlsql},
    {"CALL", StatementKind::kPlsql},   {"INSERT", StatementKind::kDml},
    {"UPDATE", StatementKind::kDml},   {"DELETE", StatementKind::kDml},
    {"MERGE", StatementKind::kDml},    {"CREATE", StatementKind::kDdl},
    {"ALTER", StatementKind::kDdl},    {"DROP", StatementKind::kDdl},
    {"GRANT", StatementKind::kDdl},    {"REVOKE", StatementKind::kDdl},
    {"ANALYZE", StatementKind::kDdl},  {"AUDIT", StatementKind::kDdl},
    {"COMMENT", StatementKind::kDdl},  {"TRUNCATE", StatementKind::kDdl},
};

}  // namespace

StatementKind kind_of_statement(std::string_view sql) {
  const std::string word = Words(sql).next();
  const auto* found = std::find_if(std::begin(kKeywords), std::end(kKeywords),
                                   [&](const Keyword& k) { return k.word == word; });
  return found != std::end(kKeywords) ? found->kind : StatementKind::kOther;
}

bool has_returning_into(std::string_view sql) {
  if (kind_of_statement(sql) != StatementKind::kDml) return false;
  Words words(sql);
  bool seen_returning = false;
  for (std::string word = words.next(); !word.empty(); word = words.next()) {
    if (word == "RETURNING" || word == "RETURN") seen_returning = true;
    if (word == "INTO" && seen_returning) return true;
  }
  return false;
}

}  // namespace wherry::oracle
