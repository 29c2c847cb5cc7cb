// The words of a statement of DDL, as far as it has to be understood.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::oracle {

struct DdlWord {
  enum class Kind : std::uint8_t {
    kPlain,   ///< in capitals
    kQuoted,  ///< a name in double quotes, without them
    kSign,    ///< one character
    kLiteral,
  };
  std::string text;
  Kind kind = Kind::kPlain;

  [[nodiscard]] bool is_name() const { return kind == Kind::kPlain || kind == Kind::kQuoted; }
  /// Of a keyword in capitals, or a sign.
  bool operator==(std::string_view wanted) const {
    return (kind == Kind::kPlain || kind == Kind::kSign) && text == wanted;
  }
};

/// Up to `most` words; comments are passed over.
std::vector<DdlWord> ddl_words(std::string_view sql, std::size_t most);

}  // namespace wherry::oracle
