// The control tables of a task on a PostgreSQL target: names, columns and their spelling are AWS
// DMS's ("Control table task settings"; capitals in awsdms_apply_exceptions, small letters in the
// others), so that queries written for DMS go on working.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "connect/api/connector.h"
#include "connect/postgres/connection_pool.h"

namespace wherry::postgres {

/// Where DMS keeps them on PostgreSQL.
inline constexpr const char* kDefaultControlSchema = "public";

/// `"schema"."awsdms_apply_exceptions"`
Result<std::string> exceptions_table(const connect::ControlTables& tables);

/// Takes the lock that whoever makes or removes tables of the control schema waits for, until the
/// transaction ends: `if not exists` alone loses the race of two tasks that begin at once.
Result<void> lock_control_schema(OpContext& context, Connection& connection,
                                 std::string_view action);
/// Makes a table, and the schema, unless it is there; true: it was missing. REQUIRES: the lock.
Result<bool> make_control_table(OpContext& context, Connection& connection, std::string_view action,
                                const schema::TableRef& table, std::string_view columns);

/// connect::TargetLoader::forget_control().
Result<void> forget_control_rows(OpContext& context, Connection& connection,
                                 const connect::ControlTables& tables);

/// Creates what is missing. kPermission "postgres.control_schema" names the GRANT: PostgreSQL 15
/// and later let nobody but the owner create tables in public.
Result<std::unique_ptr<connect::ControlWriter>> open_control_tables(
    OpContext& context, std::shared_ptr<ConnectionPool> pool, const connect::ControlTables& tables);

}  // namespace wherry::postgres
