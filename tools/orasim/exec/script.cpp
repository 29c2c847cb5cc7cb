// SQL*Plus-style scripts cut into statements.
#include <cctype>

#include "engine/session.h"

namespace orasim {
namespace {

std::string upper_words(std::string_view line, std::size_t count) {
  std::string out;
  std::size_t words = 0;
  bool in_word = false;
  for (const char c : line) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      in_word = false;
      continue;
    }
    if (!in_word) {
      if (words++ == count) break;
      if (!out.empty()) out += ' ';
      in_word = true;
    }
    out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

bool begins(std::string_view text, std::string_view part) {
  return text.substr(0, part.size()) == part;
}

/// Lines that are SQL*Plus's own, outside statements.
bool is_client_line(std::string_view line) {
  const std::string words = upper_words(line, 2);
  for (const std::string_view word :
       {"REM", "REMARK", "PROMPT", "SPOOL", "WHENEVER", "ACCEPT", "DEFINE", "UNDEFINE", "EXIT",
        "QUIT", "SHOW", "COLUMN", "CLEAR", "PAUSE", "CONNECT", "HOST"}) {
    if (words == word || begins(words, std::string(word) + " ")) return true;
  }
  if (begins(words, "SET ")) {
    return !begins(words, "SET TRANSACTION") && !begins(words, "SET ROLE") &&
           !begins(words, "SET CONSTRAINT");
  }
  return begins(words, "@") || begins(words, "!");
}

/// Statements that end at a line with a slash.
bool is_code(std::string_view text) {
  const std::string words = upper_words(text, 6);
  if (begins(words, "BEGIN") || begins(words, "DECLARE") || begins(words, "<<")) return true;
  if (!begins(words, "CREATE")) return false;
  for (const std::string_view kind :
       {" PROCEDURE", " FUNCTION", " PACKAGE", " TRIGGER", " TYPE "}) {
    if (words.find(kind) != std::string::npos) return true;
  }
  return false;
}

/// Follows quotes and comments, to find a semicolon that ends a statement.
class Scanner {
 public:
  /// Reads a line; true when the statement ends at `end` of it.
  bool ends_in(std::string_view line, std::size_t& end) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (in_comment_) {
        if (line.substr(i, 2) == "*/") {
          in_comment_ = false;
          ++i;
        }
      } else if (quote_ != '\0') {
        if (line[i] == quote_) quote_ = '\0';
      } else if (line[i] == '\'' || line[i] == '"') {
        quote_ = line[i];
      } else if (line.substr(i, 2) == "--") {
        return false;
      } else if (line.substr(i, 2) == "/*") {
        in_comment_ = true;
        ++i;
      } else if (line[i] == ';') {
        end = i;
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] bool is_inside() const { return in_comment_ || quote_ != '\0'; }
  void reset() {
    quote_ = '\0';
    in_comment_ = false;
  }

 private:
  char quote_ = '\0';
  bool in_comment_ = false;
};

}  // namespace

std::vector<std::string> split_script(std::string_view text) {
  std::vector<std::string> statements;
  std::string current;
  Scanner scanner;
  const auto finish = [&] {
    const bool blank = current.find_first_not_of(" \t\r\n") == std::string::npos;
    if (!blank) statements.push_back(current);
    current.clear();
    scanner.reset();
  };
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const bool fresh = current.find_first_not_of(" \t\r\n") == std::string::npos;
    if (!scanner.is_inside() && upper_words(line, 1) == "/" && upper_words(line, 2) == "/") {
      finish();
      continue;
    }
    if (fresh && !scanner.is_inside() && is_client_line(line)) continue;
    std::string with_line = current + std::string(line);
    std::size_t end = 0;
    if (is_code(with_line)) {
      std::size_t ignored = 0;
      // Quotes and comments still matter; semicolons do not.
      for (std::string_view rest = line; scanner.ends_in(rest, ignored);)
        rest.remove_prefix(ignored + 1);
      current = with_line + "\n";
    } else if (scanner.ends_in(line, end)) {
      current += line.substr(0, end);
      finish();
    } else {
      current = with_line + "\n";
    }
  }
  finish();
  return statements;
}

}  // namespace orasim
