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

struct Word {
  std::string text;  ///< in capitals, unless it is quoted; or a point
  bool is_quoted = false;
  bool operator==(std::string_view keyword) const { return !is_quoted && text == keyword; }
};

std::vector<Word> words_of(std::string_view sql) {
  constexpr std::size_t kMost = 64;  // what a statement does stands at its beginning
  std::vector<Word> out;
  for (std::size_t at = 0; at < sql.size() && out.size() < kMost;) {
    if (const std::size_t next = behind_quoted(sql, at); next != at) {
      if (sql[at] == '"' && next >= at + 2) {
        out.push_back({std::string(sql.substr(at + 1, next - at - 2)), true});
      }
      at = next;
      continue;
    }
    if (!is_word_letter(sql[at])) {
      if (sql[at] == '.') out.push_back({".", false});
      ++at;
      continue;
    }
    std::string& word = out.emplace_back().text;
    for (; at < sql.size() && is_word_letter(sql[at]); ++at) word += capital(sql[at]);
  }
  return out;
}

/// Rows that go or come with a part of the table.
bool moves_partition(const std::vector<Word>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const bool is_part = words[i] == "PARTITION" || words[i] == "SUBPARTITION" ||
                         words[i] == "PARTITIONS" || words[i] == "SUBPARTITIONS";
    const Word& verb = words[i - 1];
    if (is_part && (verb == "TRUNCATE" || verb == "DROP" || verb == "EXCHANGE")) return true;
  }
  return false;
}

bool renames_table(const std::vector<Word>& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i - 1] == "RENAME" && words[i] == "TO") return true;
  }
  return false;
}

}  // namespace

std::optional<DdlTable> table_of_ddl(std::string_view sql) {
  const std::vector<Word> words = words_of(sql);
  std::size_t at = 1;
  if (words.size() > at && words[at] == "TABLE") ++at;
  if (words.size() <= at) return std::nullopt;
  if (words.size() > at + 2 && words[at + 1] == ".") {
    return DdlTable{words[at].text, words[at + 2].text};
  }
  return DdlTable{"", words[at].text};
}

RedoDdl classify_ddl(std::string_view sql) {
  const std::vector<Word> words = words_of(sql);
  if (words.empty()) return RedoDdl::kNone;
  const Word& verb = words[0];
  const bool is_table = words.size() > 1 && words[1] == "TABLE";
  if (verb == "RENAME") return RedoDdl::kRename;
  if (verb == "CREATE" && is_table) return RedoDdl::kCreate;
  if (!is_table) return RedoDdl::kNone;
  if (verb == "TRUNCATE") return RedoDdl::kTruncate;
  if (verb == "DROP") return RedoDdl::kDrop;
  if (verb == "FLASHBACK") return RedoDdl::kFlashback;
  if (verb != "ALTER") return RedoDdl::kNone;
  if (moves_partition(words)) return RedoDdl::kPartition;
  return renames_table(words) ? RedoDdl::kRename : RedoDdl::kDefinition;
}

}  // namespace wherry::oracle
