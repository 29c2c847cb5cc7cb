// The control tables of a task on a PostgreSQL target: names, columns and their spelling are AWS
// DMS's ("Control table task settings"; capitals in awsdms_apply_exceptions, small letters in the
// others), so that queries written for DMS go on working.
#pragma once

#include <memory>
#include <string>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"

namespace wherry::postgres {

/// Where DMS keeps them on PostgreSQL.
inline constexpr const char* kDefaultControlSchema = "public";

/// `"schema"."awsdms_apply_exceptions"`
Result<std::string> exceptions_table(const connect::ControlTables& tables);

/// Creates what is missing. kPermission "postgres.control_schema" names the GRANT: PostgreSQL 15
/// and later let nobody but the owner create tables in public.
Result<std::unique_ptr<connect::ControlWriter>> open_control_tables(
    OpContext& context, std::shared_ptr<ConnectionPool> pool, const connect::ControlTables& tables);

}  // namespace wherry::postgres
