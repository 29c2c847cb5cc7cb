#include "control/reload_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "control/task_state.h"
#include "core/durable_file.h"

namespace wherry::control {
namespace {

constexpr std::string_view kRequestEnding = ".reload";

Error unknown_table(const std::string& name) {
  return make_error(ErrorKind::kConfig, "reload.unknown_table", "the task has no table " + name,
                    "Write SCHEMA.TABLE as the source has the names; upper and lower case count");
}

}  // namespace

Result<bool> request_reload(const std::filesystem::path& directory,
                            const std::vector<std::string>& tables) {
  WHERRY_ASSIGN(const TableRecords known, TaskState::read_tables(directory));
  std::vector<schema::TableRef> found_tables;
  for (const std::string& name : tables) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const auto& entry) {
      return entry.first.schema + "." + entry.first.name == name;
    });
    if (found == known.end()) return unknown_table(name).with("directory", directory.string());
    const auto& plan = found->second.plan;
    if (plan && plan->shares_target) return shared_target_error(found->first);
    found_tables.push_back(found->first);
  }
  WHERRY_TRY(write_reload_request(directory, found_tables));
  return TaskState::is_in_use(directory);
}

Error shared_target_error(const schema::TableRef& table) {
  return make_error(ErrorKind::kConfig, "reload.shared_target",
                    "rows of several tables come into one of the target, so none of them can be "
                    "loaded again alone",
                    "Load the task again: --start reload-target")
      .with("table", schema::to_text(table));
}

Result<void> write_reload_request(const std::filesystem::path& directory,
                                  const std::vector<schema::TableRef>& tables) {
  nlohmann::json list = nlohmann::json::array();
  for (const schema::TableRef& table : tables) list.push_back({table.schema, table.name});
  std::random_device random;
  const std::string file = fmt::format("{:08x}{:08x}{}", random(), random(), kRequestEnding);
  return replace_file(directory / file, nlohmann::json{{"tables", list}}.dump() + "\n");
}

Result<ReloadRequests> read_reload_requests(const std::filesystem::path& directory) {
  ReloadRequests out;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.path().extension() != kRequestEnding) continue;
    std::ifstream file(entry.path());
    const auto json = nlohmann::json::parse(file, nullptr, false);
    try {
      for (const auto& table : json.at("tables")) {
        schema::TableRef name{table.at(0).get<std::string>(), table.at(1).get<std::string>()};
        if (std::find(out.tables.begin(), out.tables.end(), name) == out.tables.end()) {
          out.tables.push_back(std::move(name));
        }
      }
    } catch (const nlohmann::json::exception& problem) {
      Error error = make_error(ErrorKind::kConfig, "reload.damaged",
                               "a request to load tables again cannot be read",
                               "Remove the file, and ask again with wherry reload");
      error.native_text = problem.what();
      return std::move(error).with("file", entry.path().string());
    }
    out.files.push_back(entry.path());
  }
  return out;
}

void remove_reload_requests(const ReloadRequests& requests) {
  for (const auto& file : requests.files) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  }
}

}  // namespace wherry::control
