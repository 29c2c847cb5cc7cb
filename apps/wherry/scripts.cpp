// `wherry scripts`: SQL from the target's catalogue that disables and enables what hinders a load.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "commands.h"
#include "endpoint.h"
#include "stop_signals.h"

namespace wherry::app {
namespace {

/// Beside its name first, so that a full disk leaves no half of a script under it.
Result<void> write_script(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path temporary = path.string() + ".new";
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  std::error_code failure;
  if (file) std::filesystem::rename(temporary, path, failure);
  if (file && !failure) return {};
  return make_error(ErrorKind::kResource, "scripts.cannot_write", "cannot write a script",
                    "Check the directory, its permissions and the disk")
      .with("file", path.string());
}

Result<void> write_all_scripts(const Flags& flags, const ScriptFlags& script_flags,
                               const connect::Registry& connectors) {
  WHERRY_ASSIGN(const Logger log, open_log(flags, [](const std::string& line) {
                  std::fprintf(stderr, "%s\n", line.c_str());
                }));
  WHERRY_ASSIGN(
      const control::Endpoint target,
      make_endpoint({"target", flags.target, flags.target_endpoint, flags.target_password_file},
                    connectors, log));
  const StopSignals signals;
  OpContext context{signals.token(), std::chrono::steady_clock::time_point::max(), log};
  WHERRY_ASSIGN(const auto loader, target.connector->open_loader(context, target.settings));
  connect::ScriptOptions options;
  options.schemas = script_flags.schemas;
  options.foreign_keys = !script_flags.without_foreign_keys;
  options.triggers = !script_flags.without_triggers;
  options.indexes = !script_flags.without_indexes;
  WHERRY_ASSIGN(const connect::TargetScripts scripts, loader->write_scripts(context, options));
  const std::filesystem::path directory = script_flags.directory;
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  // The way back comes first: without it the way out is of no use.
  WHERRY_TRY(write_script(directory / "enable.sql", scripts.enable));
  WHERRY_TRY(write_script(directory / "disable.sql", scripts.disable));
  std::printf("%s\n%s\n", (directory / "disable.sql").c_str(), (directory / "enable.sql").c_str());
  return {};
}

}  // namespace

int scripts_command(const Flags& flags, const ScriptFlags& script_flags,
                    const connect::Registry& connectors) {
  const auto written = write_all_scripts(flags, script_flags, connectors);
  return written.ok() ? kExitDone : report(written.error());
}

}  // namespace wherry::app
