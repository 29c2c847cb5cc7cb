// Which tables of a plan exist on the target, and how their columns take the rows.
#pragma once

#include <vector>

#include "connect/api/connector.h"
#include "connect/postgres/connection.h"

namespace wherry::postgres {

/// Looks only; three queries, whatever the number of tables. Names match exactly, else without
/// regard to the case of A to Z when only one name does; a warning in the plan says so. The types
/// of the existing columns take the place of those in the plan. Refused (kSchema):
///   postgres.ambiguous_name   several names differ in case only, or two sources meet in one
///   postgres.name_taken       a view or a foreign table bears the name
///   postgres.unknown_column   the table lacks columns
///   postgres.required_column  a column of the table would stay NULL and may not
///   postgres.no_conversion    a column's type does not take the source's values
///   postgres.foreign_keys     kTruncate: foreign keys of other tables point at the table
/// Foreign keys and triggers that will work on the rows are warnings; `as_replica` as for
/// read_hindrances().
Result<std::vector<connect::TargetMatch>> match_tables(
    OpContext& context, Connection& connection, const std::vector<schema::TablePlanPtr>& plans,
    connect::ExistingTable existing, bool as_replica);

}  // namespace wherry::postgres
