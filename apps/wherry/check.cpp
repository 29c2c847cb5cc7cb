// `wherry check`: what a table-mapping or task-settings document says, or all that is wrong with
// it, without any database; and what a task needs at the databases that are named.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "commands.h"
#include "control/preflight.h"
#include "control/settings_document.h"
#include "control/task_settings.h"
#include "mapping/rule_text.h"
#include "mapping/rules.h"
#include "stop_signals.h"

namespace wherry::app {
namespace {

using CheckJson = nlohmann::ordered_json;

/// One thing wrong with a file.
struct Finding {
  std::string file, rule_id, path, message;
  mapping::TextPlace place;
};

/// What the command has to say: findings, and what was understood where there are none.
struct Report {
  std::vector<Finding> findings;
  std::string text;
  CheckJson json = CheckJson::object();
};

void check_mappings(const std::string& file, const std::string& document, Report& out) {
  for (const mapping::Problem& each : mapping::RuleSet::check(document)) {
    out.findings.push_back({file, each.rule_id, each.path, each.message, each.place});
  }
  const auto rules = mapping::RuleSet::parse(document);
  if (!rules.ok()) return;
  CheckJson list = CheckJson::array();
  out.text += file + ":\n";
  for (const mapping::RuleText& rule : mapping::texts_of(*rules)) {
    out.text += fmt::format("  rule-id {}: {} {}\n", rule.id, rule.type, rule.text);
    list.push_back({{"rule_id", rule.id}, {"rule_type", rule.type}, {"text", rule.text}});
  }
  out.json["table_mappings"] = {{"file", file}, {"rules", std::move(list)}};
}

Result<void> check_settings(const std::string& file, const std::string& text, Report& out) {
  auto document = control::SettingsDocument::read(text);
  if (!document.ok()) return std::move(document).error().with("file", file);
  const auto settings = control::TaskSettings::from(*document);
  for (const control::SettingsProblem& each : document->problems()) {
    out.findings.push_back({file, {}, each.path, each.message, each.place});
  }
  if (!settings.ok()) return {};
  out.text += file + ":\n";
  if (settings->without_effect.empty()) out.text += "  every value that was sent has its effect\n";
  for (const std::string& what : settings->without_effect) {
    out.text += "  no effect: " + what + "\n";
  }
  out.json["task_settings"] = {{"file", file},
                               {"without_effect", settings->without_effect},
                               {"document", CheckJson::parse(document->expanded())}};
  return {};
}

void print_json(const Report& report) {
  CheckJson problems = CheckJson::array();
  for (const Finding& each : report.findings) {
    problems.push_back({{"file", each.file},
                        {"line", each.place.line},
                        {"column", each.place.column},
                        {"rule_id", each.rule_id.empty() ? CheckJson() : CheckJson(each.rule_id)},
                        {"path", each.path},
                        {"message", each.message}});
  }
  CheckJson out = report.json;
  out["problems"] = std::move(problems);
  constexpr int kIndent = 2;
  std::printf("%s\n", out.dump(kIndent, ' ', false, CheckJson::error_handler_t::replace).c_str());
}

void print_text(const Report& report) {
  for (const Finding& each : report.findings) {
    const std::string rule = each.rule_id.empty() ? "" : "rule-id " + each.rule_id + ": ";
    const std::string path = each.path.empty() ? "" : " (at " + each.path + ")";
    std::fprintf(stderr, "%s:%zu:%zu: %s%s%s\n", each.file.c_str(), each.place.line,
                 each.place.column, rule.c_str(), each.message.c_str(), path.c_str());
  }
  std::printf("%s", report.text.c_str());
}

Result<void> check_files(const Flags& flags, Report& out) {
  if (!flags.table_mappings.empty()) {
    WHERRY_ASSIGN(const std::string text, read_file(flags.table_mappings));
    check_mappings(flags.table_mappings, text, out);
  }
  if (!flags.task_settings.empty()) {
    WHERRY_ASSIGN(const std::string text, read_file(flags.task_settings));
    WHERRY_TRY(check_settings(flags.task_settings, text, out));
  }
  return {};
}

/// The request, and what it takes to talk to its ends.
struct Asking {
  StopSignals signals;
  Logger log;
  control::TaskRequest request;
  control::PreflightEnds ends;
  [[nodiscard]] OpContext context() const {
    return {signals.token(), std::chrono::steady_clock::time_point::max(), log};
  }
};

Result<void> prepare(const Flags& flags, const connect::Registry& connectors,
                     const CheckFlags& wanted, Asking& out) {
  WHERRY_ASSIGN(out.log, open_log(flags, [](const std::string& line) {
                  std::fprintf(stderr, "%s\n", line.c_str());
                }));
  WHERRY_ASSIGN(out.request, make_partial_request(flags, connectors, out.log));
  out.ends = {names_source(flags), names_target(flags), wanted.source_grantee,
              wanted.target_grantee};
  return {};
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

Result<int> assess(Asking& asking, const CheckFlags& wanted, Report& out) {
  OpContext context = asking.context();
  WHERRY_ASSIGN(const control::PreflightReport found,
                control::run_preflight(context, asking.request, asking.ends));
  if (wanted.as_json) {
    out.json["preflight"] = CheckJson::parse(control::to_json(found));
  } else {
    out.text += (out.text.empty() ? "" : "\n") + control::to_text(found);
  }
  if (found.status() == "failed") return kExitRefused;
  return found.status() == "warning" ? kExitTableErrors : kExitDone;
}

/// The script alone, so that it can be given to a client of the database.
Result<int> print_grants(Asking& asking, const CheckFlags& wanted) {
  OpContext context = asking.context();
  WHERRY_ASSIGN(const control::GrantScripts scripts,
                control::make_grants(context, asking.request, asking.ends));
  print(wanted.as_json ? control::to_json(scripts, asking.ends)
                       : control::to_text(scripts, asking.ends));
  return kExitDone;
}

Result<int> check_all(const Flags& flags, const connect::Registry& connectors,
                      const CheckFlags& wanted, Report& out) {
  const bool has_ends = names_source(flags) || names_target(flags);
  if (flags.table_mappings.empty() && flags.task_settings.empty() && !has_ends) {
    return make_error(ErrorKind::kConfig, "check.nothing", "there is nothing to check",
                      "Name a file with --table-mappings or --task-settings, or a database with "
                      "--source or --target");
  }
  if (wanted.wants_grants && !names_source(flags)) {
    return make_error(ErrorKind::kConfig, "check.no_source",
                      "what a task needs follows from the tables of its source",
                      "Name it with --source");
  }
  WHERRY_TRY(check_files(flags, out));
  if (!out.findings.empty()) return kExitRefused;
  if (!has_ends) return kExitDone;
  Asking asking;
  WHERRY_TRY(prepare(flags, connectors, wanted, asking));
  return wanted.wants_grants ? print_grants(asking, wanted) : assess(asking, wanted, out);
}

}  // namespace

int check_command(const Flags& flags, const connect::Registry& connectors,
                  const CheckFlags& wanted) {
  Report out;
  const auto status = check_all(flags, connectors, wanted, out);
  const bool is_script = wanted.wants_grants && out.findings.empty();
  if (wanted.as_json && status.ok()) {
    if (!is_script) print_json(out);
  } else if (!is_script) {
    print_text(out);
  }
  return status.ok() ? *status : report(status.error());
}

}  // namespace wherry::app
