// What PostgreSQL is asked before a task starts, one query a question. Names: DMS's (AWS DMS User
// Guide, "PostgreSQL assessments"); reference dms-assessments, sections 2 and 4.
#pragma once

#include <span>

#include "connect/support/probe.h"

namespace wherry::postgres {

std::span<const connect::Probe> source_probes();
std::span<const connect::Probe> target_probes();
/// DMS's assessments that concern what Wherry does not do, or does otherwise.
std::span<const connect::NeedlessAssessment> needless_source_assessments();
std::span<const connect::NeedlessAssessment> needless_target_assessments();

}  // namespace wherry::postgres
