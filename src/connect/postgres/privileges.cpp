#include "connect/postgres/privileges.h"

#include <array>
#include <set>

#include "connect/postgres/describe.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::ExistingTable;
using schema::TableRef;

// For each schema and table ($1, $2: parallel arrays) what the user may do there.
constexpr const char* kPrivileges = R"(
select w.schema_name, w.table_name, n.oid is not null,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
       pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       pg_catalog.has_schema_privilege(n.oid, 'CREATE'), c.oid is not null,
       pg_catalog.pg_has_role(c.relowner, 'USAGE'),
       pg_catalog.has_table_privilege(c.oid, 'INSERT'),
       pg_catalog.has_table_privilege(c.oid, 'TRUNCATE')
  from unnest($1::text[], $2::text[]) w(schema_name, table_name)
  left join pg_catalog.pg_namespace n on n.nspname = w.schema_name
  left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.table_name
                                 and c.relkind in ('r', 'p')
 order by 1, 2)";

/// One row of kPrivileges.
struct Privileges {
  Privileges(const Rows& rows, int r)
      : table{std::string(rows.text(r, 0)), std::string(rows.text(r, 1))},
        has_schema(rows.boolean(r, 2)),
        may_create_schemas(rows.boolean(r, 3)),
        uses_schema(rows.boolean(r, 4)),
        creates_in_schema(rows.boolean(r, 5)),
        has_table(rows.boolean(r, 6)),
        owns_table(rows.boolean(r, 7)),
        inserts(rows.boolean(r, 8)),
        truncates(rows.boolean(r, 9)) {}
  TableRef table;
  bool has_schema, may_create_schemas, uses_schema, creates_in_schema;
  bool has_table, owns_table, inserts, truncates;
};

std::string quoted(const std::string& name) {
  auto quoted = schema::quote_identifier(name);
  return quoted ? *quoted : name;  // a name the server cannot hold is refused elsewhere
}

/// A statement that grants what is missing; empty when nothing is.
std::string missing_grant(const Privileges& may, ExistingTable existing, const std::string& user,
                          const std::string& database) {
  const auto grant = [&](const char* what, const std::string& on) {
    return "grant " + std::string(what) + " on " + on + " to " + user;
  };
  const std::string schema = "schema " + quoted(may.table.schema);
  if (!may.has_schema) {
    if (may.may_create_schemas) return {};
    return grant("create", "database " + quoted(database));
  }
  if (!may.uses_schema) return grant("usage, create", schema);
  const bool creates = !may.has_table || existing == ExistingTable::kDrop;
  if (creates && !may.creates_in_schema) return grant("create", schema);
  if (!may.has_table || may.owns_table) return {};
  const std::string table = quoted(may.table.schema) + "." + quoted(may.table.name);
  if (existing == ExistingTable::kDrop) return "alter table " + table + " owner to " + user;
  if (existing == ExistingTable::kTruncate && !may.truncates) {
    return grant("insert, truncate", "table " + table);
  }
  if (may.inserts) return {};
  return grant("insert", "table " + table);
}

Error missing_privileges(const std::set<std::string>& grants) {
  constexpr std::size_t kMostShown = 10;
  std::string shown;
  std::size_t count = 0;
  for (const std::string& grant : grants) {
    if (++count > kMostShown) break;
    shown += (shown.empty() ? "" : "; ") + grant;
  }
  if (count < grants.size()) shown += "; …";
  return make_error(ErrorKind::kPermission, "postgres.privilege_missing",
                    "permission denied: the user lacks privileges on the target that the load "
                    "needs",
                    "Let an administrator run: " + shown);
}

}  // namespace

Result<void> check_privileges(OpContext& context, Connection& connection,
                              const std::vector<schema::TablePlanPtr>& plans,
                              ExistingTable existing) {
  std::vector<std::string> schemas;
  std::vector<std::string> tables;
  for (const schema::TablePlanPtr& plan : plans) {
    schemas.push_back(plan->target.schema);
    tables.push_back(plan->target.name);
  }
  constexpr const char* kAction = "cannot read the user's privileges";
  const std::array parameters = {array_literal(schemas), array_literal(tables)};
  WHERRY_ASSIGN(const Rows rows, connection.query(context, kAction, kPrivileges, parameters));
  WHERRY_ASSIGN(const Rows names, connection.query(context, kAction,
                                                   "select pg_catalog.quote_ident(current_user), "
                                                   "pg_catalog.current_database()"));
  std::set<std::string> grants;
  for (int r = 0; r < rows.count(); ++r) {
    std::string grant = missing_grant(Privileges(rows, r), existing, std::string(names.text(0, 0)),
                                      std::string(names.text(0, 1)));
    if (!grant.empty()) grants.insert(std::move(grant));
  }
  if (!grants.empty()) return missing_privileges(grants);
  return {};
}

}  // namespace wherry::postgres
