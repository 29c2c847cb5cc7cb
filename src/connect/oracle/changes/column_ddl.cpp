#include "connect/oracle/changes/column_ddl.h"

#include <algorithm>
#include <array>
#include <span>

#include "connect/oracle/changes/ddl_words.h"
#include "connect/oracle/logminer/redo_column.h"

namespace wherry::oracle {
namespace {

using Words = std::span<const DdlWord>;

bool is_one_of(const DdlWord& word, std::span<const std::string_view> wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](std::string_view each) { return word == each; });
}

/// What ADD, DROP and MODIFY have besides columns.
constexpr std::array<std::string_view, 11> kNoColumn = {
    "CONSTRAINT", "PRIMARY",    "UNIQUE",       "CHECK",    "FOREIGN", "SUPPLEMENTAL",
    "PARTITION",  "PARTITIONS", "SUBPARTITION", "OVERFLOW", "INDEX"};
/// Clauses that leave columns as they are.
constexpr std::array<std::string_view, 18> kHarmless = {
    "ENABLE",   "DISABLE",    "LOGGING", "NOLOGGING", "MOVE",     "SHRINK",
    "COMPRESS", "NOCOMPRESS", "CACHE",   "NOCACHE",   "PARALLEL", "NOPARALLEL",
    "ALLOCATE", "DEALLOCATE", "PCTFREE", "INITRANS",  "STORAGE",  "READ"};
/// Such a column is not where the rows have the others, or not at all.
constexpr std::array<std::string_view, 6> kNotStored = {"GENERATED", "AS",      "VIRTUAL",
                                                        "INVISIBLE", "VISIBLE", "ENCRYPT"};
/// What follows a column's type.
constexpr std::array<std::string_view, 12> kBehindType = {
    "DEFAULT", "NOT",        "NULL",    "CONSTRAINT", "PRIMARY", "UNIQUE",
    "CHECK",   "REFERENCES", "COLLATE", "SORT",       "ENABLE",  "DISABLE"};
constexpr std::array<std::string_view, 5> kClauses = {"ADD", "DROP", "MODIFY", "RENAME", "SET"};

/// Behind the parenthesis that closes the one at the beginning; 0: it does not close.
std::size_t behind_group(Words words) {
  int depth = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "(") ++depth;
    if (words[i] == ")" && --depth == 0) return i + 1;
  }
  return 0;
}

/// Parts between commas that stand in no parentheses.
std::vector<Words> split(Words words) {
  std::vector<Words> out;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= words.size(); ++i) {
    if (i < words.size() && words[i] == "(") ++depth;
    if (i < words.size() && words[i] == ")") --depth;
    if (i < words.size() && !(depth == 0 && words[i] == ",")) continue;
    out.push_back(words.subspan(begin, i - begin));
    begin = i + 1;
  }
  return out;
}

template <class Condition>
bool any_outside(Words words, const Condition& condition) {
  int depth = 0;
  for (const DdlWord& word : words) {
    if (word == "(") ++depth;
    if (word == ")") --depth;
    if (depth == 0 && condition(word)) return true;
  }
  return false;
}

class ClauseReader {
 public:
  explicit ClauseReader(Words words) : words_(words) {}

