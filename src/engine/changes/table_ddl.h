// What becomes of a target's table when the source's definition changes. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect/api/changes.h"

namespace wherry::engine {

/// From a plan to the next one, which is that of `shape`: a column is what it was when the source's
/// own number of it is the same; its name counts where a number is unknown.
connect::TableAlteration alteration_of(const schema::TablePlanPtr& from,
                                       const schema::TablePlanPtr& to,
                                       const connect::RowShape& shape);
/// The new columns that have a value of its own for each row that is there: indexes into
/// alteration.to->columns.
std::vector<std::size_t> columns_by_row(const connect::TableAlteration& alteration,
                                        const connect::RowShape& shape);
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
