#include "connect/oracle/ora_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

namespace wherry::oracle {
namespace {

constexpr std::size_t kMaxFileBytes = 16U << 20;
constexpr std::size_t kMaxIncludeDepth = 20;
constexpr std::size_t kMaxIncludes = 200;
constexpr std::size_t kMaxProblems = 20;

bool is_blank_char(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// True for "name =" or "name, name =" at the front of a line: an entry begins there.
bool begins_entry(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == line.npos || equals == 0 || !is_name_char(line[0]) || line[0] == '#') return false;
  return std::all_of(line.begin(), line.begin() + static_cast<long>(equals),
                     [](char c) { return is_name_char(c) || c == ',' || c == ' ' || c == '\t'; });
}

/// One entry as it stands in the text.
struct CutEntry {
  std::string names;  ///< separated by commas
  std::string value;
  std::size_t line = 1;
  std::string problem;  ///< empty: it is readable
};

/// Cuts the text of one file into entries.
class EntryCutter {
 public:
  explicit EntryCutter(std::string_view text) : text_(text) {}

  std::optional<CutEntry> next() {
    skip_blanks_and_comments();
    if (at_ == text_.size()) return std::nullopt;
    CutEntry entry;
    entry.line = line_;
    const std::string_view line = rest_of_line();
    if (!begins_entry(line)) {
      entry.problem = "this is not the beginning of an entry";
      skip(line.size());
      return entry;
    }
    const std::size_t equals = line.find('=');
    entry.names = line.substr(0, equals);
    skip(equals + 1);
    read_value(entry);
    return entry;
  }

 private:
  void read_value(CutEntry& entry) {
    const bool is_include = upper_name(without_blanks(entry.names)) == "IFILE";
    if (is_include) return read_line(entry);
    // A descriptor often begins on a line of its own.
    const std::size_t back = at_, back_line = line_;
    skip_blanks_and_comments();
    if (at_ < text_.size() && text_[at_] == '(') return read_descriptor(entry);
    at_ = back;
    line_ = back_line;
    read_line(entry);
  }

  void read_line(CutEntry& entry) {
    const std::string_view line = rest_of_line();
    entry.value = without_blanks(line.substr(0, line.find('#')));
    skip(line.size());
    if (entry.value.empty()) entry.problem = "the entry has no value";
  }

  void read_descriptor(CutEntry& entry) {
    int depth = 0;
    char quote = '\0';
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool at_line_start = at_ > 0 && text_[at_ - 1] == '\n';
      if (depth > 0 && at_line_start && begins_entry(rest_of_line())) break;
      if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '#') {
        skip(rest_of_line().size());
        continue;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')') {
        --depth;
      } else if (depth == 0 && !is_blank_char(c)) {
        break;
      }
      entry.value.push_back(c);
      skip(1);
      // More descriptions may follow, but only on the same line or an indented one.
      if (depth == 0 && !another_follows()) return;
    }
    if (depth != 0) entry.problem = "its parentheses do not balance";
  }

  [[nodiscard]] bool another_follows() const {
    const std::size_t next = text_.find_first_not_of(" \t\r\n", at_);
    return next != text_.npos && text_[next] == '(';
  }

  [[nodiscard]] std::string_view rest_of_line() const {
    return text_.substr(at_, std::min(text_.find('\n', at_), text_.size()) - at_);
  }

  void skip(std::size_t count) {
    for (; count > 0 && at_ < text_.size(); --count, ++at_) {
      if (text_[at_] == '\n') ++line_;
    }
  }

  void skip_blanks_and_comments() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        skip(rest_of_line().size());
      } else if (is_blank_char(text_[at_])) {
        skip(1);
      } else {
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

Error unreadable(const std::filesystem::path& path, const std::string& why) {
  return make_error(ErrorKind::kConfig, "oracle.tnsnames",
                    "The file " + path.string() + " cannot be read: " + why,
                    "Check the directory (tns_admin, TNS_ADMIN) and the file's permissions");
}

/// Regular files only: a pipe would wait for its writer, a device may have no end.
Result<std::string> text_of_file(const std::filesystem::path& path) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) {
    return unreadable(path, failure ? failure.message() : "it is not a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(path, "it cannot be opened");
  std::string text;
  std::array<char, 16384> piece;
  while (file.read(piece.data(), piece.size()) || file.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMaxFileBytes) return unreadable(path, "it is too large for such a file");
  }
  return text;
}

class EntryCollector {
 public:
  Result<OraFile> read(const std::string& path) {
    WHERRY_TRY(read_file(path));
    return std::move(result_);
  }

 private:
  Result<void> read_file(const std::filesystem::path& path) {
    WHERRY_ASSIGN(const std::string text, text_of_file(path));
    open_.push_back(std::filesystem::weakly_canonical(path));
    EntryCutter cutter(text);
    while (const auto entry = cutter.next()) take(*entry, path);
    open_.pop_back();
    return {};
  }

  void take(const CutEntry& entry, const std::filesystem::path& file) {
    if (!entry.problem.empty()) return complain(file, entry.line, entry.problem);
    if (upper_name(without_blanks(entry.names)) == "IFILE") return include(entry, file);
    std::string_view rest = entry.names;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view name = without_blanks(rest.substr(0, comma));
      if (!name.empty()) {
        result_.entries.push_back({upper_name(name), entry.value, place_of(file, entry.line)});
      }
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }

  void include(const CutEntry& entry, const std::filesystem::path& file) {
    std::string name = entry.value;
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
      name = name.substr(1, name.size() - 2);
    }
    std::error_code failure;
    const std::filesystem::path path = file.parent_path() / name;
    const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, failure);
    if (std::find(open_.begin(), open_.end(), canonical) != open_.end()) {
      return complain(file, entry.line, "IFILE " + name + " includes itself");
    }
    if (open_.size() >= kMaxIncludeDepth || ++includes_ > kMaxIncludes) {
      return complain(file, entry.line, "IFILE " + name + " is nested too deeply");
    }
    if (auto done = read_file(path); !done.ok()) complain(file, entry.line, done.error().message);
  }

  static std::string place_of(const std::filesystem::path& file, std::size_t line) {
    return file.string() + " line " + std::to_string(line);
  }

  void complain(const std::filesystem::path& file, std::size_t line, const std::string& what) {
    if (result_.problems.size() == kMaxProblems) return;
    result_.problems.push_back(place_of(file, line) + ": " + what);
  }

  OraFile result_;
  std::vector<std::filesystem::path> open_;  ///< files being read, to see cycles
  std::size_t includes_ = 0;
};

}  // namespace

std::string upper_name(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank_char(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank_char(text.back())) text.remove_suffix(1);
  return text;
}

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.' ||
         c == '$' || c == '#' || c == '@';
}

Result<OraFile> read_ora_file(const std::string& path) {
  return EntryCollector().read(path);
}

std::string ora_directory(const std::string& configured) {
  if (!configured.empty()) return configured;
  if (const char* admin = std::getenv("TNS_ADMIN"); admin != nullptr && *admin != '\0') {
    return admin;
  }
  if (const char* home = std::getenv("ORACLE_HOME"); home != nullptr && *home != '\0') {
    return std::string(home) + "/network/admin";
  }
  return {};
}

}  // namespace wherry::oracle
