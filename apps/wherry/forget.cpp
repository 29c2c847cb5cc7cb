#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "commands.h"
#include "control/forget_task.h"
#include "display.h"
#include "stop_signals.h"

namespace wherry::app {
namespace {

Result<void> confirm(const control::TaskRequest& request, const ForgetFlags& flags) {
  if (flags.is_confirmed) return {};
  if (::isatty(STDIN_FILENO) == 1) {
    std::printf(
        "The task in %s, from %s to %s, will not be able to go on. Its tables stay.\n"
        "Remove what it keeps? [y/N] ",
        request.state_directory.c_str(), request.source.settings.url.c_str(),
        request.target.settings.url.c_str());
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "yes") return {};
  }
  return make_error(ErrorKind::kConfig, "forget.not_confirmed", "nothing was removed",
                    "Add --yes to remove what the task keeps");
}

}  // namespace

int forget_command(const Flags& flags, const ForgetFlags& forget_flags,
                   const connect::Registry& connectors) {
  const StopSignals signals;
  auto display = make_display("none");
  auto log = open_log(flags, [&](const std::string& line) { display->log_line(line); });
  if (!log.ok()) return report(log.error());
  const auto request = make_request(flags, connectors, *log);
  if (!request.ok()) return report(request.error());
  if (const auto confirmed = confirm(*request, forget_flags); !confirmed.ok()) {
    return report(confirmed.error());
  }
  OpContext context{signals.token(), std::chrono::steady_clock::time_point::max(), *log};
  auto outcome = control::forget_task(context, *request, forget_flags.with_control_rows);
  if (!outcome.ok()) return report(outcome.error());
  for (const std::string& what : outcome->removed) std::printf("removed: %s\n", what.c_str());
  for (const control::LeftBehind& each : outcome->left) {
    std::printf("not removed: %s\n", each.what.c_str());
    report(each.cause);
  }
  return outcome->left.empty() ? kExitDone : kExitFailed;
}

}  // namespace wherry::app
