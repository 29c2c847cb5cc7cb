// A rule's source filters in PostgreSQL's SQL.
#pragma once

#include <string>

#include "schema/row_filter.h"

namespace wherry::postgres {

/// A condition on columns of the table `t`. REQUIRES: schema::check_filter() of all.
std::string filter_condition(const schema::RowFilter& filter);

}  // namespace wherry::postgres
