#include "commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "connect/oracle/trace/decode_capture.h"
#include "control/plan_report.h"
#include "control/reload_request.h"
#include "display.h"
#include "stop_signals.h"
#include "text.h"

namespace wherry::app {
namespace {

int exit_status(const Error& error) {
  return error.kind == ErrorKind::kConfig ? kExitRefused : kExitFailed;
}

/// What all commands that talk to servers begin with.
struct Start {
  Logger log;
  control::TaskRequest request;
};

Result<Start> start(const Flags& flags, const connect::Registry& connectors, Display& display) {
  Start started;
  WHERRY_ASSIGN(started.log,
                open_log(flags, [&display](const std::string& line) { display.log_line(line); }));
  WHERRY_ASSIGN(started.request, make_request(flags, connectors, started.log));
  return started;
}

constexpr const char* kNotValidated =
    "EnableValidation has no effect: a task does not compare by itself; `wherry validate` does, "
    "after "
    "the load or while changes go on";

/// Keeps what a run was about, to print its errors after the display has ended.
class Recorder final : public control::TaskObserver {
 public:
  explicit Recorder(Display& display) : display_(display) {}
  void on_phase(const std::string& phase) override { display_.on_phase(phase); }
  void on_load(std::shared_ptr<const engine::LoadProgress> progress) override {
    load_ = progress;
    display_.on_load(std::move(progress));
  }
  void on_changes(std::shared_ptr<const control::ChangeProgress> progress) override {
    changes_ = progress;
    display_.on_changes(std::move(progress));
  }
  void on_validation(std::shared_ptr<const engine::ValidationProgress> progress) override {
    validation_ = progress;
    display_.on_validation(std::move(progress));
  }
  void on_interruption(const std::optional<engine::Interruption>& interruption) override {
    display_.on_interruption(interruption);
  }
  void report_table_errors() const {
    if (load_ != nullptr) report_errors(load_->tables());
    if (load_ != nullptr) report_refused_rows(load_->tables());
    if (changes_ != nullptr) report_suspended();
    if (validation_ != nullptr) report_errors(validation_->tables());
  }

 private:
  void report_suspended() const {
    for (const engine::TableApplyProgress* table : changes_->apply.tables()) {
      if (table->is_suspended && table->error) report(*table->error);
    }
  }
  static void report_refused_rows(const std::deque<engine::TableProgress>& tables) {
    for (const engine::TableProgress& table : tables) {
      if (table.truncated_values != 0) {
        std::fprintf(
            stderr,
            "wherry: warning: table %s: %s LOB values were cut at LobMaxSize; the log names "
            "them\n",
            schema::to_text(table.plan->source).c_str(),
            count_text(table.truncated_values).c_str());
      }
      if (table.refused_rows == 0) continue;
      std::lock_guard lock(table.refusal_mutex);
      std::fprintf(stderr,
                   "wherry: warning: table %s: %s rows are not on the target; "
                   "awsdms_apply_exceptions there and the log name them. The first: %s\n",
                   schema::to_text(table.plan->source).c_str(),
                   count_text(table.refused_rows).c_str(),
                   table.first_refusal ? table.first_refusal->to_paragraph().c_str()
                                       : "was left out by an earlier run");
    }
  }
  template <class Tables>
  static void report_errors(const Tables& tables) {
    for (const auto& table : tables) {
      if (table.error && table.error->kind != ErrorKind::kCancelled) report(*table.error);
    }
  }

  Display& display_;
  std::shared_ptr<const engine::LoadProgress> load_;
  std::shared_ptr<const control::ChangeProgress> changes_;
  std::shared_ptr<const engine::ValidationProgress> validation_;
};

const char* stop_reason(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kCancelled:
      return "Stop Reason NORMAL";
    case ErrorKind::kTransient:
      return "Stop Reason RECOVERABLE_ERROR";
    default:
      return "Stop Reason FATAL_ERROR";
  }
}

/// What a run says that has not come to its end.
RunEnd unfinished(const Error& error) {
  const bool was_stopped = error.kind == ErrorKind::kCancelled;
  return {was_stopped ? "stopped" : "failed", stop_reason(error), &error};
}

}  // namespace

int report(const Error& error) {
  std::fprintf(stderr, "wherry: error: %s\n", error.to_paragraph().c_str());
  return exit_status(error);
}

namespace {

/// The last words on a run that has failed or was stopped.
int end_unfinished(const Flags& flags, const Start& started, Display& display, const Error& error) {
  display.finish(unfinished(error));
  if (error.kind == ErrorKind::kCancelled) {
    std::fprintf(stderr, "wherry: stopped; the same command goes on with what is left\n");
    return kExitDone;
  }
  if (!flags.log_file.empty()) started.log.as(Component::kTaskManager).error(error);
  return report(error);
}

int status_of_load(const control::LoadOutcome& outcome, const control::TaskRequest& request) {
  const engine::ErrorPolicy& policy = request.settings.errors;
  const bool may_lack_rows = policy.data == engine::ErrorAction::kIgnoreRecord &&
                             policy.truncation == engine::ErrorAction::kIgnoreRecord;
  const bool lacks_rows = outcome.refused_rows != 0 && !may_lack_rows;
  return outcome.has_table_errors || lacks_rows ? kExitTableErrors : kExitDone;
}

int run_changes(const Flags& flags, const Start& started, OpContext& context, Display& display,
                Recorder& recorder) {
  auto outcome = control::run_change_task(context, started.request, recorder);
  if (!outcome.ok()) return end_unfinished(flags, started, display, outcome.error());
  RunEnd end{"stopped", outcome->stop_reason, nullptr, &outcome->load};
  end.changes = &*outcome;
  display.finish(end);
  recorder.report_table_errors();
  for (const engine::RefusedTable& table : outcome->load.refused) report(table.error);
  if (outcome->is_wanted_by_user) {
    std::fprintf(stderr, "wherry: stopped; the same command goes on where this run ended\n");
    return kExitDone;
  }
  const int status = status_of_load(outcome->load, started.request);
  return outcome->has_table_errors ? kExitTableErrors : status;
}

}  // namespace

