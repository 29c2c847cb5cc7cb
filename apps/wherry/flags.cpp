#include "flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "control/request_settings.h"
#include "core/time_text.h"
#include "endpoint.h"

namespace wherry::app {
namespace {

Error bad_config(const std::string& file, const std::string& what) {
  return make_error(ErrorKind::kConfig, "flags.config", "the --config file cannot be used: " + what,
                    "Write a JSON object of flags without dashes: {\"source\": \"oracle://…\"}")
      .with("file", file);
}

/// The value of --config among the arguments; empty: none.
std::string config_file(const std::vector<std::string>& arguments) {
  constexpr std::string_view kFlag = "--config";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == kFlag && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with("--config=")) return arguments[i].substr(kFlag.size() + 1);
  }
  return {};
}

bool is_given(const std::vector<std::string>& arguments, const std::string& flag) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return argument == flag || argument.starts_with(flag + "=");
  });
}

Result<control::StartType> start_type(const std::string& text) {
  if (text.empty()) return control::StartType::kDefault;
  if (text == "start-replication") return control::StartType::kStartReplication;
  if (text == "resume-processing") return control::StartType::kResumeProcessing;
  return control::StartType::kReloadTarget;
}

control::MigrationType migration_type(const std::string& text) {
  if (text == "cdc") return control::MigrationType::kCdc;
  return text == "full-load" ? control::MigrationType::kFullLoad
                             : control::MigrationType::kFullLoadAndCdc;
}

Error bad_stop(const std::string& text) {
  return make_error(ErrorKind::kConfig, "flags.stop_when", "--stop-when cannot be '" + text + "'",
                    "Use never, full-load-done, cached-changes-applied, caught-up, position:P with "
                    "a position of the source, or time:T with a time such as "
                    "time:2026-03-01T12:00:00 (UTC unless it has an offset)");
}

Result<control::StopCondition> stop_condition(const std::string& text) {
  using Kind = control::StopCondition::Kind;
  control::StopCondition out;
  const std::size_t colon = text.find(':');
  const std::string value = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (text == "full-load-done") {
    out.kind = Kind::kFullLoadDone;
  } else if (text == "cached-changes-applied") {
    out.kind = Kind::kCachedChangesApplied;
  } else if (text == "caught-up") {
    out.kind = Kind::kCaughtUp;
  } else if (text.starts_with("position:") && !value.empty()) {
    out.kind = Kind::kPosition;
    out.position = value;
  } else if (text.starts_with("time:")) {
    const auto time =
        parse_moment(value.ends_with('Z') ? value.substr(0, value.size() - 1) : value);
    if (!time) return bad_stop(text);
    out.kind = Kind::kTime;
    out.time = std::chrono::system_clock::time_point(std::chrono::microseconds(time->micros));
  } else if (text != "never") {
    return bad_stop(text);
  }
  return out;
}

/// What does not go together.
Result<void> check_changes(const Flags& flags, const control::TaskRequest& request) {
  const bool is_load = request.type == control::MigrationType::kFullLoad;
  if (is_load && request.stop_when.kind != control::StopCondition::Kind::kNever &&
      request.stop_when.kind != control::StopCondition::Kind::kFullLoadDone) {
    return make_error(ErrorKind::kConfig, "flags.stop_when",
                      "--stop-when " + flags.stop_when + " is for tasks with changes",
                      "A full load ends by itself: leave --stop-when out");
  }
  if (!request.start_position.empty() && request.type != control::MigrationType::kCdc) {
    return make_error(ErrorKind::kConfig, "flags.start_position",
                      "--start-position is for --migration-type cdc only",
                      "A task with a full load chooses the position by itself");
  }
  return {};
}

}  // namespace

void add_flags(CLI::App& command, Flags& flags, unsigned groups) {
  if ((groups & kEndpointFlags) != 0) {
    command.add_option("--source", flags.source, "Source URL: oracle://user@host:1521/service");
    command.add_option("--source-endpoint", flags.source_endpoint,
                       "Source as a DMS endpoint in JSON");
    command.add_option("--source-password-file", flags.source_password_file,
                       "File with the source's password (or set WHERRY_SOURCE_PASSWORD)");
  }
  if ((groups & (kEndpointFlags | kTargetFlags)) != 0) {
    command.add_option("--target", flags.target,
                       "Target URL: postgresql://user@host:5432/database");
    command.add_option("--target-endpoint", flags.target_endpoint,
                       "Target as a DMS endpoint in JSON");
    command.add_option("--target-password-file", flags.target_password_file,
                       "File with the target's password (or set WHERRY_TARGET_PASSWORD)");
  }
  if ((groups & kTaskFlags) != 0) {
    command.add_option(
        "--table-mappings", flags.table_mappings,
        "DMS table mappings in JSON; without it, every table that is not the system's");
    command.add_option("--task-settings", flags.task_settings, "DMS task settings in JSON");
    command.add_option("--state", flags.state,
                       "Directory where this task keeps its state; the same one resumes it");
  }
  if ((groups & kRunFlags) != 0) {
    command.add_option("--migration-type", flags.migration_type, "What to move")
        ->check(CLI::IsMember({"full-load", "cdc", "full-load-and-cdc"}))
        ->capture_default_str();
    command.add_option("--start", flags.start, "How to start")
        ->check(CLI::IsMember({"start-replication", "resume-processing", "reload-target"}));
    command.add_option("--start-position", flags.start_position,
                       "Of a cdc task: an LSN, an SCN, or a time, to begin after");
    command
        .add_option("--stop-when", flags.stop_when,
                    "never, full-load-done, cached-changes-applied, caught-up, position:P, time:T")
        ->capture_default_str();
    command.add_option("--progress", flags.progress, "How to show progress")
        ->check(CLI::IsMember({"auto", "bars", "lines", "json", "none"}))
        ->capture_default_str();
  }
  command.add_option("--log-level", flags.log_level, "Least severity to log")
      ->check(CLI::IsMember({"error", "warn", "info", "debug", "trace"}))
      ->capture_default_str();
  command.add_option("--log-file", flags.log_file, "Log to this file instead of stderr");
  command.add_option("--log-format", flags.log_format, "Form of log lines")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command.add_option("--config", flags.config, "Read flags from this JSON file");
}

