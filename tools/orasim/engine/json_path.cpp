#include "engine/json_path.h"

#include <cctype>
#include <charconv>
#include <string>

#include "engine/error.h"

namespace orasim {
namespace {

class PathReader {
 public:
  explicit PathReader(std::string_view path) : whole_(path), rest_(path) {}

  const Json* find(const Json& document) {
    skip_blanks();
    for (const std::string_view mode : {"lax ", "strict "}) accept(mode);
    skip_blanks();
    if (!accept("$")) fail();
    const Json* at = &document;
    for (skip_blanks(); !rest_.empty(); skip_blanks()) {
      // What is wrong with the rest of a path is an error also where nothing is found.
      at = accept(".") ? member(at) : accept("[") ? element(at) : (fail(), nullptr);
    }
    return at;
  }

 private:
  [[noreturn]] void fail() const {
    throw OraError(40442, "JSON path expression syntax error ('" + std::string(whole_) + "')");
  }
  void skip_blanks() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }
  bool accept(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::string name() {
    std::string out;
    if (accept("\"")) {
      while (!rest_.empty() && rest_[0] != '"') {
        if (rest_[0] == '\\') rest_.remove_prefix(1);
        if (rest_.empty()) fail();
        out.push_back(rest_[0]);
        rest_.remove_prefix(1);
      }
      if (!accept("\"")) fail();
      return out;
    }
    while (!rest_.empty() && (std::isalnum(static_cast<unsigned char>(rest_[0])) != 0 ||
                              rest_[0] == '_' || static_cast<unsigned char>(rest_[0]) >= 0x80)) {
      out.push_back(rest_[0]);
      rest_.remove_prefix(1);
    }
    if (out.empty()) fail();
    return out;
  }

  const Json* member(const Json* at) {
    const std::string wanted = name();
    // Item methods (.number(), .string()) say how to convert, which the caller does anyway.
    if (accept("()") || at == nullptr) return at;
    if (at->shape == Json::Shape::kArray && at->items.size() == 1) at = &at->items[0];
    return at->shape == Json::Shape::kObject ? at->member(wanted) : nullptr;
  }

  const Json* element(const Json* at) {
    skip_blanks();
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), index);
    if (error != std::errc()) fail();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    skip_blanks();
    if (!accept("]")) fail();
    if (at == nullptr) return nullptr;
    if (at->shape != Json::Shape::kArray) return index == 0 ? at : nullptr;
    return index < at->items.size() ? &at->items[index] : nullptr;
  }

  std::string_view whole_, rest_;
};

}  // namespace

const Json* json_at(const Json& document, std::string_view path) {
  return PathReader(path).find(document);
}

}  // namespace orasim
