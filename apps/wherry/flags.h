// The flags every command shares (docs/reference/command-line.md), and what they become.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "connect/api/connector.h"
#include "control/task.h"
#include "core/log.h"

namespace wherry::app {

struct Flags {
  std::string source, target;
  std::string source_endpoint, target_endpoint;
  std::string source_password_file, target_password_file;
  std::string migration_type = "full-load-and-cdc";
  std::string table_mappings, task_settings;
  std::string state;
  std::string start, start_position;
  std::string stop_when = "never";
  int wait_seconds = 300;  ///< of validate
  std::string progress = "auto";
  std::string log_level = "info", log_file, log_format = "text";
  std::string config;  ///< read by with_config()
};

/// Which groups of flags a command has.
enum FlagGroup : unsigned {
  kEndpointFlags = 1,
  kTaskFlags = 2,    ///< mappings, settings, state
  kRunFlags = 4,     ///< migration type, start, stop, progress
  kTargetFlags = 8,  ///< the target alone
};

inline constexpr const char* kDefaultState = "wherry-state";

/// Adds the flags of a command, and --config.
void add_flags(CLI::App& command, Flags& flags, unsigned groups);
/// The arguments, and those that --config FILE adds: a JSON object of flags without dashes. What
/// stands on the command line wins; flags of other commands are passed over, so that one file
/// serves them all. kConfig "flags.config" names the file and what is wrong with it.
Result<std::vector<std::string>> with_config(const CLI::App& program, int argc, char** argv);

/// Without a log file, lines go through `print`. kConfig errors name the flag and the allowed
/// values.
Result<Logger> open_log(const Flags& flags, std::function<void(const std::string&)> print);
Result<control::TaskRequest> make_request(const Flags& flags, const connect::Registry& connectors,
                                          const Logger& log);
inline bool names_source(const Flags& flags) {
  return !flags.source.empty() || !flags.source_endpoint.empty();
}
inline bool names_target(const Flags& flags) {
  return !flags.target.empty() || !flags.target_endpoint.empty();
}
/// The same for a task of which one end alone may be named. The other is then a connector without
/// an address, which can be asked for types only.
Result<control::TaskRequest> make_partial_request(const Flags& flags,
                                                  const connect::Registry& connectors,
                                                  const Logger& log);
/// The whole file; kConfig "flags.cannot_read" names it.
Result<std::string> read_file(const std::string& path);

}  // namespace wherry::app
