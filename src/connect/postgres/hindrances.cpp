#include "connect/postgres/hindrances.h"

#include <array>

#include "connect/postgres/describe.h"

namespace wherry::postgres {
namespace {

// $1 schemas, $2 whether the load is done as a replica: not into a table with deferrable keys,
// which are checked by triggers. tgtype has bit 4 for INSERT.
constexpr const char* kHindrancesOf = R"(
select n.nspname, c.relname,
       (select pg_catalog.string_agg(f.conname, ', ' order by f.conname)
          from pg_catalog.pg_constraint f
         where f.conrelid = c.oid and f.contype = 'f' and not r.is_replica),
       (select pg_catalog.string_agg(t.tgname, ', ' order by t.tgname)
          from pg_catalog.pg_trigger t
         where t.tgrelid = c.oid and not t.tgisinternal and t.tgtype & 4 <> 0
           and t.tgenabled = any (case when r.is_replica then array['R', 'A']
                                       else array['O', 'A'] end::"char"[])),
       (select pg_catalog.string_agg(pg_catalog.format('%s on %I.%I', f.conname, rn.nspname,
                                                       o.relname), ', ' order by f.conname)
          from pg_catalog.pg_constraint f
          join pg_catalog.pg_class o on o.oid = f.conrelid
          join pg_catalog.pg_namespace rn on rn.oid = o.relnamespace
         where f.confrelid = c.oid and f.contype = 'f' and f.conrelid <> c.oid
           and f.conparentid = 0)
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join lateral (
    select $2::boolean and not exists (
             select from pg_catalog.pg_constraint k
              where k.conrelid = c.oid and k.contype in ('p', 'u', 'x') and k.condeferrable)
             as is_replica) r
 where c.relkind in ('r', 'p') and n.nspname = any ($1::text[])
   and (exists (select from pg_catalog.pg_constraint f
                 where f.contype = 'f' and (f.conrelid = c.oid or f.confrelid = c.oid))
        or exists (select from pg_catalog.pg_trigger t
                    where t.tgrelid = c.oid and not t.tgisinternal)))";

}  // namespace

Result<bool> may_load_as_replica(OpContext& context, Connection& connection) {
  std::string sql = "select rolsuper";
  if (connection.server_version() >= 150000) {
    sql += " or pg_catalog.has_parameter_privilege('session_replication_role', 'SET')";
  }
  sql += " from pg_catalog.pg_roles where rolname = current_user";
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, "cannot read the user's privileges", sql));
  return rows.count() == 1 && rows.boolean(0, 0);
}

Result<std::map<schema::TableRef, Hindrances>> read_hindrances(
    OpContext& context, Connection& connection, const std::vector<std::string>& schemas,
    bool as_replica) {
  const std::array<std::string, 2> parameters = {array_literal(schemas),
                                                 as_replica ? "true" : "false"};
  WHERRY_ASSIGN(const Rows rows, connection.query(context, "cannot read foreign keys and triggers",
                                                  kHindrancesOf, parameters));
  std::map<schema::TableRef, Hindrances> out;
  for (int r = 0; r < rows.count(); ++r) {
    Hindrances found;
    found.foreign_keys = rows.text(r, 2);
    found.triggers = rows.text(r, 3);
    found.references = rows.text(r, 4);
    out.emplace(schema::TableRef{std::string(rows.text(r, 0)), std::string(rows.text(r, 1))},
                std::move(found));
  }
  return out;
}

}  // namespace wherry::postgres
