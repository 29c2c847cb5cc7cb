// A rule's source filters in PostgreSQL's SQL.
#pragma once

#include <string>
#include <string_view>

#include "schema/row_filter.h"

namespace wherry::postgres {

/// Whether PostgreSQL evaluates the condition as schema::RowFilterTest does: it orders text by the
/// bytes of the server's encoding, and rounds times to microseconds. REQUIRES:
/// schema::check_filter().
schema::FilterSide judge_filter(const schema::ColumnFilter& filter,
                                const schema::FilterCondition& condition,
                                std::string_view server_encoding);
/// A condition on columns of the table `t`. REQUIRES: schema::check_filter() of all.
std::string filter_condition(const schema::RowFilter& filter);

}  // namespace wherry::postgres
