// What becomes of a target's table when the source's definition changes. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connect/api/changes.h"

namespace wherry::engine {

/// From a plan to the next one. `names`: by the source's own numbers of columns, their names in
/// `from`; columns without a number are matched by name.
connect::TableAlteration alteration_of(const schema::TablePlanPtr& from,
                                       const schema::TablePlanPtr& to,
                                       const connect::RowShape& shape,
                                       const std::map<std::uint32_t, std::string>& names);
/// By the columns of `from`, where they are in `to`; nullopt: nowhere.
std::vector<std::optional<std::size_t>> destinations_of(const connect::TableAlteration& change);
/// The target's table has to become another one.
bool changes_target(const connect::TableAlteration& alteration);

/// The table after it: keys and foreign keys whose columns are all still there.
connect::ApplyTable altered(const connect::ApplyTable& table,
                            const connect::TableAlteration& alteration);
/// A table that was just made.
connect::ApplyTable created(const schema::TablePlanPtr& plan);

}  // namespace wherry::engine
