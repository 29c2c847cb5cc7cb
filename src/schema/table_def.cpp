#include "schema/table_def.h"

#include <algorithm>

namespace wherry::schema {

std::string to_text(const TableRef& table) {
  return table.schema.empty() ? table.name : table.schema + "." + table.name;
}

int TableDef::find_column(std::string_view name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

const KeyDef* TableDef::primary_key() const {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [](const KeyDef& key) { return key.is_primary; });
  return found == keys.end() ? nullptr : &*found;
}

const KeyDef* TableDef::row_identity() const {
  if (const KeyDef* primary = primary_key()) return primary;
  const auto has_no_null = [this](const std::string& name) {
    const int index = find_column(name);
    return index >= 0 && !columns[static_cast<std::size_t>(index)].nullable;
  };
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const KeyDef& key) {
    return !key.columns.empty() && std::all_of(key.columns.begin(), key.columns.end(), has_no_null);
  });
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace wherry::schema
