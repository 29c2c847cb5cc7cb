#include <array>

#include "connect/postgres/probes.h"

namespace wherry::postgres {
namespace {

using connect::ExistingTable;
using connect::NeedlessAssessment;
using connect::PreflightRequest;
using connect::Probe;
using connect::ProbeScope;
using connect::Verdict;

bool applies_changes(const PreflightRequest& request) {
  return request.has_changes;
}
bool applies_batches(const PreflightRequest& request) {
  return request.has_changes && request.is_batch_apply;
}
/// Tables that are there are loaded as they are.
bool keeps_tables(const PreflightRequest& request) {
  return request.existing != ExistingTable::kDrop;
}
bool loads_kept_tables(const PreflightRequest& request) {
  return request.has_load && keeps_tables(request);
}

constexpr std::array kTargetProbes = {
    Probe{"postgres-check-dbversion", Verdict::kWarning, ProbeScope::kServer,
          "the server's version is one that Wherry was tried with (12 to 18)", kVersionSql},
    Probe{"all-check-target-read-replica", Verdict::kFailed, ProbeScope::kServer,
          "the target takes changes: it is no standby, and not read only",
          R"(select null, null, null, case when pg_is_in_recovery() then 'it is a standby'
            else 'default_transaction_read_only is on' end,
       case when pg_is_in_recovery() then 'name the primary server'
            else format('alter database %I reset default_transaction_read_only',
                        current_database()) end
 where pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on')"},
    Probe{"wherry-check-target-encoding", Verdict::kWarning, ProbeScope::kServer,
          "the target database has every character (encoding UTF8)",
          R"(select null, null, null, 'its encoding is ' || current_setting('server_encoding'),
       'load into a database of encoding UTF8: create database … encoding ''UTF8'' template template0'
 where current_setting('server_encoding') <> 'UTF8')"},
    Probe{"postgres-check-target-secondary-indexes", Verdict::kWarning, ProbeScope::kTables,
          "no table that is loaded as it is has secondary indexes, which make a load slow",
          R"(select n.nspname, c.relname, null, string_agg(i.relname, ', ' order by i.relname),
       'run disable.sql of `wherry scripts` before the load, and enable.sql after it'
  from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
  join pg_namespace n on n.oid = c.relnamespace
 where not x.indisprimary group by 1, 2 order by 1, 2)",
          loads_kept_tables},
    Probe{"postgres-check-target-generated-cols", Verdict::kWarning, ProbeScope::kTables,
          "no table that is there has generated columns, which the target fills by itself",
          R"(select n.nspname, c.relname, a.attname, 'it is generated',
       'nothing, where the values shall be the target''s own'
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and a.attgenerated <> ''
 order by 1, 2, a.attnum)",
          keeps_tables},
    Probe{"target-table-has-unique-key-or-primary-key-for-cdc", Verdict::kWarning,
          ProbeScope::kTables,
          "every table that is there has a key, without which each change looks through all of it",
          R"(select n.nspname, c.relname, null, 'it has neither a primary nor a unique key',
       format('alter table %I.%I add primary key (…)', n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and not exists (select from pg_index x where x.indrelid = c.oid and x.indisunique
                      and x.indisvalid and x.indpred is null and x.indexprs is null)
 order by 1, 2)",
          [](const PreflightRequest& request) {
            return applies_changes(request) && keeps_tables(request);
          }},
    Probe{"postgres-check-batch-apply-target-pk-ui-absence", Verdict::kWarning, ProbeScope::kTables,
          "batches find a primary key on every table that is there",
          R"(select n.nspname, c.relname, null, 'it has no primary key: its changes go row by row',
       format('alter table %I.%I add primary key (…)', n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and not exists (select from pg_index x where x.indrelid = c.oid and x.indisprimary)
 order by 1, 2)",
          [](const PreflightRequest& request) {
            return applies_batches(request) && keeps_tables(request);
          }},
    Probe{"wherry-check-target-row-security", Verdict::kFailed, ProbeScope::kTables,
          "no policy of a table that is there stands before the user (row level security)",
          kRowSecuritySql, keeps_tables},
};

constexpr std::array kNeedlessTarget = {
    NeedlessAssessment{"postgres-batch-apply-lob-mode", "batches carry whole large objects"},
    NeedlessAssessment{"postgres-check-batch-apply-target-pk-ui-simultaneously",
                       "batches take rows of every unique key out of each other's way"},
    NeedlessAssessment{"postgres-check-pk-validity",
                       "`wherry validate` compares tables without a key too"},
};

}  // namespace

std::span<const Probe> target_probes() {
  return kTargetProbes;
}
std::span<const NeedlessAssessment> needless_target_assessments() {
  return kNeedlessTarget;
}

}  // namespace wherry::postgres
