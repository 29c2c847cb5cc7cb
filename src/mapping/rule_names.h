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

constexpr std::array<Named<TableType>, 3> kTableTypes = {
    {{"table", TableType::kTable}, {"view", TableType::kView}, {"all", TableType::kAll}}};

constexpr std::array<Named<TransformTarget>, 5> kTargets = {
    {{"schema", TransformTarget::kSchema},
     {"table", TransformTarget::kTable},
     {"column", TransformTarget::kColumn},
     {"table-tablespace", TransformTarget::kTableTablespace},
     {"index-tablespace", TransformTarget::kIndexTablespace}}};

constexpr std::array<Named<TransformAction>, 18> kTransformActions = {
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
     {"define-primary-key", TransformAction::kDefinePrimaryKey},
     {"add-column", TransformAction::kAddColumn},
     {"change-data-type", TransformAction::kChangeDataType},
     {"add-before-image-columns", TransformAction::kAddBeforeImageColumns},
     {"data-masking-digits-mask", TransformAction::kMaskDigits},
     {"data-masking-digits-randomize", TransformAction::kRandomizeDigits},
     {"data-masking-hash-mask", TransformAction::kMaskByHash}}};

constexpr std::array<Named<BeforeImage::Columns>, 3> kBeforeImageColumns = {
    {{"pk-only", BeforeImage::Columns::kKey},
     {"non-lob", BeforeImage::Columns::kAllButLobs},
     {"all", BeforeImage::Columns::kAll}}};

constexpr std::array<Named<const char*>, 2> kObjectMappingActions = {
    {{"map-record-to-record", "map-record-to-record"},
     {"map-record-to-document", "map-record-to-document"}}};

/// REQUIRES: `list` has the value.
template <class List, class Value>
std::string_view name_in(const List& list, Value value) {
  for (const auto& item : list) {
    if (item.value == value) return item.name;
  }
  return {};
}

}  // namespace wherry::mapping
