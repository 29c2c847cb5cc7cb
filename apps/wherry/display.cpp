#include "display.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "text.h"
#include "watching_display.h"

namespace wherry::app {
namespace {

/// No progress and no summary. Differences are a command's result, not its progress.
class Silence final : public Display {
 public:
  void on_phase(const std::string&) override {}
  void on_load(std::shared_ptr<const engine::LoadProgress>) override {}
  void on_validation(std::shared_ptr<const engine::ValidationProgress>) override {}
  void on_difference(const engine::Difference& difference) override {
    write_all(STDOUT_FILENO, difference_text(difference) + "\n");
  }
  void log_line(const std::string& line) override { write_all(STDERR_FILENO, line); }
  void finish(const RunEnd&) override {}
};

bool is_terminal() {
  const char* kind = std::getenv("TERM");
  const bool can_move = kind != nullptr && std::string_view(kind) != "dumb";
  return can_move && ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace

std::string difference_text(const engine::Difference& difference) {
  std::string line =
      fmt::format("{} {} [{}]", engine::name_of(difference.kind),
                  printable(schema::to_text(difference.table)), printable(difference.key));
  if (!difference.column.empty()) {
    line += fmt::format(" {}: source {}, target {}", printable(difference.column),
                        printable(difference.source_value), printable(difference.target_value));
  }
  return line;
}

std::unique_ptr<Display> make_display(const std::string& mode) {
  if (mode == "json") return make_json_lines();
  if (mode == "none") return std::make_unique<Silence>();
  if (mode == "bars" || (mode == "auto" && is_terminal())) return make_bars();
  return make_lines();
}

}  // namespace wherry::app
