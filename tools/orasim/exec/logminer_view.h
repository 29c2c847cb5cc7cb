// V$LOGMNR_CONTENTS, V$LOGMNR_LOGS and V$LOGMNR_PARAMETERS: views of a session's own.
//
// The contents are made while they are fetched: every query is a new pass over the logs, and a log
// that is overwritten meanwhile ends it with ORA-00310.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "exec/row_source.h"

namespace orasim::logminer {

/// A view by its name (V$… or V_$…) or null.
struct SessionView {
  const char* name;
  std::vector<ColumnDef> columns;
};
const SessionView* find_session_view(std::string_view name);
std::unique_ptr<RowSource> session_view_source(const SessionView*);

}  // namespace orasim::logminer
