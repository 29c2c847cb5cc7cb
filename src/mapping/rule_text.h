// A document's rules in one order and one form, for people who want to see what was understood.
#pragma once

#include <string>
#include <vector>

#include "mapping/rules.h"

namespace wherry::mapping {

struct RuleText {
  std::int64_t id = 0;
  std::string type;  ///< "selection"
  std::string text;  ///< "include HR.EMP%, load-order 5"
};

/// "(AMOUNT >= '10' or AMOUNT is null)"
std::string filter_text(const schema::RowFilter& filter);
/// By type as it counts (selections, transformations, table settings), then by id.
std::vector<RuleText> texts_of(const RuleSet& rules);

}  // namespace wherry::mapping
