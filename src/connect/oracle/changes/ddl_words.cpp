#include "connect/oracle/changes/ddl_words.h"

#include "connect/oracle/logminer/letters.h"

namespace wherry::oracle {
namespace {

bool is_word_letter(char c) {
  return is_word_part(c) || static_cast<unsigned char>(c) >= 0x80;
}

/// Behind a quoted name, a literal or a comment that begins at `at`; `at` where none does.
std::size_t behind_quoted(std::string_view sql, std::size_t at) {
  const auto behind = [&](std::string_view end, std::size_t from) {
    const std::size_t found = sql.find(end, from);
    return found == std::string_view::npos ? sql.size() : found + end.size();
  };
  if (sql[at] == '"') return behind("\"", at + 1);
  if (sql[at] == '\'') return behind("'", at + 1);
  if (sql.substr(at, 2) == "/*") return behind("*/", at + 2);
  if (sql.substr(at, 2) == "--") return behind("\n", at + 2);
  return at;
}

}  // namespace

std::vector<DdlWord> ddl_words(std::string_view sql, std::size_t most) {
  std::vector<DdlWord> out;
  for (std::size_t at = 0; at < sql.size() && out.size() < most;) {
    if (const std::size_t next = behind_quoted(sql, at); next != at) {
      const bool is_closed = next >= at + 2;
      if (sql[at] == '"' && is_closed) {
        out.push_back({std::string(sql.substr(at + 1, next - at - 2)), DdlWord::Kind::kQuoted});
      } else if (sql[at] == '\'') {
        out.push_back({{}, DdlWord::Kind::kLiteral});
      }
      at = next;
    } else if (is_word_letter(sql[at])) {
      std::string& word = out.emplace_back().text;
      for (; at < sql.size() && is_word_letter(sql[at]); ++at) word += capital(sql[at]);
    } else {
      if (!is_white(sql[at])) out.push_back({std::string(1, sql[at]), DdlWord::Kind::kSign});
      ++at;
    }
  }
  return out;
}

}  // namespace wherry::oracle
