#include "connect/postgres/source_artefacts.h"

#include <fmt/format.h>

#include <array>

#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr std::string_view kMark = "made by wherry";
constexpr std::string_view kMakingArtefacts = "cannot make the objects that tell of DDL";
constexpr std::string_view kHeartbeatTable = "awsdms_heartbeat";

// {0}: schema, quoted. The columns are AWS DMS's.
constexpr const char* kAuditTable = R"(
create table {0}.awsdms_ddl_audit (
  c_key bigserial primary key, c_time timestamp, c_user varchar(64), c_txn varchar(16),
  c_tag varchar(24), c_oid integer, c_name varchar(64), c_schema varchar(64), c_ddlqry text);
comment on table {0}.awsdms_ddl_audit is 'made by wherry')";

// The row is read from the log, so the table stays empty. Whatever goes wrong here must not keep
// anybody from changing a table. The definition as it is at that moment goes with the statement, as
// a comment of SQL: of it the log has no more than the next row tells, and the catalogue may be
// newer when the log is read. See told_definition().
constexpr const char* kInterceptFunction = R"(
create function {0}.awsdms_intercept_ddl() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $wherry$
declare
  seen record;
  definition text;
begin
  if tg_event = 'sql_drop' then
    for seen in select d.objid as id, d.schema_name as space, d.object_name as name
                  from pg_event_trigger_dropped_objects() d
                 where d.object_type = 'table' and not d.is_temporary loop
      insert into {0}.awsdms_ddl_audit values (default, localtimestamp, session_user,
        txid_current()::text, 'DROP TABLE', seen.id::bigint::bit(32)::int, seen.name, seen.space,
        current_query());
    end loop;
  else
    for seen in select distinct c.objid as id, n.nspname as space, r.relname as name,
                       r.relreplident as identity
                  from pg_event_trigger_ddl_commands() c
                  join pg_class r on c.classid = 'pg_class'::regclass and r.oid = c.objid
                  join pg_namespace n on n.oid = r.relnamespace
                 where r.relkind in ('r', 'p') and r.relpersistence <> 't' loop
      select json_build_object('identity', seen.identity, 'columns', json_agg(json_build_array(
               a.attnum, a.attname, a.atttypid::bigint, a.atttypmod,
               a.attnotnull::int + 2 * (a.attidentity <> '')::int + 4 * (a.attgenerated <> '')::int
                 + 8 * coalesce(a.attnum = any (k.indkey::int2[]), false)::int
                 + 16 * (a.atthasdef or a.attidentity <> '' or t.typdefault is not null)::int,
               case when a.atthasmissing then array_to_string(a.attmissingval, '') end)
             order by a.attnum))
        into definition
        from pg_attribute a join pg_type t on t.oid = a.atttypid
        left join pg_index k on k.indrelid = a.attrelid
          and case seen.identity when 'd' then k.indisprimary when 'i' then k.indisreplident
                   else false end
       where a.attrelid = seen.id and a.attnum > 0 and not a.attisdropped;
      insert into {0}.awsdms_ddl_audit values (default, localtimestamp, session_user,
        txid_current()::text, tg_tag, seen.id::bigint::bit(32)::int, seen.name, seen.space,
        current_query() || chr(10) || '/* wherry: '
          || replace(coalesce(definition, ''), '*', chr(92) || 'u002a') || ' */');
    end loop;
  end if;
  delete from {0}.awsdms_ddl_audit;
exception when others then
  raise warning 'wherry: a change of a table was not told: %', sqlerrm;
end $wherry$;
comment on function {0}.awsdms_intercept_ddl() is 'made by wherry';
create event trigger awsdms_intercept_ddl on ddl_command_end
  when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
  execute function {0}.awsdms_intercept_ddl();
create event trigger awsdms_intercept_drop on sql_drop
  execute function {0}.awsdms_intercept_ddl();
comment on event trigger awsdms_intercept_ddl is 'made by wherry';
comment on event trigger awsdms_intercept_drop is 'made by wherry')";

constexpr const char* kHeartbeatSql = R"(
create table if not exists {0}.awsdms_heartbeat (
  hb_key varchar(64) primary key, hb_created_at timestamp, hb_last_heartbeat_at timestamp);
comment on table {0}.awsdms_heartbeat is 'made by wherry')";

/// Whether a relation or a function of that name is in the schema.
Result<bool> exists(OpContext& context, Connection& connection, std::string_view schema,
                    std::string_view table, bool is_ours) {
  const std::array parameters = {std::string(schema), std::string(table),
                                 is_ours ? std::string(kMark) : std::string()};
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, "cannot read the catalogue",
                                 "select from pg_catalog.pg_class c join pg_catalog.pg_namespace n "
                                 "on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2"
                                 " and c.relkind in ('r', 'p') and ($3 = '' or $3 = "
                                 "pg_catalog.obj_description(c.oid, 'pg_class'))",
                                 parameters));
  return rows.count() != 0;
}

Result<bool> has_trigger(OpContext& context, Connection& connection) {
  WHERRY_ASSIGN(const Rows rows,
                connection.query(context, "cannot read the catalogue",
                                 "select from pg_catalog.pg_event_trigger "
                                 "where evtname = 'awsdms_intercept_ddl' and evtenabled <> 'D'"));
  return rows.count() != 0;
}

