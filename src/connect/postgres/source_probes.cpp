#include <array>

#include "connect/postgres/probes.h"

namespace wherry::postgres {
namespace {

using connect::NeedlessAssessment;
using connect::PreflightRequest;
using connect::Probe;
using connect::ProbeScope;
using connect::Verdict;

bool with_changes(const PreflightRequest& request) {
  return request.has_changes;
}
bool with_load(const PreflightRequest& request) {
  return request.has_load;
}

constexpr std::array kSourceProbes = {
    Probe{"postgres-check-dbversion", Verdict::kWarning, ProbeScope::kServer,
          "the server's version is one that Wherry was tried with (12 to 18)", kVersionSql},
    Probe{"postgres-check-wallevel", Verdict::kFailed, ProbeScope::kServer,
          "the log has logical changes (wal_level = logical)",
          R"(select null, null, null, 'wal_level is ' || current_setting('wal_level'),
       'alter system set wal_level = logical; then restart the server '
       '(RDS: rds.logical_replication = 1)'
 where current_setting('wal_level') <> 'logical')",
          with_changes},
    Probe{"postgres-check-maxwalsenders", Verdict::kFailed, ProbeScope::kServer,
          "a walsender is free (max_wal_senders)",
          R"(select null, null, null, format('%s of %s walsenders are in use', used, most),
       format('alter system set max_wal_senders = %s; then restart the server', most + 5)
  from (select current_setting('max_wal_senders')::int as most,
               (select count(*) from pg_stat_replication) as used) s
 where used >= most)",
          with_changes},
    Probe{"postgres-check-replication-slots-count", Verdict::kFailed, ProbeScope::kServer,
          "a replication slot is free (max_replication_slots)",
          R"(select null, null, null, format('%s of %s replication slots are in use', used, most),
       format('alter system set max_replication_slots = %s; then restart the server, or drop '
              'slots that nobody uses', most + 5)
  from (select current_setting('max_replication_slots')::int as most,
               (select count(*) from pg_replication_slots) as used) s
 where used >= most)",
          with_changes},
    Probe{"postgres-check-walsenderstimeout", Verdict::kWarning, ProbeScope::kServer,
          "the server waits 10 seconds or longer for a silent reader of its log "
          "(wal_sender_timeout)",
          R"(select null, null, null, format('it waits %s ms', setting),
       'alter system set wal_sender_timeout = ''60s''; select pg_reload_conf()'
  from pg_settings
 where name = 'wal_sender_timeout' and setting::int between 1 and 9999)",
          with_changes},
    Probe{"postgres-check-maxslot-wal-keep-size", Verdict::kWarning, ProbeScope::kServer,
          "the server keeps its log for as long as a slot needs it (max_slot_wal_keep_size)",
          R"(select null, null, null,
       format('a task that is %s MB behind has lost its place, and loads all tables again', setting),
       'alter system set max_slot_wal_keep_size = -1; select pg_reload_conf()'
  from pg_settings where name = 'max_slot_wal_keep_size' and setting::int >= 0)",
          with_changes, 130000},
    Probe{"wherry-check-idle-slot-timeout", Verdict::kWarning, ProbeScope::kServer,
          "the server keeps the slot of a task that is stopped (idle_replication_slot_timeout)",
          R"(select null, null, null, format('it drops one that is idle for %s %s', setting, unit),
       'alter system set idle_replication_slot_timeout = 0; select pg_reload_conf()'
  from pg_settings where name = 'idle_replication_slot_timeout' and setting::int > 0)",
          with_changes, 180000},
    Probe{"postgres-check-for-logical-decoding-work-mem", Verdict::kWarning, ProbeScope::kServer,
          "the server may keep 64 MB of a transaction in memory (logical_decoding_work_mem)",
          R"(select null, null, null, format('it may keep %s kB', setting),
       'alter system set logical_decoding_work_mem = ''256MB''; select pg_reload_conf()'
  from pg_settings where name = 'logical_decoding_work_mem' and setting::int < 65536)",
          with_changes, 130000},
    Probe{"postgres-check-longrunningtxn", Verdict::kWarning, ProbeScope::kServer,
          "no transaction has been open for more than ten minutes: the start waits for those that "
          "write",
          R"(select null, null, null,
       format('session %s of %s (%s) is in a transaction since %s', pid, coalesce(usename, '?'),
              coalesce(nullif(application_name, ''), '?'),
              date_trunc('second', xact_start)),
       format('end it there, or: select pg_terminate_backend(%s)', pid)
  from pg_stat_activity
 where datname = current_database() and backend_type = 'client backend'
   and xact_start < now() - interval '10 minutes'
 order by xact_start)",
          with_changes},
    Probe{"postgres-check-preparedtxn", Verdict::kFailed, ProbeScope::kServer,
          "no transaction is prepared: the start waits until they have ended",
          R"(select null, null, null,
       format('transaction %L of %s is prepared since %s', gid, owner,
              date_trunc('second', prepared)),
       format('commit prepared %L, or rollback prepared %L', gid, gid)
  from pg_prepared_xacts where database = current_database() order by prepared)",
          with_changes},
    Probe{"postgres-check-source-replica-role-cdc", Verdict::kFailed, ProbeScope::kServer,
          "the source is a primary server, whose changes can be published",
          R"(select null, null, null, 'it is a standby', 'name the primary server'
 where pg_is_in_recovery())",
          with_changes},
    Probe{"postgres-check-rds-roles", Verdict::kFailed, ProbeScope::kServer,
          "the user has the managed service's role for replication, where there is one",
          R"(select null, null, null, format('%s is no member of rds_replication', current_user),
       format('grant rds_replication to %I', current_user)
  from pg_roles r
 where r.rolname = 'rds_replication' and not pg_has_role(r.oid, 'USAGE'))",
          with_changes},
    Probe{"wherry-check-replication-privilege", Verdict::kFailed, ProbeScope::kServer,
          "the user may read the log and make a publication",
          R"(select null, null, null, format('%s may not read the log', current_user),
       format('alter role %I replication', current_user)
  from pg_roles r
 where r.rolname = current_user and not r.rolreplication and not r.rolsuper
   and not exists (select from pg_roles g where g.rolname = 'rds_replication'))",
          with_changes},
    Probe{"postgres-check-pk", Verdict::kFailed, ProbeScope::kTables,
          "updates and deletes of every table say which row they mean (a primary key, or replica "
          "identity full)",
          R"(select n.nspname, c.relname, null,
       'it has no primary key and its replica identity is '
         || case c.relreplident when 'n' then 'nothing' when 'i' then 'an index that is gone'
            else 'the default' end,
       format('alter table %I.%I replica identity full', n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and c.relreplident <> 'f'
   and not exists (select from pg_index x
        where x.indrelid = c.oid and x.indisvalid and x.indimmediate
          and case c.relreplident when 'd' then x.indisprimary
                   when 'i' then x.indisreplident else false end)
 order by 1, 2)",
          with_changes},
    Probe{"postgres-check-select-object-privileges", Verdict::kFailed, ProbeScope::kTables,
          "the user may read every table",
          R"(select n.nspname, c.relname, null, format('%s may not read it', current_user),
       format('grant usage on schema %1$I to %3$I; grant select on %1$I.%2$I to %3$I', n.nspname,
              c.relname, current_user)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'v', 'm', 'f')
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and not (has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT'))
 order by 1, 2)"},
    Probe{"postgres-check-similar-table-name", Verdict::kWarning, ProbeScope::kTables,
          "no two tables of a schema differ by the case of letters alone",
          R"(select n.nspname, c.relname, null, 'its name differs from '
         || (select string_agg(o.relname, ', ' order by o.relname) from pg_class o
              where o.relnamespace = c.relnamespace and o.relkind in ('r', 'p')
                and o.oid <> c.oid and lower(o.relname) = lower(c.relname)) || ' by case alone',
       'rename one of them by a rule before another rule makes them one'
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and exists (select from pg_class o where o.relnamespace = c.relnamespace
        and o.relkind in ('r', 'p') and o.oid <> c.oid and lower(o.relname) = lower(c.relname))
 order by 1, 2)"},
    Probe{"postgres-check-postgis-data-type", Verdict::kWarning, ProbeScope::kTables,
          "no column has a type of PostGIS, which the target must have too",
          R"(select n.nspname, c.relname, a.attname, 'its type is '
         || format_type(a.atttypid, a.atttypmod), 'create extension postgis on the target'
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = a.atttypid
 where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
   and t.typname in ('geometry', 'geography', 'raster', 'box2d', 'box3d')
   and t.typtype = 'b' and t.typnamespace <> 'pg_catalog'::regnamespace
 order by 1, 2, a.attnum)"},
    Probe{"postgres-check-materialized-views", Verdict::kWarning, ProbeScope::kSchemas,
          "there is no materialized view in the schemas of the task: none is migrated as one",
          R"(select n.nspname, c.relname, null, 'it is a materialized view',
       'create it on the target'
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'm' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by 1, 2)"},
    Probe{"all-check-secondary-constraints", Verdict::kWarning, ProbeScope::kTables,
          "no table has foreign keys, checks or secondary indexes, which are not migrated",
          R"(select s, t, null, string_agg(what, '; ' order by what),
       'create them on the target after the load'
  from (select n.nspname as s, c.relname as t,
               case k.contype when 'f' then 'foreign key ' when 'c' then 'check '
                    else 'exclusion ' end || k.conname as what
          from pg_constraint k join pg_class c on c.oid = k.conrelid
          join pg_namespace n on n.oid = c.relnamespace
         where k.contype in ('f', 'c', 'x')
         union all
        select n.nspname, c.relname, 'index ' || i.relname
          from pg_index x join pg_class i on i.oid = x.indexrelid
          join pg_class c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
         where not x.indisprimary and not x.indisexclusion) all_of_them
 where s !~ '^pg_' and s <> 'information_schema'
 group by s, t order by 1, 2)"},
    Probe{"wherry-check-unlogged-tables", Verdict::kFailed, ProbeScope::kTables,
          "the log has the changes of every table: none is unlogged",
          R"(select n.nspname, c.relname, null, 'it is unlogged',
       format('alter table %I.%I set logged', n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' and c.relpersistence = 'u' order by 1, 2)",
          with_changes},
    Probe{"wherry-check-row-security", Verdict::kFailed, ProbeScope::kTables,
          "no policy hides rows of a table from the user (row level security)", kRowSecuritySql,
          with_load},
};

