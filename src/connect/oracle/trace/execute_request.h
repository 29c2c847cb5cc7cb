// Functions that run statements: execute, re-execute, fetch.
// Facts: reference oracle-wire-ttc 5.1, 5.2, 5.5, 5.6.
#pragma once

#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// Each starts behind the function header, adds its fields to `out` and fills `call`; the session
/// is only looked into.
void decode_execute(Reader& in, const Session& session, Call& call, Json& out);
void decode_reexecute(Reader& in, const Session& session, Call& call, Json& out);
void decode_fetch(Reader& in, const Session& session, Call& call, Json& out);

/// What a statement is, from its first word and its clauses.
struct StatementShape {
  bool is_query = false;
  bool is_plsql = false;
  /// Names in upper case, in order; the last `returning` of them receive a RETURNING clause.
  std::vector<std::string> placeholders;
  std::size_t returning = 0;
};
StatementShape shape_of(std::string_view sql);

}  // namespace wherry::oracle::trace