int run_command(const Flags& flags, const connect::Registry& connectors) {
  const StopSignals signals;
  auto display = make_display(flags.progress);
  auto started = start(flags, connectors, *display);
  if (!started.ok()) return report(started.error());
  Recorder recorder(*display);
  if (started->request.settings.asks_for_validation) {
    started->log.as(Component::kTaskManager).warn(kNotValidated);
  }
  OpContext context{signals.token(), std::chrono::steady_clock::time_point::max(), started->log};
  if (started->request.type != control::MigrationType::kFullLoad) {
    return run_changes(flags, *started, context, *display, recorder);
  }
  auto outcome = control::run_full_load_task(context, started->request, recorder);
  if (!outcome.ok()) return end_unfinished(flags, *started, *display, outcome.error());
  display->finish({"stopped", "Stop Reason FULL_LOAD_ONLY_FINISHED", nullptr, &*outcome});
  recorder.report_table_errors();
  for (const engine::RefusedTable& table : outcome->refused) report(table.error);
  return status_of_load(*outcome, started->request);
}

int plan_command(const Flags& flags, const connect::Registry& connectors, const PlanFlags& wanted) {
  const StopSignals signals;
  auto display = make_display("none");
  auto started = start(flags, connectors, *display);
  if (!started.ok()) return report(started.error());
  OpContext context{signals.token(), std::chrono::steady_clock::time_point::max(), started->log};
  auto made = control::make_plan_report(context, started->request, *display, wanted.sample_rows);
  if (!made.ok()) {
    report(made.error());
    return kExitRefused;
  }
  const std::string text = wanted.as_json ? control::to_json(*made) : control::to_text(*made);
  std::fwrite(text.data(), 1, text.size(), stdout);
  for (const engine::RefusedTable& table : made->refused) report(table.error);
  if (!made->refused.empty()) return kExitRefused;
  return made->has_warnings() ? kExitTableErrors : kExitDone;
}

int validate_command(const Flags& flags, const connect::Registry& connectors) {
  const StopSignals signals;
  auto display = make_display(flags.progress);
  auto started = start(flags, connectors, *display);
  if (!started.ok()) return report(started.error());
  Recorder recorder(*display);
  OpContext context{signals.token(), std::chrono::steady_clock::time_point::max(), started->log};
  const control::ValidationRequest wanted{{}, std::chrono::seconds(flags.wait_seconds)};
  auto outcome = control::validate_task(context, started->request, wanted, *display, recorder);
  if (!outcome.ok()) {
    display->finish(unfinished(outcome.error()));
    if (!flags.log_file.empty()) started->log.as(Component::kValidator).error(outcome.error());
    return report(outcome.error());
  }
  RunEnd end{"stopped", "Stop Reason NORMAL"};
  end.validation = &*outcome;
  display->finish(end);
  recorder.report_table_errors();
  for (const engine::RefusedTable& table : outcome->refused) report(table.error);
  return outcome->differences != 0 || outcome->has_table_errors ? kExitTableErrors : kExitDone;
}

int reload_command(const Flags& flags, const std::vector<std::string>& tables) {
  const std::string state = flags.state.empty() ? kDefaultState : flags.state;
  const auto is_running = control::request_reload(state, tables);
  if (!is_running.ok()) return report(is_running.error());
  std::printf("%s\n", *is_running ? "the running task loads the tables again"
                                  : "the task loads the tables again at its next start");
  return kExitDone;
}

int decode_oracle_command(const DecodeFlags& flags) {
  const std::string& file = flags.file;
  std::ifstream in(file, std::ios::binary);
  std::error_code ignored;
  if (!in || std::filesystem::is_directory(file, ignored)) {
    return report(make_error(ErrorKind::kConfig, "debug.cannot_read", "cannot read the capture",
                             "Check the name and the permissions")
                      .with("file", file));
  }
  oracle::DecodeOptions options;
  options.memory_bytes = flags.memory_mib << 20;
  options.lists_connections = flags.lists_connections;
  const auto result = oracle::decode_capture(in, std::cout, file, options);
  std::cout.flush();
  return result.ok() ? kExitDone : report(result.error());
}

int demo_command(const std::string& program) {
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const auto script = self.parent_path().parent_path() / "scripts" / "demo.sh";
  if (failure || !std::filesystem::exists(script)) {
    return report(make_error(ErrorKind::kConfig, "demo.not_found",
                             "the demo's script is not beside " + program,
                             "Run `make demo` in a clone of the repository"));
  }
  ::setenv("BUILD", self.parent_path().c_str(), 1);
  ::execl("/bin/bash", "bash", script.c_str(), static_cast<char*>(nullptr));
  return report(make_error(ErrorKind::kResource, "demo.no_shell", "cannot start /bin/bash",
                           "Run scripts/demo.sh yourself"));
}

}  // namespace wherry::app
