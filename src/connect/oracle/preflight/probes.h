// What an Oracle database is asked before a task reads from it, one query a question. Names: DMS's
// (AWS DMS User Guide, "Oracle assessments"); reference dms-assessments, sections 2 and 3. The
// views and their columns: Oracle Database Reference.
#pragma once

#include <span>

#include "connect/support/probe.h"

namespace wherry::oracle {

/// Versions are those of ServerInfo::major_version.
std::span<const connect::Probe> source_probes();
/// DMS's assessments that concern what Wherry does not do, or does otherwise.
std::span<const connect::NeedlessAssessment> needless_assessments();

}  // namespace wherry::oracle
