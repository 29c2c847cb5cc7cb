// How a table-mapping document writes what the rules hold.
#pragma once

#include <array>
#include <string_view>

#include "mapping/rules.h"

namespace wherry::mapping {

template <class Value>
struct Named {
  std::string_view name;
  Value value;
};

constexpr std::array<Named<SelectionAction>, 3> kSelectionActions = {
    {{"include", SelectionAction::kInclude},
     {"exclude", SelectionAction::kExclude},
     {"explicit", SelectionAction::kExplicit}}};

constexpr std::array<Named<TransformTarget>, 3> kTargets = {{{"schema", TransformTarget::kSchema},
                                                             {"table", TransformTarget::kTable},
                                                             {"column", TransformTarget::kColumn}}};

constexpr std::array<Named<TransformAction>, 12> kTransformActions = {
    {{"rename", TransformAction::kRename},
     {"convert-lowercase", TransformAction::kLowercase},
     {"convert-uppercase", TransformAction::kUppercase},
     {"add-prefix", TransformAction::kAddPrefix},
     {"add-suffix", TransformAction::kAddSuffix},
     {"remove-prefix", TransformAction::kRemovePrefix},
     {"remove-suffix", TransformAction::kRemoveSuffix},
     {"replace-prefix", TransformAction::kReplacePrefix},
     {"replace-suffix", TransformAction::kReplaceSuffix},
     {"remove-column", TransformAction::kRemoveColumn},
     {"include-column", TransformAction::kIncludeColumn},
     {"define-primary-key", TransformAction::kDefinePrimaryKey}}};

/// REQUIRES: `list` has the value.
template <class List, class Value>
std::string_view name_in(const List& list, Value value) {
  for (const auto& item : list) {
    if (item.value == value) return item.name;
  }
  return {};
}

}  // namespace wherry::mapping
