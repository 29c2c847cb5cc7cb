// What PostgreSQL is asked before a task starts, one query a question. Names: DMS's (AWS DMS User
// Guide, "PostgreSQL assessments"); reference dms-assessments, sections 2 and 4.
#pragma once

#include <span>
#include <string_view>

#include "connect/support/probe.h"

namespace wherry::postgres {

/// Of "postgres-check-dbversion", which is asked of both ends.
inline constexpr std::string_view kVersionSql =
    R"(select null, null, null, 'this is PostgreSQL ' || current_setting('server_version'),
       'try the task with a copy first'
  from (select current_setting('server_version_num')::int / 10000 as major) v
 where major not between 12 and 18)";

/// Tables of which a policy hides rows from the user, at either end.
inline constexpr std::string_view kRowSecuritySql =
    R"(select n.nspname, c.relname, null, 'row level security is on for the user',
       format('alter role %I bypassrls, or alter table %I.%I disable row level security',
              current_user, n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and row_security_active(c.oid) order by 1, 2)";

std::span<const connect::Probe> source_probes();
std::span<const connect::Probe> target_probes();
/// DMS's assessments that concern what Wherry does not do, or does otherwise.
std::span<const connect::NeedlessAssessment> needless_source_assessments();
std::span<const connect::NeedlessAssessment> needless_target_assessments();

}  // namespace wherry::postgres
