// The one place that names every connector.
#include <malloc.h>

#include <algorithm>
#include <clocale>
#include <exception>

#include "commands.h"
#include "connect/oracle/connector.h"
#include "connect/postgres/connector.h"

namespace {

constexpr const char* kVersion = "wherry 0.1.0";

/// What one batch of rows gives back the next one takes: memory that goes to the system in between
/// comes back page by page, which cost a tenth of the processor time of applying changes.
void keep_freed_memory() {
  constexpr int kKeptBytes = 32 << 20;  // of each of the allocator's arenas
  ::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  ::mallopt(M_MMAP_THRESHOLD, kKeptBytes);
}

int dispatch(int argc, char** argv) {
  using namespace wherry;  // NOLINT(google-build-using-namespace): main() only
  connect::Registry connectors;
  connectors.add(oracle::make_connector());
  connectors.add(postgres::make_connector());

  CLI::App cli("Wherry moves a live database into another one.", "wherry");
  cli.set_version_flag("--version", kVersion);
  cli.require_subcommand(1);
  app::Flags flags;
  int status = app::kExitDone;

  auto* run = cli.add_subcommand("run", "Runs one task in the foreground");
  app::add_flags(*run, flags, app::kEndpointFlags | app::kTaskFlags | app::kRunFlags);
  run->callback([&] { status = app::run_command(flags, connectors); });

  auto* plan = cli.add_subcommand("plan", "Shows what a task would do, and changes nothing");
  app::add_flags(*plan, flags, app::kEndpointFlags | app::kTaskFlags);
  std::string planned_type = "full-load";
  plan->add_option("--migration-type", planned_type,
                   "With cdc in it, the source is asked for what its changes need")
      ->check(CLI::IsMember({"full-load", "cdc", "full-load-and-cdc"}))
      ->capture_default_str();
  app::PlanFlags plan_flags;
  plan->add_option("--sample", plan_flags.sample_rows,
                   "Looks at so many rows of each table: sizes, and values that the target refuses")
      ->expected(0, 1)
      ->default_str("10000");
  std::string plan_format = "text";
  plan->add_option("--format", plan_format, "How it is printed")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  plan->callback([&] {
    flags.migration_type = planned_type;
    plan_flags.as_json = plan_format == "json";
    status = app::plan_command(flags, connectors, plan_flags);
  });

  auto* check = cli.add_subcommand(
      "check",
      "Checks table mappings and task settings files, and with --source or --target what a task "
      "needs there");
  app::add_flags(*check, flags, app::kEndpointFlags | app::kTaskFlags);
  std::string checked_type = "full-load-and-cdc";
  check->add_option("--migration-type", checked_type, "What the task is to do")
      ->check(CLI::IsMember({"full-load", "cdc", "full-load-and-cdc"}))
      ->capture_default_str();
  app::CheckFlags check_flags;
  check->add_flag(
      "--grants", check_flags.wants_grants,
      "Prints the privileges that exactly this task needs, as SQL for an administrator");
  check->add_option("--source-grantee", check_flags.source_grantee,
                    "Who gets them at the source, when it is not the user of --source");
  check->add_option("--target-grantee", check_flags.target_grantee,
                    "Who gets them at the target, when it is not the user of --target");
  std::string check_format = "text";
  check->add_option("--format", check_format, "How it is printed")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  check->callback([&] {
    flags.migration_type = checked_type;
    check_flags.as_json = check_format == "json";
    status = app::check_command(flags, connectors, check_flags);
  });

  auto* validate = cli.add_subcommand("validate", "Compares source and target, value by value");
  app::add_flags(*validate, flags, app::kEndpointFlags | app::kTaskFlags | app::kRunFlags);
  validate
      ->add_option("--wait", flags.wait_seconds,
                   "Seconds that a task with changes may take until it can be compared")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  validate->callback([&] { status = app::validate_command(flags, connectors); });

  auto* reload = cli.add_subcommand(
      "reload",
      "Loads tables of a running or stopped task again, beside the changes of the others");
  std::vector<std::string> reloaded;
  reload->add_option("--table", reloaded, "SCHEMA.TABLE, as the source has it; may be repeated")
      ->required();
  reload->add_option("--state", flags.state, "The task's state directory");
  reload->callback([&] { status = app::reload_command(flags, reloaded); });

  auto* forget = cli.add_subcommand(
      "forget",
      "Removes what a task has left besides its tables: slot and publication, checkpoints, state");
  app::ForgetFlags forget_flags;
  app::add_flags(*forget, flags, app::kEndpointFlags | app::kTaskFlags);
  forget->add_flag("--control-rows", forget_flags.with_control_rows,
                   "The task's rows in the control tables (awsdms_...) too");
  forget->add_flag("--yes", forget_flags.is_confirmed, "Asks nothing");
  forget->callback([&] { status = app::forget_command(flags, forget_flags, connectors); });

  auto* scripts = cli.add_subcommand(
      "scripts",
      "Writes SQL that disables and enables foreign keys, triggers and secondary "
      "indexes of the target");
  app::ScriptFlags script_flags;
  app::add_flags(*scripts, flags, app::kTargetFlags);
  scripts->add_option("--output", script_flags.directory, "Directory for disable.sql, enable.sql")
      ->capture_default_str();
  scripts->add_option("--schema", script_flags.schemas,
                      "Only tables of this schema; may be repeated");
  scripts->add_flag("--no-foreign-keys", script_flags.without_foreign_keys,
                    "Leaves out foreign keys, but for those that need an index that goes");
  scripts->add_flag("--no-triggers", script_flags.without_triggers, "Leaves out triggers");
  scripts->add_flag("--no-indexes", script_flags.without_indexes, "Leaves out indexes");
  scripts->callback([&] { status = app::scripts_command(flags, script_flags, connectors); });

  auto* debug = cli.add_subcommand("debug", "Support tools");
  debug->require_subcommand(1);
  auto* decode = debug->add_subcommand("decode-oracle", "Decodes a captured Oracle session");
  app::DecodeFlags decode_flags;
  decode->add_option("FILE", decode_flags.file, "A pcap, pcapng or text capture")->required();
  decode->add_flag("--connections", decode_flags.lists_connections,
                   "Also lists every TCP connection of a pcap file with its addresses");
  decode->add_option("--memory-mib", decode_flags.memory_mib, "What may wait in memory")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  decode->callback([&] { status = app::decode_oracle_command(decode_flags); });

  auto* parse_redo = debug->add_subcommand(
      "parse-redo", "Says what LogMiner's SQL_REDO says: JSON lines in and out");
  parse_redo->callback([&] { status = app::parse_redo_command(); });
  auto* assemble_redo = debug->add_subcommand(
      "assemble-redo", "Puts transactions together from LogMiner's rows: JSON lines in and out");
  assemble_redo->callback([&] { status = app::assemble_redo_command(); });

  auto* demo = cli.add_subcommand("demo", "The whole job on this machine, with a simulated Oracle");
  demo->callback([&] { status = app::demo_command(argv[0]); });

  auto arguments = app::with_config(cli, argc, argv);
  if (!arguments.ok()) return app::report(arguments.error());
  std::reverse(arguments->begin(), arguments->end());  // as CLI11 wants them
  try {
    cli.parse(*arguments);
  } catch (const CLI::ParseError& failure) {
    if (failure.get_exit_code() == 0) return cli.exit(failure);  // --help, --version
    return app::report(make_error(ErrorKind::kConfig, "flags.invalid", failure.what(),
                                  "`wherry --help` lists the commands, `wherry COMMAND --help` "
                                  "the flags of one"));
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  std::setlocale(LC_CTYPE, "C.UTF-8");  // how many columns a character takes
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& failure) {
    return wherry::app::report(
        wherry::make_error(wherry::ErrorKind::kInternal, "app.exception",
                           std::string("an unexpected failure: ") + failure.what(),
                           "Report this with the command and the version"));
  }
}
