#include "connect/oracle/changes/redo_ddl.h"

#include <string>
#include <vector>

#include "connect/oracle/changes/ddl_words.h"

namespace wherry::oracle {
namespace {

using Word = DdlWord;

/// Without signs but points, and without literals.
std::vector<Word> words_of(std::string_view sql) {
  constexpr std::size_t kMost = 64;  // what a statement does stands at its beginning
  std::vector<Word> out = ddl_words(sql, kMost);
  std::erase_if(out, [](const Word& word) { return !word.is_name() && !(word == "."); });
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
