#include "connect/oracle/preflight/probes.h"

#include <array>

namespace wherry::oracle {
namespace {

using connect::PreflightRequest;
using connect::Probe;
using connect::ProbeScope;
using connect::Verdict;

bool reads_redo(const PreflightRequest& request) {
  return request.has_changes;
}

constexpr std::array kProbes = {
    Probe{"oracle-validate-cdb", Verdict::kFailed, ProbeScope::kServer,
          "the session is in the database that has the tables, not in the root of a container "
          "database",
          R"(select null, null, null, 'it is in CDB$ROOT',
       'name the pluggable database (PluggableDatabase=…), or use its service'
  from dual where sys_context('USERENV', 'CON_NAME') = 'CDB$ROOT')",
          nullptr, 12},
    Probe{"oracle-check-archivelog-mode", Verdict::kFailed, ProbeScope::kServer,
          "the database keeps its redo logs (ARCHIVELOG)",
          R"(select null, null, null, 'LOG_MODE is ' || log_mode,
       'shutdown immediate; startup mount; alter database archivelog; alter database open '
         || '(RDS: set a backup retention period)'
  from v$database where log_mode <> 'ARCHIVELOG')",
          reads_redo},
    Probe{"wherry-check-force-logging", Verdict::kWarning, ProbeScope::kServer,
          "nothing is written past the redo (FORCE LOGGING)",
          R"(select null, null, null,
       'direct-path loads of tables that are NOLOGGING go unseen', 'alter database force logging'
  from v$database where force_logging = 'NO')",
          reads_redo},
    Probe{
        "oracle-check-standby-db", Verdict::kFailed, ProbeScope::kServer,
        "the database is a primary one, whose redo can be mined with its own dictionary",
        R"(select null, null, null, 'DATABASE_ROLE is ' || database_role, 'name the primary database'
  from v$database where database_role <> 'PRIMARY')",
        reads_redo},
    Probe{"oracle-check-cdc-support-express-edition", Verdict::kFailed, ProbeScope::kServer,
          "the edition has supplemental logging: Express Edition has none from 18 on",
          R"(select null, null, null, banner, 'use --migration-type full-load'
  from v$version where banner like '%Express Edition%')",
          reads_redo, 18},
    Probe{
        "oracle-check-archivelog-retention-rds", Verdict::kWarning, ProbeScope::kServer,
        "archived logs are kept for a day or longer: a task that stops needs them when it goes on",
        R"(select null, null, null,
       'a log that ended at ' || to_char(max(next_time), 'YYYY-MM-DD HH24:MI')
         || ' is deleted already',
       'keep them for 24 hours (RDS: exec rdsadmin.rdsadmin_util.set_configuration('
         || '''archivelog retention hours'', 24))'
  from v$archived_log
 where deleted = 'YES' and next_time > sysdate - 1
having count(*) > 0)",
        reads_redo},
    Probe{"oracle-check-idle-time", Verdict::kWarning, ProbeScope::kServer,
          "sessions of the user may be idle (IDLE_TIME of its profile)",
          R"(select null, null, null, 'they end after ' || limit || ' minutes without a call',
       'alter profile … limit idle_time unlimited'
  from user_resource_limits
 where resource_name = 'IDLE_TIME' and limit not in ('UNLIMITED', 'DEFAULT'))"},
    Probe{"oracle-validate-invisible-columns", Verdict::kWarning, ProbeScope::kTables,
          "no column is invisible: such are not migrated",
          R"(select owner, table_name, column_name, 'it is invisible',
       'alter table "' || owner || '"."' || table_name || '" modify ("' || column_name
         || '" visible)'
  from all_tab_cols
 where hidden_column = 'YES' and user_generated = 'YES'
 order by owner, table_name, internal_column_id)",
          nullptr, 12},
    Probe{"oracle-validate-virtual-columns", Verdict::kWarning, ProbeScope::kTables,
          "no column is virtual: such are not migrated",
          R"(select owner, table_name, column_name, 'it is virtual',
       'make it a generated column on the target'
  from all_tab_cols
 where virtual_column = 'YES' and hidden_column = 'NO'
 order by owner, table_name, internal_column_id)"},
    Probe{"oracle-validate-function-based-indexes", Verdict::kWarning, ProbeScope::kTables,
          "no index is over an expression: such are not migrated",
          R"(select table_owner, table_name, null, 'index ' || index_name,
       'create it on the target after the load'
  from all_indexes where index_type like 'FUNCTION-BASED%'
 order by table_owner, table_name, index_name)"},
    Probe{"oracle-validate-global-temporary-tables", Verdict::kWarning, ProbeScope::kSchemas,
          "no table in the schemas of the task is temporary: such are not migrated",
          R"(select owner, table_name, null, 'it is a global temporary table',
       'create it on the target where the application wants it'
  from all_tables where temporary = 'Y' order by owner, table_name)"},
    Probe{"oracle-validate-iot-overflow-segments", Verdict::kWarning, ProbeScope::kTables,
          "no index-organized table has an overflow segment, whose rows' changes LogMiner may not "
          "tell",
          R"(select owner, iot_name, null, 'its overflow is ' || table_name,
       'compare the table with `wherry validate`, or load it in a task of its own'
  from all_tables where iot_type = 'IOT_OVERFLOW' order by owner, iot_name)",
          reads_redo},
    Probe{"oracle-validate-hybrid-partitioned-tables", Verdict::kWarning, ProbeScope::kTables,
          "no table has partitions outside of the database, whose changes no redo tells",
          R"(select owner, table_name, null, 'it is a hybrid partitioned table',
       'compare it with `wherry validate`; its external partitions are loaded only'
  from all_tables where hybrid = 'YES' order by owner, table_name)",
          nullptr, 19},
    Probe{"oracle-validate-rowid-based-materialized-views", Verdict::kWarning, ProbeScope::kSchemas,
          "there is no materialized view in the schemas of the task: none is migrated as one",
          R"(select owner, mview_name, null, 'it is a materialized view', 'create it on the target'
  from all_mviews order by owner, mview_name)"},
    Probe{"all-check-secondary-constraints", Verdict::kWarning, ProbeScope::kTables,
          "no table has foreign keys, checks or secondary indexes, which are not migrated",
          R"(select owner, table_name, null,
       case constraint_type when 'R' then 'foreign key ' else 'check ' end || constraint_name,
       'create it on the target after the load'
  from all_constraints
 where constraint_type = 'R'
    or (constraint_type = 'C' and generated = 'USER NAME')
 union all
select table_owner, table_name, null, 'index ' || index_name,
       'create it on the target after the load'
  from all_indexes
 where index_type = 'NORMAL' and uniqueness = 'NONUNIQUE'
 order by 1, 2, 4)"},
};

}  // namespace

std::span<const Probe> source_probes() {
  return kProbes;
}

}  // namespace wherry::oracle
