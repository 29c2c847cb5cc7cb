// The intermediate types of AWS DMS by name: what rules say ("numeric", "string") and what they
// find. AWS DMS User Guide, "Data types for AWS Database Migration Service".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "schema/logical_type.h"
#include "schema/table_def.h"

namespace wherry::schema {

/// "data-type" of a transformation rule, as it is written; 0 and nothing: not given.
struct DmsType {
  std::string name;  ///< "numeric"
  std::uint32_t length = 0;
  std::optional<int> precision, scale;
  friend bool operator==(const DmsType&, const DmsType&) = default;
};

/// The names that a rule can give.
const std::vector<std::string_view>& dms_type_names();
/// What the rule wants; the error says what is wrong with it: an unknown name, a number out of
/// range, or a type that tables do not have (set, list, map, tuple).
Result<LogicalType> logical_type_of(const DmsType& type);
/// The name that DMS has for a column of a source, "string" for one.
std::string_view dms_name_of(const ColumnDef& column);
/// "numeric(10,2)", "string(50)".
std::string to_text(const DmsType& type);

}  // namespace wherry::schema