Result<std::vector<std::string>> with_config(const CLI::App& program, int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string file = config_file(arguments);
  const auto commands = program.get_subcommands({});
  const auto command = std::find_if(commands.begin(), commands.end(), [&](const CLI::App* one) {
    return !arguments.empty() && one->get_name() == arguments[0];
  });
  if (file.empty() || command == commands.end()) return arguments;
  WHERRY_ASSIGN(const std::string text, read_file(file));
  const auto document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return bad_config(file, "it is no valid JSON");
  if (!document.is_object()) return bad_config(file, "it does not hold a JSON object");
  std::vector<std::string> added;
  for (const auto& [key, value] : document.items()) {
    const std::string flag = "--" + key;
    const bool is_known = std::any_of(commands.begin(), commands.end(), [&](const CLI::App* one) {
      return one->get_option_no_throw(flag) != nullptr;
    });
    if (!is_known || key == "config") return bad_config(file, "there is no flag " + key);
    if ((*command)->get_option_no_throw(flag) == nullptr || is_given(arguments, flag)) continue;
    added.push_back(flag + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
  }
  arguments.insert(arguments.end(), added.begin(), added.end());
  return arguments;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || !text) {
    Error error = make_error(ErrorKind::kConfig, "flags.cannot_read", "cannot read a file",
                             "Check the name and the permissions");
    error.native_text = std::strerror(errno);
    return std::move(error).with("file", path);
  }
  return text.str();
}

Result<Logger> open_log(const Flags& flags, std::function<void(const std::string&)> print) {
  Logger::Options options;
  options.level = *parse_severity(flags.log_level);
  options.file = flags.log_file;
  options.print = std::move(print);
  options.format = flags.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  return Logger::open(options);
}

namespace {

Result<control::Endpoint> source_of(const Flags& flags, const connect::Registry& connectors,
                                    const Logger& log) {
  return make_endpoint({"source", flags.source, flags.source_endpoint, flags.source_password_file},
                       connectors, log);
}
Result<control::Endpoint> target_of(const Flags& flags, const connect::Registry& connectors,
                                    const Logger& log) {
  return make_endpoint({"target", flags.target, flags.target_endpoint, flags.target_password_file},
                       connectors, log);
}

/// A connector that can be asked what such an end would be like.
Result<control::Endpoint> any_endpoint(connect::Role role, const connect::Registry& connectors) {
  for (const connect::Connector* each : connectors.all()) {
    if ((each->info().roles & role) == 0) continue;
    WHERRY_ASSIGN(connect::Connector * found, connectors.find(each->info().schemes.front()));
    connect::Settings settings;
    settings.url = each->info().schemes.front() + "://localhost";
    return control::Endpoint{found, std::move(settings)};
  }
  return make_error(ErrorKind::kInternal, "app.no_connector", "no connector has that role");
}

/// What the task is, besides its ends.
Result<void> read_task(const Flags& flags, const Logger& log, control::TaskRequest& request) {
  if (!flags.table_mappings.empty()) {
    WHERRY_ASSIGN(const std::string text, read_file(flags.table_mappings));
    auto rules = mapping::RuleSet::parse(text);
    if (!rules.ok()) return std::move(rules).error().with("file", flags.table_mappings);
    request.rules = *std::move(rules);
  }
  request.type = migration_type(flags.migration_type);
  if (!flags.task_settings.empty()) {
    WHERRY_ASSIGN(const std::string text, read_file(flags.task_settings));
    auto settings = control::TaskSettings::parse(text);
    if (!settings.ok()) return std::move(settings).error().with("file", flags.task_settings);
    control::take_settings(request, *std::move(settings), log);
  }
  WHERRY_ASSIGN(request.start, start_type(flags.start));
  request.start_position = flags.start_position;
  WHERRY_ASSIGN(request.stop_when, stop_condition(flags.stop_when));
  WHERRY_TRY(check_changes(flags, request));
  request.state_directory = flags.state.empty() ? kDefaultState : flags.state;
  return {};
}

}  // namespace

Result<control::TaskRequest> make_request(const Flags& flags, const connect::Registry& connectors,
                                          const Logger& log) {
  control::TaskRequest request;
  WHERRY_ASSIGN(request.source, source_of(flags, connectors, log));
  WHERRY_ASSIGN(request.target, target_of(flags, connectors, log));
  WHERRY_TRY(read_task(flags, log, request));
  return request;
}

Result<control::TaskRequest> make_partial_request(const Flags& flags,
                                                  const connect::Registry& connectors,
                                                  const Logger& log) {
  control::TaskRequest request;
  WHERRY_ASSIGN(request.source, names_source(flags) ? source_of(flags, connectors, log)
                                                    : any_endpoint(connect::kSource, connectors));
  WHERRY_ASSIGN(request.target, names_target(flags) ? target_of(flags, connectors, log)
                                                    : any_endpoint(connect::kTarget, connectors));
  WHERRY_TRY(read_task(flags, log, request));
  return request;
}

}  // namespace wherry::app
