#include "connect/oracle/nv_tree.h"

#include <cctype>

namespace wherry::oracle {
namespace {

constexpr int kMaxDepth = 20;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<NvNode>> whole() {
    std::vector<NvNode> nodes;
    do {
      WHERRY_ASSIGN(NvNode node, this->node(0));
      nodes.push_back(std::move(node));
      skip_blanks();
    } while (peek() == '(');
    if (at_ != text_.size()) return error("text follows the last parenthesis");
    return nodes;
  }

 private:
  Result<NvNode> node(int depth) {
    if (depth > kMaxDepth) return error("parentheses are nested too deeply");
    if (!take('(')) return error("an opening parenthesis is missing");
    NvNode node;
    node.name = name();
    if (node.name.empty()) return error("a name is missing");
    if (!take('=')) return error("an equals sign is missing after " + node.name);
    skip_blanks();
    if (peek() == '(') {
      while (peek() == '(') {
        WHERRY_ASSIGN(NvNode child, this->node(depth + 1));
        node.children.push_back(std::move(child));
        skip_blanks();
      }
    } else {
      WHERRY_ASSIGN(node.value, value());
    }
    if (!take(')')) return error("a closing parenthesis is missing after " + node.name);
    return node;
  }

  std::string name() {
    skip_blanks();
    std::string name;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 ||
                                  text_[at_] == '_' || text_[at_] == '.')) {
      name.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(text_[at_++]))));
    }
    return name;
  }

  Result<std::string> value() {
    if (peek() == '"' || peek() == '\'') {
      const char quote = text_[at_++];
      const std::size_t end = text_.find(quote, at_);
      if (end == text_.npos) return error("a closing quote is missing");
      std::string value(text_.substr(at_, end - at_));
      at_ = end + 1;
      return value;
    }
    const std::size_t end = std::min(text_.find_first_of("()", at_), text_.size());
    std::string_view value = text_.substr(at_, end - at_);
    at_ = end;
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())) != 0) {
      value.remove_suffix(1);
    }
    return std::string(value);
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    skip_blanks();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] Error error(const std::string& what) const {
    return make_error(
        ErrorKind::kConfig, "oracle.connect_string",
        "The connect descriptor is malformed at character " + std::to_string(at_ + 1) + ": " + what,
        "Write (DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=…)(PORT=…))"
        "(CONNECT_DATA=(SERVICE_NAME=…))) or host:port/service");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// A value that would not survive as it is goes into quotes.
bool needs_quotes(std::string_view value) {
  return value.find_first_of("()= ") != value.npos;
}

}  // namespace

const NvNode* NvNode::find(std::string_view child) const {
  for (const NvNode& node : children) {
    if (node.name == child) return &node;
  }
  return nullptr;
}

std::string_view NvNode::value_of(std::string_view child) const {
  const NvNode* node = find(child);
  return node != nullptr ? std::string_view(node->value) : std::string_view();
}

Result<std::vector<NvNode>> parse_nv_list(std::string_view text) {
  return Parser(text).whole();
}

Result<NvNode> parse_nv(std::string_view text) {
  WHERRY_ASSIGN(std::vector<NvNode> nodes, parse_nv_list(text));
  if (nodes.size() == 1) return std::move(nodes.front());
  return make_error(ErrorKind::kConfig, "oracle.connect_string",
                    "The connect descriptor is malformed: several stand in a row",
                    "Give one (NAME=…)");
}

std::string to_text(const NvNode& node) {
  std::string text = "(" + node.name + "=";
  if (node.children.empty() && needs_quotes(node.value)) {
    text += "\"" + node.value + "\"";
  } else {
    text += node.value;
  }
  for (const NvNode& child : node.children) text += to_text(child);
  return text + ")";
}

}  // namespace wherry::oracle
