#include "connect/oracle/statement.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>

namespace wherry::oracle {
namespace {

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

bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0 || c == '(';
}

/// Without the blanks, parentheses and comments at its start.
std::string_view from_first_word(std::string_view sql) {
  while (!sql.empty()) {
    std::size_t skipped = 0;
    if (is_blank(sql[0])) {
      skipped = 1;
    } else if (sql.starts_with("--")) {
      skipped = sql.find('\n');
    } else if (sql.starts_with("/*")) {
      const std::size_t end = sql.find("*/", 2);
      skipped = end == sql.npos ? end : end + 2;
    } else {
      break;
    }
    sql.remove_prefix(std::min(skipped, sql.size()));
  }
  return sql;
}

}  // namespace

StatementKind kind_of_statement(std::string_view sql) {
  std::string word;
  for (const char c : from_first_word(sql)) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
    word.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  const auto* found = std::find_if(std::begin(kKeywords), std::end(kKeywords),
                                   [&](const Keyword& k) { return k.word == word; });
  return found != std::end(kKeywords) ? found->kind : StatementKind::kOther;
}

}  // namespace wherry::oracle
