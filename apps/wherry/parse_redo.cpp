#include <algorithm>
#include <iostream>
#include <string>

#include "commands.h"
#include "redo_json.h"

namespace wherry::app {
namespace {

Error bad_line(std::size_t number, const std::string& why) {
  return make_error(ErrorKind::kConfig, "debug.bad_line",
                    "line " + std::to_string(number) + " of the input is not as it must be: " + why,
                    "Give one JSON object a line, with sql_redo and what else is known")
      .with("line", std::to_string(number));
}

int print_each(nlohmann::ordered_json (*answer)(const nlohmann::json&)) {
  std::string line;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      const auto parsed = answer(nlohmann::json::parse(line));
      std::cout << parsed.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    } catch (const std::exception& problem) {  // of JSON, or of a number in it
      std::cout.flush();
      return report(bad_line(number, problem.what()));
    }
  }
  std::cout.flush();
  return kExitDone;
}

}  // namespace

int parse_redo_command() {
  return print_each(parsed_redo);
}

int assemble_redo_command() {
  return print_each(assembled_redo);
}

}  // namespace wherry::app
