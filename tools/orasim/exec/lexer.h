// Tokens of Oracle SQL and PL/SQL with their byte positions. Comments and hints are skipped;
// placeholders inside strings and comments are therefore no tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orasim {

enum class TokenKind : unsigned char {
  kEnd,
  kWord,      ///< identifier or keyword; `text` is upper case
  kQuoted,    ///< "identifier", as written
  kString,    ///< '…' or q'[…]'; `text` is the content
  kNational,  ///< N'…'
  kNumber,    ///< `text` as written, with a trailing F or D for a binary float
  kBind,      ///< :name or :1; `text` is the upper-case name (quoted names as written)
  kSymbol,    ///< operator or punctuation
  kError,     ///< a lexical error; consuming it throws ORA-`error`
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  int begin = 0;  ///< byte offset of the first character
  int end = 0;    ///< one past the last
  int error = 0;
};

/// Always ends with a kEnd or kError token.
std::vector<Token> tokenize(std::string_view sql);

/// ASCII upper case; other bytes unchanged.
std::string upper_ascii(std::string_view);

}  // namespace orasim
