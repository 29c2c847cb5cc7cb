// Oracle Net's nested "(NAME=value)" text. Names are case-insensitive, blanks between tokens do not
// count, values may stand in double quotes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace wherry::oracle {

struct NvNode {
  std::string name;   ///< upper case
  std::string value;  ///< when it has no children
  std::vector<NvNode> children;

  /// First child of that name, nullptr if none.
  [[nodiscard]] const NvNode* find(std::string_view child) const;
  /// Value of the first child of that name, "" if none.
  [[nodiscard]] std::string_view value_of(std::string_view child) const;
};

/// One "(NAME=…)". kConfig "oracle.connect_string" names the place.
Result<NvNode> parse_nv(std::string_view text);
/// One or more of them.
Result<std::vector<NvNode>> parse_nv_list(std::string_view text);
/// Without blanks.
std::string to_text(const NvNode& node);

}  // namespace wherry::oracle
