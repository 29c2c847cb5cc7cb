#include "exec/lexer.h"

#include <array>

namespace orasim {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_word(char c) {
  return is_word_start(c) || is_digit(c) || c == '_' || c == '$' || c == '#';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == '\0';
}

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : s_(sql) {}

  std::vector<Token> run() {
    tokens_.reserve(s_.size() / 5 + 4);
    while (error_ == 0) {
      skip_blanks();
      if (error_ != 0 || at_ >= s_.size()) break;
      next();
    }
    Token end;
    end.kind = error_ == 0 ? TokenKind::kEnd : TokenKind::kError;
    end.error = error_;
    end.begin = end.end = static_cast<int>(error_ == 0 ? s_.size() : start_);
    tokens_.push_back(end);
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t k = 0) const { return at_ + k < s_.size() ? s_[at_ + k] : '\0'; }

  void skip_blanks() {
    while (at_ < s_.size()) {
      if (is_space(s_[at_])) {
        ++at_;
      } else if (peek() == '-' && peek(1) == '-') {
        while (at_ < s_.size() && s_[at_] != '\n') ++at_;
      } else if (peek() == '/' && peek(1) == '*') {
        start_ = at_;
        const auto end = s_.find("*/", at_ + 2);
        if (end == std::string_view::npos) {
          error_ = 1742;
          return;
        }
        at_ = end + 2;
      } else {
        return;
      }
    }
  }

  void add(TokenKind kind, std::string text) {
    Token t;
    t.kind = kind;
    t.text = std::move(text);
    t.begin = static_cast<int>(start_);
    t.end = static_cast<int>(at_);
    tokens_.push_back(std::move(t));
  }

  void next() {
    start_ = at_;
    const char c = peek();
    if (c == '\'') return string(TokenKind::kString);
    if ((c == 'n' || c == 'N') && peek(1) == '\'') {
      ++at_;
      return string(TokenKind::kNational);
    }
    if ((c == 'q' || c == 'Q') && peek(1) == '\'') {
      ++at_;
      return alternative_string(TokenKind::kString);
    }
    if ((c == 'n' || c == 'N') && (peek(1) == 'q' || peek(1) == 'Q') && peek(2) == '\'') {
      at_ += 2;
      return alternative_string(TokenKind::kNational);
    }
    if (is_word_start(c)) return word();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '"') return quoted();
    if (c == ':' && peek(1) != '=') return bind();
    symbol();
  }

  void word() {
    while (at_ < s_.size() && is_word(s_[at_])) ++at_;
    add(TokenKind::kWord, upper_ascii(s_.substr(start_, at_ - start_)));
  }

  void number() {
    while (is_digit(peek())) ++at_;
    if (peek() == '.' && peek(1) != '.') {
      ++at_;
      while (is_digit(peek())) ++at_;
    }
    if (peek() == 'e' || peek() == 'E') {
      const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
      if (is_digit(peek(sign))) {
        at_ += sign;
        while (is_digit(peek())) ++at_;
      }
    }
    std::string text(s_.substr(start_, at_ - start_));
    const char suffix = peek();
    if ((suffix == 'f' || suffix == 'F' || suffix == 'd' || suffix == 'D') && !is_word(peek(1))) {
      ++at_;
      text.push_back(suffix == 'f' || suffix == 'F' ? 'F' : 'D');
    }
    add(TokenKind::kNumber, std::move(text));
  }

  void string(TokenKind kind) {
    std::string text;
    for (++at_; at_ < s_.size(); ++at_) {
      if (s_[at_] == '\'') {
        if (peek(1) != '\'') {
          ++at_;
          return add(kind, std::move(text));
        }
        ++at_;
      }
      text.push_back(s_[at_]);
    }
    error_ = 1756;
  }

  void alternative_string(TokenKind kind) {
    at_ += 2;
    if (at_ > s_.size() || at_ == s_.size()) {
      error_ = 1756;
      return;
    }
    const char open = s_[at_ - 1];
    const char close = open == '['   ? ']'
                       : open == '{' ? '}'
                       : open == '(' ? ')'
                       : open == '<' ? '>'
                                     : open;
    const char ending[] = {close, '\'', '\0'};
    const auto end = s_.find(ending, at_);
    if (end == std::string_view::npos) {
      error_ = 1756;
      return;
    }
    std::string text(s_.substr(at_, end - at_));
    at_ = end + 2;
    add(kind, std::move(text));
  }

  void quoted() {
    const auto end = s_.find('"', at_ + 1);
    if (end == std::string_view::npos) {
      error_ = 1740;
      return;
    }
    std::string text(s_.substr(at_ + 1, end - at_ - 1));
    if (text.empty()) {
      error_ = 1741;
      return;
    }
    at_ = end + 1;
    add(TokenKind::kQuoted, std::move(text));
  }

  void bind() {
    ++at_;
    while (at_ < s_.size() && is_space(s_[at_])) ++at_;
    if (peek() == '"') {
      const auto end = s_.find('"', at_ + 1);
      if (end == std::string_view::npos) {
        error_ = 1740;
        return;
      }
      std::string text(s_.substr(at_ + 1, end - at_ - 1));
      at_ = end + 1;
      return add(TokenKind::kBind, std::move(text));
    }
    const std::size_t from = at_;
    if (is_digit(peek())) {
      while (is_digit(peek())) ++at_;
    } else if (is_word_start(peek())) {
      while (at_ < s_.size() && is_word(s_[at_])) ++at_;
    }
    if (at_ == from) return add(TokenKind::kSymbol, ":");
    add(TokenKind::kBind, upper_ascii(s_.substr(from, at_ - from)));
  }

  void symbol() {
    static constexpr std::array<std::string_view, 13> kLong = {
        "||", ":=", "=>", "!=", "<>", "^=", "~=", "<=", ">=", "..", "**", "<<", ">>"};
    for (const auto candidate : kLong) {
      if (s_.substr(at_, 2) == candidate) {
        at_ += 2;
        return add(TokenKind::kSymbol, candidate == "<>" || candidate == "^=" || candidate == "~="
                                           ? "!="
                                           : std::string(candidate));
      }
    }
    if (std::string_view("()+-*/,.;=<>@%|:[]{}").find(peek()) == std::string_view::npos) {
      error_ = 911;
      return;
    }
    ++at_;
    add(TokenKind::kSymbol, std::string(1, s_[start_]));
  }

  std::string_view s_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  int error_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view sql) {
  return Lexer(sql).run();
}

std::string upper_ascii(std::string_view s) {
  std::string out(s);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace orasim
