// What an ALTER TABLE does to the columns of its table, by its text: where several were executed
// before the first of them is mined, the dictionary knows the last definition only, and rows of
// those between have to be understood too ("COL n"). Facts: reference oracle-cdc, 13.2; Oracle
// Database SQL Language Reference, "ALTER TABLE".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/table_def.h"

namespace wherry::oracle {

struct ColumnChanges {
  struct Added {
    std::string name;
    std::string type;  ///< in capitals, as it was written
  };
  std::vector<Added> added;
  std::vector<std::string> dropped;
  std::vector<std::pair<std::string, std::string>> renamed;
  bool modifies = false;  ///< columns that stay have other types, perhaps
};

/// nullopt: the text is not understood whole, or does what rows do not show (virtual and hidden
/// columns).
std::optional<ColumnChanges> column_changes(std::string_view sql);

/// The definition after the statement. `now`: what the dictionary says, after that statement and
/// perhaps others; a column that it does not have any more comes with a type that is not moved.
/// nullopt: nobody knows.
std::optional<schema::TableDef> altered(const schema::TableDef& before,
                                        const ColumnChanges& changes, const schema::TableDef& now);

}  // namespace wherry::oracle
