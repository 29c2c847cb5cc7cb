#include "connect/postgres/grants.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>

#include "connect/postgres/control_tables.h"
#include "connect/postgres/describe.h"
#include "connect/postgres/hindrances.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::ExistingTable;
using connect::PreflightRequest;
using schema::TableRef;

constexpr std::string_view kReading = "cannot read who owns what";

// For each schema and table ($1, $2: parallel arrays) whether it is there, and its owner.
constexpr const char* kOwners = R"(
select w.schema_name, w.table_name, n.oid is not null, c.oid is not null,
       pg_catalog.pg_get_userbyid(c.relowner)
  from unnest($1::text[], $2::text[]) w(schema_name, table_name)
  left join pg_catalog.pg_namespace n on n.nspname = w.schema_name
  left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.table_name
                                 and c.relkind in ('r', 'p', 'v', 'm', 'f')
 order by 1, 2)";

/// What is there of one schema.
struct GrantedSchema {
  bool is_there = false;
  struct Table {
    bool is_there = false;
    std::string owner;
  };
  std::map<std::string, Table> tables;
};
using GrantedSchemas = std::map<std::string, GrantedSchema>;

Result<GrantedSchemas> read_owners(OpContext& context, Connection& connection,
                                   const std::vector<TableRef>& tables) {
  std::vector<std::string> schemas, names;
  for (const TableRef& table : tables) {
    schemas.push_back(table.schema);
    names.push_back(table.name);
  }
  const std::array parameters = {array_literal(schemas), array_literal(names)};
  WHERRY_ASSIGN(const Rows rows, connection.query(context, kReading, kOwners, parameters));
  GrantedSchemas out;
  for (int r = 0; r < rows.count(); ++r) {
    GrantedSchema& schema = out[std::string(rows.text(r, 0))];
    schema.is_there = rows.boolean(r, 2);
    schema.tables[std::string(rows.text(r, 1))] = {rows.boolean(r, 3),
                                                   std::string(rows.text(r, 4))};
  }
  return out;
}

/// Puts statements together for one user.
class Script {
 public:
  explicit Script(const std::string& grantee) : grantee_(quoted(grantee)) {}

  static std::string quoted(const std::string& name) {
    auto done = schema::quote_identifier(name);
    return done ? *done : name;  // a name the server cannot hold is refused elsewhere
  }
  static std::string quoted(const TableRef& table) {
    return quoted(table.schema) + "." + quoted(table.name);
  }
  void grant(std::string_view what, const std::string& on) {
    add(fmt::format("grant {} on {} to {}", what, on, grantee_));
  }
  void grant_role(const std::string& role) {
    add(fmt::format("grant {} to {}", quoted(role), grantee_));
  }
  void add(std::string statement) { statements_.push_back(std::move(statement)); }
  void explain(std::string_view text) { statements_.push_back(fmt::format("-- {}", text)); }
  [[nodiscard]] const std::string& grantee() const { return grantee_; }
  std::vector<std::string> take() { return std::move(statements_); }

 private:
  const std::string grantee_;
  std::vector<std::string> statements_;
};

struct GrantedServer {
  std::string database;
  bool has_rds_role = false;
};

Result<GrantedServer> read_server(OpContext& context, Connection& connection) {
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, kReading,
                                 "select pg_catalog.current_database(), exists (select from "
                                 "pg_catalog.pg_roles where rolname = 'rds_replication')"));
  return GrantedServer{std::string(rows.text(0, 0)), rows.boolean(0, 1)};
}

void grant_reading(Script& script, const GrantedSchemas& schemas) {
  for (const auto& [name, schema] : schemas) {
    script.grant("usage", "schema " + Script::quoted(name));
    for (const auto& [table, found] : schema.tables) {
      script.grant("select", "table " + Script::quoted(TableRef{name, table}));
    }
  }
}

void grant_publishing(Script& script, const GrantedSchemas& schemas, const std::string& database,
                      const std::string& grantee) {
  script.explain(
      "A publication of the task's own needs the owner of its tables. Without that: make one "
      "yourself, and name it with PublicationName");
  script.grant("create", "database " + Script::quoted(database));
  std::set<std::string> owners;
  for (const auto& [name, schema] : schemas) {
    for (const auto& [table, found] : schema.tables) {
      if (found.is_there && found.owner != grantee) owners.insert(found.owner);
    }
  }
  for (const std::string& owner : owners) script.grant_role(owner);
}

std::string rights_on_table(const PreflightRequest& request) {
  std::string out = "select, insert";
  if (request.has_changes) out += ", update, delete, truncate";
  if (!request.has_changes && request.existing == ExistingTable::kTruncate) out += ", truncate";
  return out;
}

