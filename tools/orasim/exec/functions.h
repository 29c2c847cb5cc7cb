// Scalar functions of one row: everything that needs its arguments and the session only.
// Aggregates, analytic functions and pseudo columns are the executor's. Written by the lead
// (07:59); please use it, extend it, do not write another.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/session.h"
#include "exec/convert.h"

namespace orasim {

struct FunctionContext {
  ConvertContext convert;
  const Nls* nls = nullptr;
  const SessionIdentity* identity = nullptr;
  const DatabaseOptions* database = nullptr;
  std::string current_schema;
  std::uint32_t container = 0;  ///< CON_ID
  EndToEnd end_to_end;
  std::uint64_t current_scn = 0;
  DateTime now_utc;                                                ///< statement time
  std::function<std::uint64_t(std::int64_t unix_seconds)> scn_at;  ///< may be empty
  std::function<std::int64_t(std::uint64_t scn)> time_of_scn;      ///< may be empty
};

using Args = std::vector<Value>;

struct ScalarFunction {
  const char* name;        ///< upper case; packages as "UTL_RAW.CAST_TO_RAW"
  int min_args, max_args;  ///< max -1: any number
  Value (*call)(const Args&, const FunctionContext&);
  /// Described type from the arguments' types.
  DataType (*type)(const std::vector<DataType>&);
};

/// nullptr when there is no such function. Names that may be called without parentheses (SYSDATE,
/// USER, …) are found too. COALESCE, NVL, NVL2, DECODE, NULLIF, GREATEST, LEAST are here; the
/// executor may short-circuit them itself.
const ScalarFunction* find_function(std::string_view name);

}  // namespace orasim