constexpr std::array kNeedlessSource = {
    NeedlessAssessment{"postgres-check-pglogical",
                       "changes come through pgoutput, which every server has"},
    NeedlessAssessment{"postgres-check-pglogical-replica-identity-full",
                       "changes come through pgoutput, which tells them right"},
    NeedlessAssessment{"postgres-check-idle-in-transaction-session-timeout",
                       "the sessions of a task set it to 0 for themselves"},
    NeedlessAssessment{"postgres-check-ddl-event-trigger",
                       "Wherry makes its event trigger itself, where it is wanted (CaptureDdls)"},
    NeedlessAssessment{"postgres-check-pk-lob", "a key of any type identifies rows here"},
    NeedlessAssessment{"postgres-check-table-with-array", "arrays need no primary key here"},
    NeedlessAssessment{"postgres-check-limited-lob-size",
                       "LobMaxSize counts bytes of the source's own form"},
    NeedlessAssessment{"postgres-aurora-check-source-replica-role-cdc",
                       "postgres-check-source-replica-role-cdc asks the same"},
};

}  // namespace

std::span<const Probe> source_probes() {
  return kSourceProbes;
}
std::span<const NeedlessAssessment> needless_source_assessments() {
  return kNeedlessSource;
}

}  // namespace wherry::postgres
