// A rule's source filters in Oracle's SQL.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "schema/row_filter.h"

namespace wherry::oracle {

/// kSchema "oracle.filter_type": LOBs cannot be compared. kSchema "oracle.filter_order": Oracle
/// orders text by the bytes of the database's character set, and changes are judged by code points.
Result<void> check_filter(const schema::RowFilter& filter, std::uint16_t database_charset);
/// A condition of a WHERE. REQUIRES: schema::check_filter() of all.
std::string filter_condition(const schema::RowFilter& filter);

}  // namespace wherry::oracle
