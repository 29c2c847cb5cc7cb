// What happens to one table: which source columns are read, as what they travel, where they land.
// Immutable once made; shared by the reader and the writer of every segment.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "schema/table_def.h"

namespace wherry::schema {

struct ColumnPlan {
  std::string source_name;
  std::string target_name;
  LogicalType type;          ///< the source column's type; decides the cell kind
  std::string source_type;   ///< native, for messages
  std::string target_type;   ///< native type of the target column, e.g. "numeric(10,2)"
  bool not_null = false;     ///< created NOT NULL on the target
  bool trim_blanks = false;  ///< CHAR padding is removed on the way
};

struct TablePlan {
  TableRef source;
  TableRef target;
  std::vector<ColumnPlan> columns;  ///< cell i of a batch belongs to columns[i]
  std::vector<std::size_t> key;     ///< indexes into columns: the row identity; empty: none
  std::string key_name;             ///< of the target's primary key
  bool key_is_primary = false;      ///< create it as PRIMARY KEY
  std::uint64_t estimated_rows = 0;
  std::vector<std::string> warnings;
};
using TablePlanPtr = std::shared_ptr<const TablePlan>;

}  // namespace wherry::schema
