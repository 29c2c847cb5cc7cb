// Which attributes of a table the columns of a relation message are. The log tells names and types
// as they were then, the catalogue numbers, names and types as they are now; in between columns may
// have been renamed, dropped and added.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::postgres {

/// A row of pg_attribute, also of a column that was dropped: the server keeps its place.
struct AttributeNow {
  std::uint32_t number = 0;
  std::string_view name;
  std::uint32_t type = 0;
  bool is_dropped = false;
};
struct ColumnThen {
  std::string_view name;
  std::uint32_t type = 0;
};
using KnownNumbers = std::map<std::string, std::uint32_t, std::less<>>;

/// The numbers of `columns`, which are in the order of their numbers, as pgoutput sends them.
/// `known`: by name, of the definition before. Empty when the attributes are not those of the
/// table. REQUIRES: `attributes` ascend by number.
std::vector<std::uint32_t> number_columns(std::span<const ColumnThen> columns,
                                          std::span<const AttributeNow> attributes,
                                          const KnownNumbers& known);

}  // namespace wherry::postgres