Result<void> make_schema(OpContext& context, Connection& connection, const std::string& schema) {
  WHERRY_ASSIGN(const std::string name, schema::quote_identifier(schema));
  const std::array parameters = {schema};
  WHERRY_ASSIGN(
      const Rows rows,
      connection.query(context, kMakingArtefacts,
                       "select from pg_catalog.pg_namespace where nspname = $1", parameters));
  if (rows.count() != 0) return {};
  return connection.execute(context, kMakingArtefacts, "create schema " + name);
}

}  // namespace

Result<bool> has_ddl_artefacts(OpContext& context, Connection& connection,
                               const ChangeSettings& settings) {
  WHERRY_ASSIGN(const bool has_table,
                exists(context, connection, settings.ddl_schema, kDdlAuditTable, false));
  if (!has_table) return false;
  return has_trigger(context, connection);
}

Result<bool> make_ddl_artefacts(OpContext& context, Connection& connection,
                                const ChangeSettings& settings) {
  WHERRY_ASSIGN(const bool is_there, has_ddl_artefacts(context, connection, settings));
  if (is_there) return true;
  WHERRY_ASSIGN(const std::string schema, schema::quote_identifier(settings.ddl_schema));
  auto made_schema = make_schema(context, connection, settings.ddl_schema);
  if (!made_schema) {
    if (made_schema.error().kind == ErrorKind::kPermission) return false;
    return std::move(made_schema).error();
  }
  WHERRY_ASSIGN(const bool has_table,
                exists(context, connection, settings.ddl_schema, kDdlAuditTable, false));
  // One string is one transaction: all of it is made, or nothing.
  std::string sql;
  if (!has_table) sql += fmt::format(kAuditTable, schema) + ";";
  sql += fmt::format("drop function if exists {0}.awsdms_intercept_ddl() cascade;", schema);
  sql += fmt::format(kInterceptFunction, schema);
  auto made = connection.execute(context, kMakingArtefacts, sql);
  if (made) return true;
  if (made.error().kind == ErrorKind::kPermission) return false;
  return std::move(made).error();
}

Result<void> remove_artefacts(OpContext& context, Connection& connection,
                              const ChangeSettings& settings) {
  WHERRY_ASSIGN(const std::string schema, schema::quote_identifier(settings.ddl_schema));
  WHERRY_ASSIGN(const bool has_audit,
                exists(context, connection, settings.ddl_schema, kDdlAuditTable, true));
  if (has_audit) {
    const std::array parameters = {settings.ddl_schema, std::string(kDdlAuditTable)};
    WHERRY_ASSIGN(const Rows users, connection.query(context, "cannot read the catalogue",
                                                     "select from pg_catalog.pg_publication_tables "
                                                     "where schemaname = $1 and tablename = $2",
                                                     parameters));
    if (users.count() == 0) {
      WHERRY_TRY(
          connection.execute(context, "cannot remove the objects that tell of DDL",
                             fmt::format("drop event trigger if exists awsdms_intercept_ddl;"
                                         "drop event trigger if exists awsdms_intercept_drop;"
                                         "drop function if exists {0}.awsdms_intercept_ddl();"
                                         "drop table if exists {0}.awsdms_ddl_audit",
                                         schema)));
    }
  }
  if (!settings.has_heartbeat) return {};
  WHERRY_ASSIGN(const bool has_heartbeat,
                exists(context, connection, settings.heartbeat_schema, kHeartbeatTable, true));
  if (!has_heartbeat) return {};
  WHERRY_ASSIGN(const std::string heartbeat, schema::quote_identifier(settings.heartbeat_schema));
  return connection.execute(context, "cannot remove the heartbeat's table",
                            "drop table if exists " + heartbeat + ".awsdms_heartbeat");
}

Result<void> make_heartbeat_table(OpContext& context, Connection& connection,
                                  const ChangeSettings& settings) {
  WHERRY_ASSIGN(const bool is_there,
                exists(context, connection, settings.heartbeat_schema, kHeartbeatTable, false));
  if (is_there) return {};
  WHERRY_TRY(make_schema(context, connection, settings.heartbeat_schema));
  WHERRY_ASSIGN(const std::string schema, schema::quote_identifier(settings.heartbeat_schema));
  return connection.execute(context, "cannot make the heartbeat's table",
                            fmt::format(kHeartbeatSql, schema));
}

Result<void> beat(OpContext& context, Connection& connection, const ChangeSettings& settings,
                  const std::string& slot) {
  WHERRY_ASSIGN(const std::string schema, schema::quote_identifier(settings.heartbeat_schema));
  const std::array parameters = {slot};
  WHERRY_TRY(connection.query(
      context, "cannot write the heartbeat",
      fmt::format("insert into {0}.awsdms_heartbeat as h values ($1, localtimestamp, "
                  "localtimestamp) on conflict (hb_key) do update set hb_last_heartbeat_at = "
                  "localtimestamp",
                  schema),
      parameters));
  return {};
}

}  // namespace wherry::postgres
