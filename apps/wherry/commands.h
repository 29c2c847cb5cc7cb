// The commands of `wherry`; each returns the exit status of design: 0 done, 1 the task failed,
// 2 the request was wrong, 3 finished with tables in error.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "flags.h"

namespace wherry::app {

constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;
constexpr int kExitRefused = 2;
constexpr int kExitTableErrors = 3;

int run_command(const Flags& flags, const connect::Registry& connectors);
struct PlanFlags {
  bool as_json = false;
  std::uint64_t sample_rows = 0;  ///< of each table that are looked at
};
int plan_command(const Flags& flags, const connect::Registry& connectors, const PlanFlags& wanted);
int validate_command(const Flags& flags, const connect::Registry& connectors);
struct CheckFlags {
  bool as_json = false;  ///< what was understood and what is wrong as one JSON document
  bool wants_grants = false;
  std::string source_grantee, target_grantee;
};
int check_command(const Flags& flags, const connect::Registry& connectors,
                  const CheckFlags& wanted);
/// Asks the task of the state directory to load tables, "SCHEMA.TABLE" each, again.
int reload_command(const Flags& flags, const std::vector<std::string>& tables);
struct ForgetFlags {
  bool with_control_rows = false;
  bool is_confirmed = false;  ///< nobody is asked
};
/// Removes what the task of the state directory has left, besides its tables.
int forget_command(const Flags& flags, const ForgetFlags& forget_flags,
                   const connect::Registry& connectors);
struct ScriptFlags {
  std::string directory = ".";
  std::vector<std::string> schemas;
  bool without_foreign_keys = false, without_triggers = false, without_indexes = false;
};
/// Writes disable.sql and enable.sql.
int scripts_command(const Flags& flags, const ScriptFlags& script_flags,
                    const connect::Registry& connectors);
struct DecodeFlags {
  std::string file;
  bool lists_connections = false;
  std::size_t memory_mib = 256;
};
int decode_oracle_command(const DecodeFlags& flags);
/// SQL_REDO and what goes with it, a JSON object a line of standard input, to what it says.
int parse_redo_command();
/// The same of rows of V$LOGMNR_CONTENTS, to the transactions they make.
int assemble_redo_command();
/// Runs scripts/demo.sh, which lies beside the build directory. `program` is argv[0].
int demo_command(const std::string& program);

/// Prints the error as one paragraph on stderr; the exit status that goes with its kind.
int report(const Error& error);

}  // namespace wherry::app
