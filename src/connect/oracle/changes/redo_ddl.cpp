#include "connect/oracle/changes/redo_ddl.h"

#include <string>
#include <vector>

#include "connect/oracle/logminer/letters.h"

namespace wherry::oracle {
namespace {

bool is_word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || c == '#' || static_cast<unsigned char>(c) >= 0x80;
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

/// In capitals; a quoted name is an empty one.
std::vector<std::string> words_of(std::string_view sql) {
  constexpr std::size_t kMost = 64;  // what a statement does stands at its beginning
  std::vector<std::string> out;
  for (std::size_t at = 0; at < sql.size() && out.size() < kMost;) {
    if (const std::size_t next = behind_quoted(sql, at); next != at) {
      if (sql[at] == '"') out.emplace_back();
      at = next;
      continue;
    }
    if (!is_word_letter(sql[at])) {
      ++at;
      continue;
    }
    std::string& word = out.emplace_back();
    for (; at < sql.size() && is_word_letter(sql[at]); ++at) word += capital(sql[at]);
  }
  return out;
}

/// Rows that go or come with a part of the table.
bool moves_partition(const std::vector<std::string>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const bool is_part = words[i] == "PARTITION" || words[i] == "SUBPARTITION" ||
                         words[i] == "PARTITIONS" || words[i] == "SUBPARTITIONS";
    const std::string& verb = words[i - 1];
    if (is_part && (verb == "TRUNCATE" || verb == "DROP" || verb == "EXCHANGE")) return true;
  }
  return false;
}

bool renames_table(const std::vector<std::string>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i - 1] == "RENAME" && words[i] == "TO") return true;
  }
  return false;
}

}  // namespace

RedoDdl classify_ddl(std::string_view sql) {
  const std::vector<std::string> words = words_of(sql);
  if (words.empty()) return RedoDdl::kNone;
  const std::string& verb = words[0];
  const bool is_table = words.size() > 1 && words[1] == "TABLE";
  if (verb == "RENAME") return RedoDdl::kRename;
  if (!is_table) return RedoDdl::kNone;
  if (verb == "TRUNCATE") return RedoDdl::kTruncate;
  if (verb == "DROP") return RedoDdl::kDrop;
  if (verb == "FLASHBACK") return RedoDdl::kFlashback;
  if (verb != "ALTER") return RedoDdl::kNone;
  if (moves_partition(words)) return RedoDdl::kPartition;
  return renames_table(words) ? RedoDdl::kRename : RedoDdl::kDefinition;
}

}  // namespace wherry::oracle
