#include "store/store.h"

namespace orasim {

int TableDef::find_column(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return static_cast<int>(i);
  }
  return -1;
}

std::shared_ptr<const TableDef> Catalog::find_table(std::string_view owner,
                                                    std::string_view name) const {
  const auto at = tables.find({std::string(owner), std::string(name)});
  return at == tables.end() ? nullptr : at->second;
}

std::shared_ptr<const SequenceDef> Catalog::find_sequence(std::string_view owner,
                                                          std::string_view name) const {
  const auto at = sequences.find({std::string(owner), std::string(name)});
  return at == sequences.end() ? nullptr : at->second;
}

std::shared_ptr<const CodeDef> Catalog::find_code(std::string_view owner, std::string_view name,
                                                  std::string_view kind) const {
  const auto at = code.find({std::string(owner), std::string(name), std::string(kind)});
  return at == code.end() ? nullptr : at->second;
}

}  // namespace orasim
