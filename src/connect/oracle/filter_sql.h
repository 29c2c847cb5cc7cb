// A rule's source filters in Oracle's SQL.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "schema/row_filter.h"

namespace wherry::oracle {

/// Whether Oracle evaluates the condition as schema::RowFilterTest does. Oracle orders text by the
/// bytes of the database's character set, and has no more digits, times and truths in its literals
/// than it has. kSchema "oracle.filter_type": LOBs cannot be compared; "oracle.filter_empty": there
/// is no empty text. REQUIRES: schema::check_filter().
Result<schema::FilterSide> judge_filter(const schema::ColumnFilter& filter,
                                        const schema::FilterCondition& condition,
                                        std::uint16_t database_charset);
/// kSchema "oracle.filter_side" when a condition of it is for the engine.
Result<void> check_source_filter(const schema::RowFilter& filter, std::uint16_t database_charset);
/// A condition of a WHERE. REQUIRES: check_source_filter().
std::string filter_condition(const schema::RowFilter& filter);

}  // namespace wherry::oracle