  std::optional<ColumnChanges> read() {
    if (!skip_table()) return std::nullopt;
    while (!at_end()) {
      if (!clause()) return std::nullopt;
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool at_end() const {
    return at_ == words_.size() || (at_ + 1 == words_.size() && words_[at_] == ";");
  }
  bool take(std::string_view word) {
    if (at_ == words_.size() || !(words_[at_] == word)) return false;
    ++at_;
    return true;
  }
  bool name(std::string& out) {
    if (at_ == words_.size() || !words_[at_].is_name()) return false;
    out = words_[at_++].text;
    return true;
  }
  bool skip_table() {
    std::string ignored;
    if (!take("ALTER") || !take("TABLE") || !name(ignored)) return false;
    return !take(".") || name(ignored);
  }

  bool clause() {
    if (take("ADD")) return add();
    if (take("DROP")) return drop();
    if (take("RENAME")) return rename();
    if (take("MODIFY")) {
      out_.modifies = true;
      return rest_is_plain();
    }
    if (!is_one_of(words_[at_], kHarmless)) return false;
    return rest_is_plain();
  }

  /// Up to the end there is no other clause, and nothing that hides a column.
  bool rest_is_plain() {
    const Words rest = words_.subspan(at_);
    at_ = words_.size();
    return !any_outside(rest, [](const DdlWord& word) { return is_one_of(word, kClauses); }) &&
           std::none_of(rest.begin(), rest.end(),
                        [](const DdlWord& word) { return is_one_of(word, kNotStored); });
  }

  bool add() {
    if (at_ == words_.size()) return false;
    if (!(words_[at_] == "(")) {
      Words item = words_.subspan(at_);
      if (!item.empty() && item.back() == ";") item = item.first(item.size() - 1);
      at_ = words_.size();
      return !any_outside(item, [](const DdlWord& word) { return is_one_of(word, kClauses); }) &&
             added(item);
    }
    const std::size_t size = behind_group(words_.subspan(at_));
    if (size == 0) return false;
    for (const Words item : split(words_.subspan(at_ + 1, size - 2))) {
      if (!added(item)) return false;
    }
    at_ += size;
    return true;
  }

  bool added(Words item) {
    if (item.empty()) return false;
    if (is_one_of(item[0], kNoColumn)) return true;
    if (!item[0].is_name() ||
        any_outside(item, [](const DdlWord& word) { return is_one_of(word, kNotStored); })) {
      return false;
    }
    std::string type;
    for (const DdlWord& word : item.subspan(1)) {
      if (is_one_of(word, kBehindType)) break;
      const bool is_joined = type.empty() || word == "(" || word == ")" || word == "," ||
                             type.back() == '(' || type.back() == ',';
      type += (is_joined ? "" : " ") + word.text;
    }
    out_.added.push_back({item[0].text, std::move(type)});
    return true;
  }

  bool drop() {
    std::string dropped;
    if (take("COLUMN")) {
      if (!name(dropped)) return false;
      out_.dropped.push_back(std::move(dropped));
      return rest_is_plain();
    }
    if (at_ < words_.size() && words_[at_] == "(") {
      const std::size_t size = behind_group(words_.subspan(at_));
      if (size == 0) return false;
      for (const Words item : split(words_.subspan(at_ + 1, size - 2))) {
        if (item.size() != 1 || !item[0].is_name()) return false;
        out_.dropped.push_back(item[0].text);
      }
      at_ += size;
      return rest_is_plain();
    }
    return at_ < words_.size() && is_one_of(words_[at_], kNoColumn) && rest_is_plain();
  }

  bool rename() {
    if (take("CONSTRAINT")) return rest_is_plain();
    std::string from, to;
    if (!take("COLUMN") || !name(from) || !take("TO") || !name(to)) return false;
    out_.renamed.emplace_back(std::move(from), std::move(to));
    return true;
  }

  const Words words_;
  std::size_t at_ = 0;
  ColumnChanges out_;
};

bool has_same_form(std::string_view type, std::string_view other) {
  const auto a = redo_column_of(type), b = redo_column_of(other);
  return a && b && a->type == b->type && a->form == b->form;
}

void rename_in_keys(schema::TableDef& table, const std::string& from, const std::string& to) {
  for (schema::KeyDef& key : table.keys) {
    std::replace(key.columns.begin(), key.columns.end(), from, to);
  }
}

/// Those that the dictionary has, as far as the table has their columns.
void settle_keys(schema::TableDef& table, const schema::TableDef& now) {
  const auto is_whole = [&](const schema::KeyDef& key) {
    return std::all_of(key.columns.begin(), key.columns.end(),
                       [&](const std::string& name) { return table.find_column(name) >= 0; });
  };
  if (std::all_of(now.keys.begin(), now.keys.end(), is_whole)) {
    table.keys = now.keys;
  } else {
    std::erase_if(table.keys, [&](const schema::KeyDef& key) { return !is_whole(key); });
  }
}

}  // namespace

std::optional<ColumnChanges> column_changes(std::string_view sql) {
  constexpr std::size_t kMost = 10'000;
  const std::vector<DdlWord> words = ddl_words(sql, kMost);
  if (words.size() == kMost) return std::nullopt;
  return ClauseReader(words).read();
}

std::optional<schema::TableDef> altered(const schema::TableDef& before,
                                        const ColumnChanges& changes, const schema::TableDef& now) {
  schema::TableDef out = before;
  for (const std::string& name : changes.dropped) {
    const int at = out.find_column(name);
    if (at < 0) return std::nullopt;
    out.columns.erase(out.columns.begin() + at);
  }
  for (const auto& [from, to] : changes.renamed) {
    const int at = out.find_column(from);
    if (at < 0 || out.find_column(to) >= 0) return std::nullopt;
    out.columns[static_cast<std::size_t>(at)].name = to;
    rename_in_keys(out, from, to);
  }
  for (const ColumnChanges::Added& added : changes.added) {
    if (out.find_column(added.name) >= 0) return std::nullopt;
    schema::ColumnDef& column = out.columns.emplace_back();
    column.name = added.name;
    column.native_type = added.type;
    const int at = now.find_column(added.name);
    if (at < 0) continue;  // it is gone by now, and nobody needs its values
    const schema::ColumnDef& known = now.columns[static_cast<std::size_t>(at)];
    if (known.is_generated || !has_same_form(known.native_type, added.type)) return std::nullopt;
    column = known;
  }
  for (schema::ColumnDef& column : out.columns) {
    const int at = changes.modifies ? now.find_column(column.name) : -1;
    if (at < 0) continue;
    const schema::ColumnDef& known = now.columns[static_cast<std::size_t>(at)];
    if (!has_same_form(known.native_type, column.native_type)) return std::nullopt;
    column = known;
  }
  settle_keys(out, now);
  return out;
}

}  // namespace wherry::oracle