/// A table that is made, or dropped and made, is the user's own.
void grant_loading(Script& script, const PreflightRequest& request, const std::string& name,
                   const GrantedSchema& schema) {
  const std::string quoted = Script::quoted(name);
  if (!schema.is_there) {
    script.add(fmt::format("create schema {} authorization {}", quoted, script.grantee()));
    return;
  }
  bool makes_tables = false;
  for (const auto& [table, found] : schema.tables) {
    makes_tables = makes_tables || !found.is_there || request.existing == ExistingTable::kDrop;
  }
  script.grant(makes_tables ? "usage, create" : "usage", "schema " + quoted);
  for (const auto& [table, found] : schema.tables) {
    const std::string place = "table " + Script::quoted(TableRef{name, table});
    if (!found.is_there) continue;
    if (request.existing == ExistingTable::kDrop) {
      script.add(fmt::format("alter {} owner to {}", place, script.grantee()));
    } else {
      script.grant(rights_on_table(request), place);
    }
  }
}

std::set<std::string> tablespaces_of(const PreflightRequest& request) {
  std::set<std::string> out;
  for (const schema::TablePlanPtr& plan : request.tables) {
    for (const std::string& name : {plan->tablespace, plan->key_tablespace}) {
      if (!name.empty()) out.insert(name);
    }
  }
  return out;
}

/// Tables that stay may have foreign keys and triggers, which a load goes round where it may.
Result<bool> meets_hindrances(OpContext& context, Connection& connection,
                              const PreflightRequest& request, const GrantedSchemas& schemas) {
  if (request.existing == ExistingTable::kDrop || schemas.empty()) return false;
  std::vector<std::string> names;
  for (const auto& [name, schema] : schemas) names.push_back(name);
  WHERRY_ASSIGN(const auto found, read_hindrances(context, connection, names, false));
  for (const auto& [table, hindrances] : found) {
    const auto schema = schemas.find(table.schema);
    if (schema == schemas.end() || !schema->second.tables.contains(table.name)) continue;
    if (!hindrances.foreign_keys.empty() || !hindrances.triggers.empty()) return true;
  }
  return false;
}

void grant_replica_role(Script& script, int server_version) {
  constexpr int kHasParameterGrants = 150000;
  script.explain("So that foreign keys and triggers of the target do not meet the rows");
  if (server_version >= kHasParameterGrants) {
    script.grant("set", "parameter session_replication_role");
  } else {
    script.explain("Before version 15 only a superuser may; see `wherry scripts`");
  }
}

}  // namespace

Result<std::vector<std::string>> source_grants(OpContext& context, Connection& connection,
                                               const PreflightRequest& request,
                                               const std::string& grantee, bool is_publisher) {
  std::vector<TableRef> tables;
  for (const schema::TablePlanPtr& plan : request.tables) tables.push_back(plan->source);
  WHERRY_ASSIGN(const GrantedSchemas schemas, read_owners(context, connection, tables));
  WHERRY_ASSIGN(const GrantedServer server, read_server(context, connection));
  Script script(grantee);
  script.grant("connect", "database " + Script::quoted(server.database));
  grant_reading(script, schemas);
  if (request.has_changes) {
    if (server.has_rds_role) {
      script.grant_role("rds_replication");
    } else {
      script.add(fmt::format("alter role {} replication", script.grantee()));
    }
    if (is_publisher) grant_publishing(script, schemas, server.database, grantee);
  }
  return script.take();
}

Result<std::vector<std::string>> target_grants(OpContext& context, Connection& connection,
                                               const PreflightRequest& request,
                                               const std::string& grantee) {
  std::vector<TableRef> tables;
  for (const schema::TablePlanPtr& plan : request.tables) tables.push_back(plan->target);
  WHERRY_ASSIGN(GrantedSchemas schemas, read_owners(context, connection, tables));
  const std::string control =
      request.control.schema.empty() ? kDefaultControlSchema : request.control.schema;
  WHERRY_ASSIGN(const GrantedServer server, read_server(context, connection));
  Script script(grantee);
  script.grant(request.has_changes ? "connect, temporary" : "connect",
               "database " + Script::quoted(server.database));
  for (const auto& [name, schema] : schemas) grant_loading(script, request, name, schema);
  WHERRY_ASSIGN(const Rows own, connection.query(context, kReading,
                                                 "select exists (select from "
                                                 "pg_catalog.pg_namespace where nspname = $1)",
                                                 std::array{control}));
  for (const std::string& tablespace : tablespaces_of(request)) {
    script.grant("create", "tablespace " + Script::quoted(tablespace));
  }
  script.explain("Tables of the task's own: what is loaded and applied");
  if (own.boolean(0, 0)) {
    script.grant("usage, create", "schema " + Script::quoted(control));
  } else if (!schemas.contains(control)) {
    script.add(fmt::format("create schema {} authorization {}", Script::quoted(control),
                           script.grantee()));
  }
  WHERRY_ASSIGN(const bool is_hindered, meets_hindrances(context, connection, request, schemas));
  if (is_hindered) grant_replica_role(script, connection.server_version());
  return script.take();
}

}  // namespace wherry::postgres
